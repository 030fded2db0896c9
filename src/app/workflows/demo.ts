import { join } from 'node:path';
import { dump } from 'js-yaml';
import { z } from 'zod';
import { formatTime } from '../../core/foundation/time.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import { NO_SOURCE } from '../../data/fetch.ts';
import { makeFolder, writeFileAtomic } from '../../data/files.ts';

/**
 * Runs one command of this program, and throws `UserError` when it fails. `mayFail`: unless it knows what the command's
 * document says. Answers with that document, under `--json`.
 */
export type RunStep = (args: readonly string[], mayFail?: (document: string) => boolean) => Promise<string>;

export interface DemoRequest {
  /** Where everything that is made is put. */
  readonly folder: string;
  readonly seed: number;
  readonly exchange: { readonly id: string; readonly baseUrl?: string | undefined };
  readonly market: {
    readonly symbols: readonly PairSymbol[];
    readonly timeframe: Timeframe;
    readonly since: number;
    readonly until?: number | undefined;
  };
}

/** Where the candles came from. */
export interface DemoCandles {
  readonly source: string;
  readonly exchange: string;
  readonly synthetic: boolean;
}

export interface DemoResult extends DemoCandles {
  readonly config: string;
  readonly report: string;
  readonly minutes: number;
}

/** What the demo needs to know of `fetch --json`. */
const Fetched = z.object({
  datasets: z
    .array(
      z.object({ exchange: z.string(), source: z.string(), synthetic: z.boolean(), lastTime: z.string() }),
    )
    .min(1),
});

/** The program's own commands, each as a person would type it, in a folder of their own. */
export async function demo(
  request: DemoRequest,
  step: RunStep,
  onCandles: (candles: DemoCandles) => void,
): Promise<DemoResult> {
  const { folder } = request;
  const config = join(folder, 'config.yaml');
  const report = join(folder, 'report.html');
  const started = Date.now();
  const run = `demo-${formatTime(started).slice(0, 19).replaceAll(':', '-')}Z`;
  makeFolder(folder);
  const then = (...args: string[]): Promise<string> => step([...args, '--config', config]);

  await writeSettings(request, config, request.exchange.id);
  const { datasets } = await fetchSomeCandles(step, config);
  const [{ exchange, source }] = datasets;
  const synthetic = datasets.some((dataset) => dataset.synthetic);
  // Where the candles came from is where every later step has to look for them.
  await writeSettings(request, config, exchange);
  onCandles({ source, exchange, synthetic });

  await then('data', 'list');
  await then('train', '--mode', 'quick', '--name', run, ...(synthetic ? ['--allow-synthetic'] : []));
  // What follows is about these candles; an earlier demo in the same folder may have left a run that is active.
  await then('models', 'activate', run);
  await then('backtest', '--report', report);
  await then('signals');
  // Without an exchange the newest stored bar is what paper can trade: the one that the signals are about.
  const newest = datasets.map(({ lastTime }) => lastTime).toSorted()[0];
  const replay = ['--no-exchange', '--fresh', '--since', newest];
  await then('paper', '--max-cycles', '1', ...(source === 'exchange' ? [] : replay));
  return { source, exchange, synthetic, config, report, minutes: (Date.now() - started) / 60_000 };
}

function writeSettings(
  { seed, folder, exchange: { baseUrl }, market }: DemoRequest,
  file: string,
  exchange: string,
): Promise<void> {
  const settings = {
    seed,
    dataDir: join(folder, 'data'),
    checkpointDir: join(folder, 'checkpoints'),
    logDir: join(folder, 'logs'),
    exchange: { id: exchange, ...(baseUrl ? { baseUrl } : {}) },
    market: {
      symbols: [...market.symbols],
      timeframe: market.timeframe,
      since: formatTime(market.since),
      ...(market.until === undefined ? {} : { until: formatTime(market.until) }),
    },
  };
  return writeFileAtomic(file, dump(settings));
}

/** Candles from an exchange, else Yahoo; only the demo makes some up when neither is within reach. */
async function fetchSomeCandles(step: RunStep, config: string): Promise<z.output<typeof Fetched>> {
  const args = ['--json', '--config', config];
  const answer = await step(['fetch', '--source', 'auto', ...args], isOutOfReach);
  if (!isOutOfReach(answer)) return Fetched.parse(JSON.parse(answer));
  return Fetched.parse(JSON.parse(await step(['fetch', '--source', 'synthetic', ...args])));
}

const Failed = z.object({ error: z.object({ message: z.string().startsWith(NO_SOURCE) }) });

const isOutOfReach = (document: string): boolean =>
  document !== '' && Failed.safeParse(JSON.parse(document)).success;
