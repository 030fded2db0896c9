import { existsSync, readdirSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../core/foundation/errors.ts';
import type { Log } from '../../core/foundation/log.ts';
import type { InputSources } from '../../core/features/inputs.ts';
import { type Oddity, oddityLines } from '../../core/market/plausible.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import type { Credentials } from '../../data/exchange/ccxt.ts';
import type { DatasetManifest } from '../../data/store/store.ts';
import { freeBytes } from './disk-need.ts';

/** `ok`, `note` (worth knowing, nothing to do) or `fail` (something will not work). */
export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'note' | 'fail';
  readonly found: string;
  readonly advice?: string;
  /** Mends it as far as that can be done here; what was done, a line each. */
  readonly repair?: () => Promise<readonly string[]>;
}

/** An installation and the project it works on. */
export interface Surroundings {
  readonly dataDir: string;
  readonly market: {
    readonly exchange: string;
    readonly symbol: PairSymbol;
    readonly timeframe: Timeframe;
    readonly sources: InputSources;
  };
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** How the exchange is asked; `undefined`: it is not. */
  readonly exchange:
    { readonly id: string; readonly baseUrl?: string | undefined; readonly timeoutMs: number } | undefined;
  /** Where messages go: their kinds. Throws `UserError` where their settings do not fit. */
  readonly channels: () => readonly string[];
  readonly logDir: string;
  /** What live trading needs of the account; `undefined`: nothing is traded live. */
  readonly live?: LivePlan | undefined;
  readonly log: Log;
  readonly signal: AbortSignal;
}

interface LivePlan {
  readonly credentials: Credentials | undefined;
  readonly sandbox: boolean;
  readonly quote: string;
  readonly initialBalance: number;
}

const SMALLEST_NODE = [20, 19] as const;
const LEAST_FREE_BYTES = 1e9;
/** Bars are asked for by the exchange's clock; a larger difference confuses signed requests and schedules. */
const TOLERATED_SKEW_MS = 5_000;

/** Looks at everything that has to work; throws for nothing that it can say instead. */
export async function examine(of: Surroundings): Promise<readonly Finding[]> {
  return [
    node(),
    machine(),
    await disk(of),
    keys(of),
    await native('parquet (nodejs-polars)', loadParquet),
    await native('ONNX Runtime', loadOnnxRuntime),
    ...(await store(of)),
    ...(await ledgers(of)),
    ...(await sessions(of)),
    await services(of),
    notifications(of),
    logs(of),
    ...(await liveLedgers(of)),
    await inputs(of),
    ...(of.exchange === undefined ? [] : [await exchange(of, of.exchange)]),
    ...(of.exchange === undefined || of.live === undefined ? [] : [await liveKey(of, of.exchange, of.live)]),
  ];
}

function node(): Finding {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const fits = major > SMALLEST_NODE[0] || (major === SMALLEST_NODE[0] && minor >= SMALLEST_NODE[1]);
  return {
    check: 'Node.js',
    status: fits ? 'ok' : 'fail',
    found: `${process.version} on ${process.platform} ${process.arch}`,
    ...(fits ? {} : { advice: `Install Node.js ${SMALLEST_NODE.join('.')} or newer.` }),
  };
}

const machine = (): Finding => ({
  check: 'machine',
  status: 'ok',
  found: `${availableParallelism()} cores, ${(totalmem() / 2 ** 30).toFixed(1)} GiB memory`,
});

async function disk({ dataDir }: Surroundings): Promise<Finding> {
  const free = await freeBytes(dataDir);
  const enough = free >= LEAST_FREE_BYTES;
  return {
    check: 'disk',
    status: enough ? 'ok' : 'fail',
    found: `${(free / 1e9).toFixed(1)} GB free for ${dataDir}/`,
    ...(enough ? {} : { advice: 'Free some space, or point dataDir at another disk.' }),
  };
}

/** Names only: a key's value is never printed. */
function keys({ environment }: Surroundings): Finding {
  const names = Object.keys(environment).filter((name) =>
    /^EXCHANGE_API_(KEY|SECRET|PASSPHRASE)$/.test(name),
  );
  return {
    check: 'exchange keys',
    status: 'ok',
    found: names.length === 0 ? 'none; not needed for candles and paper trading' : `set: ${names.join(', ')}`,
  };
}

async function loadParquet(): Promise<string> {
  await import('../../data/store/parquet.ts');
  return 'loads';
}

async function loadOnnxRuntime(): Promise<string> {
  const { executionProviders } = await import('../../learning/engine/devices.ts');
  return `loads, runs on ${executionProviders('auto').join(', ')}`;
}

async function native(check: string, load: () => Promise<string>): Promise<Finding> {
  try {
    return { check, status: 'ok', found: await load() };
  } catch (error) {
    const found = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return {
      check,
      status: 'fail',
      found,
      advice: 'Run `npm ci` again in the program folder; its native package did not load.',
    };
  }
}

