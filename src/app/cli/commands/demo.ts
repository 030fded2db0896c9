import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { dump } from 'js-yaml';
import { z } from 'zod';
import { formatTime } from '../../../core/foundation/time.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { makeFolder, writeFileAtomic } from '../../../data/files.ts';
import { NO_SOURCE } from '../../../data/fetch.ts';
import { command, type CommandContext } from '../command.ts';

const Options = z.object({ dir: z.string().min(1) });

/** What the demo needs to know of `fetch --json`. */
const Fetched = z.object({
  datasets: z
    .array(
      z.object({ exchange: z.string(), source: z.string(), synthetic: z.boolean(), lastTime: z.string() }),
    )
    .min(1),
});

export function register(program: Command): void {
  program
    .command('demo')
    .option('--dir <folder>', 'where everything the demo makes is put', 'demo')
    .addHelpText('after', '\nExamples:\n  $ crypto-trader demo\n  $ crypto-trader demo --dir /tmp/first-look')
    .action(command(async (context, options) => demo(context, Options.parse(options).dir)));
}

/** Runs the program's own commands, each as a person would type it, in a folder of its own. */
async function demo(context: CommandContext, folder: string): Promise<void> {
  const { out } = context;
  const configFile = join(folder, 'config.yaml');
  const reportFile = join(folder, 'report.html');
  const started = Date.now();
  const run = `demo-${formatTime(started).slice(0, 19).replaceAll(':', '-')}Z`;
  makeFolder(folder);
  const step = async (...args: string[]): Promise<void> =>
    void (await runStep(context, [...args, '--config', configFile]));

  await writeSettings(context, folder, configFile, context.config.exchange.id);
  const fetched = await fetchCandles(context, configFile);
  const [{ exchange, source }] = fetched.datasets;
  const synthetic = fetched.datasets.some((dataset) => dataset.synthetic);
  // Where the candles came from is where every later step has to look for them.
  await writeSettings(context, folder, configFile, exchange);
  out.print(
    synthetic
      ? '\nNo exchange and no Yahoo within reach: these are SYNTHETIC candles. Results say nothing about any market.\n'
      : `\nCandles come from ${source === exchange ? exchange : `${source} (${exchange})`}.\n`,
  );

  await step('data', 'list');
  await step('train', '--mode', 'quick', '--name', run, ...(synthetic ? ['--allow-synthetic'] : []));
  // What follows is about these candles; an earlier demo in the same folder may have left a run that is active.
  await step('models', 'activate', run);
  await step('backtest', '--report', reportFile);
  await step('signals');
  // Without an exchange the newest stored bar is what paper can trade: the one that the signals are about.
  const newest = fetched.datasets.map(({ lastTime }) => lastTime).toSorted()[0];
  const replay = ['--no-exchange', '--fresh', '--since', newest];
  await step('paper', '--max-cycles', '1', ...(source === 'exchange' ? [] : replay));

  const minutes = (Date.now() - started) / 60_000;
  out.document({ synthetic, source, exchange, config: configFile, report: reportFile, minutes });
  out.print(`
Done in ${minutes.toFixed(1)} minutes${synthetic ? ', on SYNTHETIC candles' : ''}. Everything is in ${folder}/:
  report        ${reportFile}   (open it in a browser)
  candles       ${join(folder, 'data')}
  models        ${join(folder, 'checkpoints')}
  logs          ${join(folder, 'logs')}
Next:
  crypto-trader dashboard --config ${configFile}
  crypto-trader paper --config ${configFile}${source === 'exchange' ? '' : ' --no-exchange'}
  crypto-trader models list --config ${configFile}`);
}

async function writeSettings(
  { config }: CommandContext,
  folder: string,
  file: string,
  exchange: string,
): Promise<void> {
  const settings = {
    seed: config.seed,
    dataDir: join(folder, 'data'),
    checkpointDir: join(folder, 'checkpoints'),
    logDir: join(folder, 'logs'),
    exchange: { id: exchange, ...(config.exchange.baseUrl ? { baseUrl: config.exchange.baseUrl } : {}) },
    market: {
      symbols: [...config.market.symbols],
      timeframe: config.market.timeframe,
      since: formatTime(config.market.since),
      ...(config.market.until === undefined ? {} : { until: formatTime(config.market.until) }),
    },
  };
  await writeFileAtomic(file, dump(settings));
}

/** Candles from an exchange, else Yahoo; only the demo makes some up when neither is within reach. */
async function fetchCandles(context: CommandContext, configFile: string): Promise<z.output<typeof Fetched>> {
  const args = ['--json', '--config', configFile];
  const answer = await runStep(context, ['fetch', '--source', 'auto', ...args], isOutOfReach);
  if (!isOutOfReach(answer)) return Fetched.parse(JSON.parse(answer));
  return Fetched.parse(JSON.parse(await runStep(context, ['fetch', '--source', 'synthetic', ...args])));
}

const Failed = z.object({ error: z.object({ message: z.string().startsWith(NO_SOURCE) }) });

const isOutOfReach = (document: string): boolean =>
  document !== '' && Failed.safeParse(JSON.parse(document)).success;

/**
 * Runs one command of this program, its output passed through; under --json its document is the answer. Throws
 * `UserError` when it fails, unless `mayFail` knows what its document says.
 */
async function runStep(
  { out, signal }: CommandContext,
  args: readonly string[],
  mayFail: (document: string) => boolean = () => false,
): Promise<string> {
  const bin = fileURLToPath(new URL('../../../../bin/crypto-trader.js', import.meta.url));
  out.print(`$ crypto-trader ${args.join(' ')}`);
  const captured = args.includes('--json');
  const child = spawn(process.execPath, [bin, ...args], {
    stdio: ['ignore', captured ? 'pipe' : out.json ? 2 : 'inherit', 'inherit'],
  });
  let text = '';
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (code !== 0 && !(code === 1 && mayFail(text))) {
    throw new UserError(`The step "${args[0]}" stopped with exit code ${code}.`, {
      hint: 'Its own message is above. Run the demo again when it is solved: what is done already is kept.',
    });
  }
  out.print();
  return text;
}