async function store({ dataDir }: Surroundings): Promise<readonly Finding[]> {
  const { openStore } = await import('../../data/store/store.ts');
  const { datasetOddities } = await import('../../data/plausibility.ts');
  const candles = openStore(dataDir);
  try {
    const datasets = await candles.list();
    if (datasets.length === 0) {
      return [
        { check: 'candles', status: 'note', found: 'none stored yet', advice: 'Run `crypto-trader fetch`.' },
      ];
    }
    return await Promise.all(
      datasets.map(async (dataset): Promise<Finding> => {
        const check = `candles ${dataset.exchange} ${dataset.symbol} ${dataset.timeframe}`;
        const faults = await candles.verify(dataset);
        if (faults.length === 0) return plausibility(check, dataset, await datasetOddities(candles, dataset));
        return {
          check,
          status: 'fail',
          found: faults.join(' '),
          advice:
            'Run `crypto-trader fetch --repair`: it sets damaged files aside and fetches their months again. `crypto-trader doctor --fix` only sets them aside.',
          repair: () => candles.repair(dataset),
        };
      }),
    );
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [{ check: 'candles', status: 'fail', found: error.message, advice: error.hint }];
  }
}

/** Files that are intact may still hold bars that no market has made. */
function plausibility(check: string, dataset: DatasetManifest, oddities: readonly Oddity[]): Finding {
  const found = `${dataset.rows} bars, files intact`;
  if (oddities.length === 0) return { check, status: 'ok', found };
  return {
    check,
    status: 'note',
    found: `${found}, ${oddities.length} hard to believe`,
    advice: `Look at them; training refuses those that are surely wrong (market.acceptImplausible accepts a pair):\n${oddityLines(
      oddities,
    )
      .map((line) => `  ${line}`)
      .join('\n')}`,
  };
}

/** Every hash of every paper session. */
async function ledgers({ dataDir, signal }: Surroundings): Promise<readonly Finding[]> {
  const { checkLedgers } = await import('../../desk/paper/sessions.ts');
  return (await checkLedgers(dataDir, signal)).map(({ name, bars, fault }) => {
    const check = `paper session ${name}`;
    if (fault !== undefined) return { check, status: 'fail', found: fault.message, advice: fault.hint };
    return { check, status: 'ok', found: `${bars} bars, every hash fits` };
  });
}

/** Whether sessions that a process runs see their bars, by their own signs of life. */
async function sessions({ dataDir }: Surroundings): Promise<readonly Finding[]> {
  const { sessionHealth } = await import('./session-health.ts');
  try {
    return (await sessionHealth(dataDir, Date.now())).map(({ name, kind, pid, fault }): Finding => {
      const check = `${kind} session ${name}, running`;
      if (pid === undefined)
        return {
          check,
          status: 'note',
          found: fault ?? 'no process runs it',
          advice: `Resume it, or let the system do so: crypto-trader service install -- ${kind === 'paper' ? `paper --name ${name}` : 'live start'}`,
        };
      if (fault === undefined) return { check, status: 'ok', found: `process ${pid} sees its bars` };
      const advice = `Look at what process ${pid} says, in its terminal or the log; stopped and started again it resumes.`;
      return { check, status: 'fail', found: fault, advice };
    });
  } catch (error) {
    // What is damaged is said where its hashes are checked.
    if (error instanceof UserError) return [];
    throw error;
  }
}

/** Units that start a command of this program in this folder. */
async function services({ environment }: Surroundings): Promise<Finding> {
  const home = environment['HOME'] ?? '';
  const folders = ['/etc/systemd/system', `${home}/.config/systemd/user`, `${home}/Library/LaunchAgents`];
  const here = process.cwd();
  const found: string[] = [];
  for (const folder of folders)
    for (const name of await readdir(folder).catch(() => [])) {
      if (!/\.(service|plist)$/.test(name)) continue;
      const text = await readFile(join(folder, name), 'utf8').catch(() => '');
      if (text.includes('crypto-trader') && text.split(/[\s<>="]+/).includes(here)) found.push(name);
    }
  return {
    check: 'service',
    status: 'ok',
    found:
      found.length === 0
        ? 'none installed for this folder; `crypto-trader service install -- paper` prints one'
        : `installed: ${found.join(', ')}`,
  };
}

function notifications({ channels }: Surroundings): Finding {
  const check = 'notifications';
  try {
    const kinds = channels();
    const found = kinds.length === 0 ? 'no channel set' : `over ${kinds.join(', ')}`;
    return { check, status: 'ok', found };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { check, status: 'fail', found: error.message, advice: error.hint };
  }
}

function logs({ logDir }: Surroundings): Finding {
  const check = 'logs';
  try {
    const files = existsSync(logDir)
      ? readdirSync(logDir).filter((name) => /^crypto-trader\..*\.log$/.test(name))
      : [];
    const bytes = files.reduce((sum, name) => sum + statSync(join(logDir, name)).size, 0);
    return {
      check,
      status: 'ok',
      found: `${files.length} files, ${(bytes / 1e6).toFixed(1)} MB in ${logDir}/`,
    };
  } catch (error) {
    return {
      check,
      status: 'fail',
      found: error instanceof Error ? error.message : String(error),
      advice: 'Point logDir at a folder that can be read and written.',
    };
  }
}

/** Every live ledger, taken in again entry by entry. */
async function liveLedgers({ dataDir }: Surroundings): Promise<readonly Finding[]> {
  const { readLive } = await import('../../desk/live/ledger.ts');
  const { liveFolder } = await import('./live.ts');
  const { liveSessions } = await import('./live-standing.ts');
  return Promise.all(
    liveSessions(dataDir).map(async (name): Promise<Finding> => {
      const check = `live session ${name}`;
      try {
        const { bars, orders } = await readLive(liveFolder(dataDir, name));
        return { check, status: 'ok', found: `${bars} bars, ${orders.size} orders, the ledger replays` };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return { check, status: 'fail', found: error.message, advice: error.hint };
      }
    }),
  );
}

/** Whether the key may do what live trading needs and no more, on an account that holds the plan. */
async function liveKey(
  { signal }: Surroundings,
  { id, baseUrl, timeoutMs }: NonNullable<Surroundings['exchange']>,
  { credentials, sandbox, quote, initialBalance }: LivePlan,
): Promise<Finding> {
  const check = 'live key';
  if (credentials === undefined)
    return {
      check,
      status: 'fail',
      found: 'exchange.mode is live, and no key is set',
      advice: 'Set EXCHANGE_API_KEY and EXCHANGE_API_SECRET, or set exchange.mode to paper.',
    };
  const { openVenue } = await import('../../data/exchange/open-venue.ts');
  const { balancesOf, requireSafeKey } = await import('./live.ts');
  try {
    const venue = await openVenue({ id, baseUrl, sandbox, timeoutMs, credentials });
    const asked = await requireSafeKey(venue, { exchange: id, sandbox }, signal);
    const held = (await balancesOf(venue, id, signal)).get(quote) ?? 0;
    const may = asked === 'checked' ? 'may trade, may not withdraw' : 'of the playground';
    const found = `${may}; the account holds ${held} ${quote}`;
    if (held >= initialBalance) return { check, status: 'ok', found };
    return {
      check,
      status: 'note',
      found: `${found}, less than trading.initialBalance (${initialBalance})`,
      advice: 'A session that starts now is refused; one that runs may have bought.',
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { check, status: 'fail', found: error.message, advice: error.hint };
  }
}

/** Groups of features without their inputs are worth knowing, and nothing that stops anything. */
async function inputs({ dataDir, market }: Surroundings): Promise<Finding> {
  const check = 'feature inputs';
  const { openStore } = await import('../../data/store/store.ts');
  const { absentInputs, fetchText } = await import('../../data/panel/load-inputs.ts');
  const { catalogue } = await import('../../core/features/catalogue.ts');
  const { series } = openStore(dataDir);
  try {
    const faults = (await Promise.all((await series.list()).map((one) => series.verify(one)))).flat();
    if (faults.length > 0) {
      const advice = 'Move the folder of that series away and get it again.';
      return { check, status: 'fail', found: faults.join(' '), advice };
    }
    const absent = await absentInputs(openStore(dataDir), { ...market, catalogue });
    if (absent.length === 0) return { check, status: 'ok', found: 'all stored' };
    return {
      check,
      status: 'note',
      found: `not stored: ${absent.map(({ input }) => input).join(', ')}`,
      advice: `Features that need them are left out. Get what you want to use:\n${absent.map((one) => `  ${fetchText(one)}`).join('\n')}`,
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { check, status: 'fail', found: error.message, advice: error.hint };
  }
}

async function exchange(
  { log, signal }: Surroundings,
  { id, baseUrl, timeoutMs }: NonNullable<Surroundings['exchange']>,
): Promise<Finding> {
  const check = `exchange ${id}`;
  const { openExchange } = await import('../../data/exchange/client.ts');
  try {
    const client = await openExchange({ id, baseUrl, timeoutMs, retries: 0, log });
    const asked = Date.now();
    const theirs = await client.clockMs(signal);
    const answered = Date.now();
    const skewMs = theirs - (asked + answered) / 2;
    const found = `answers in ${answered - asked} ms, clock ${Math.abs(skewMs).toFixed(0)} ms ${skewMs < 0 ? 'behind' : 'ahead of'} ours`;
    if (Math.abs(skewMs) <= TOLERATED_SKEW_MS) return { check, status: 'ok', found };
    return { check, status: 'note', found, advice: 'Synchronise this machine with a time server (NTP).' };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return {
      check,
      status: 'note',
      found: error.message,
      advice: `${error.hint} Stored candles work without it.`,
    };
  }
}
