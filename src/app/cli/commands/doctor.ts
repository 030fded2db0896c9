import { availableParallelism, totalmem } from 'node:os';
import { statfs } from 'node:fs/promises';
import type { Command } from 'commander';
import { CheckFailed, UserError } from '../../../core/foundation/errors.ts';
import { type Oddity, oddityLines } from '../../../core/market/plausible.ts';
import type { DatasetManifest } from '../../../data/store/store.ts';
import { command, type CommandContext } from '../command.ts';
import { prose } from '../table.ts';

/** `ok`, `note` (worth knowing, nothing to do) or `fail` (something will not work). */
interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'note' | 'fail';
  readonly found: string;
  readonly advice?: string;
}

const SMALLEST_NODE = [20, 19] as const;
const LEAST_FREE_BYTES = 1e9;
/** Bars are asked for by the exchange's clock; a larger difference confuses signed requests and schedules. */
const TOLERATED_SKEW_MS = 5_000;

export function register(program: Command): void {
  program
    .command('doctor')
    .option('--offline', 'leave out the checks that need the network')
    .addHelpText('after', '\nExamples:\n  $ crypto-trader doctor\n  $ crypto-trader doctor --offline --json')
    .action(command(async (context, options) => doctor(context, options['offline'] === true)));
}

async function doctor(context: CommandContext, offline: boolean): Promise<void> {
  const findings: Finding[] = [
    node(),
    machine(),
    await disk(context),
    settings(context),
    keys(),
    await native('parquet (nodejs-polars)', loadParquet),
    await native('ONNX Runtime', loadOnnxRuntime),
    ...(await store(context)),
    ...(await ledgers(context)),
    await inputs(context),
    ...(offline ? [] : [await exchange(context)]),
  ];
  const { out } = context;
  const failed = findings.filter(({ status }) => status === 'fail');
  out.document({ healthy: failed.length === 0, checks: findings });
  out.table(
    ['check', 'state', prose('found')],
    findings.map(({ check, status, found }) => [check, status, found]),
  );
  for (const { check, advice } of findings) if (advice !== undefined) out.print(`\n${check}: ${advice}`);
  if (failed.length > 0)
    throw new CheckFailed(`Needs attention: ${failed.map(({ check }) => check).join(', ')}.`);
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

async function disk({ config }: CommandContext): Promise<Finding> {
  const { bavail, bsize } = await statfs(config.dataDir).catch(() => statfs('.'));
  const free = bavail * bsize;
  const enough = free >= LEAST_FREE_BYTES;
  return {
    check: 'disk',
    status: enough ? 'ok' : 'fail',
    found: `${(free / 1e9).toFixed(1)} GB free for ${config.dataDir}/`,
    ...(enough ? {} : { advice: 'Free some space, or point dataDir at another disk.' }),
  };
}

function settings({ settings, config }: CommandContext): Finding {
  const own = settings.filter(({ origin }) => origin !== 'default').length;
  return {
    check: 'settings',
    status: 'ok',
    found: `valid, ${own} set by you; ${config.exchange.mode} trading on ${config.exchange.id}`,
  };
}

/** Names only: a key's value is never printed. */
function keys(): Finding {
  const names = Object.keys(process.env).filter((name) =>
    /^EXCHANGE_API_(KEY|SECRET|PASSPHRASE)$/.test(name),
  );
  return {
    check: 'exchange keys',
    status: 'ok',
    found: names.length === 0 ? 'none; not needed for candles and paper trading' : `set: ${names.join(', ')}`,
  };
}

async function loadParquet(): Promise<string> {
  await import('../../../data/store/parquet.ts');
  return 'loads';
}

async function loadOnnxRuntime(): Promise<string> {
  const { executionProviders } = await import('../../../learning/engine/devices.ts');
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

async function store({ config }: CommandContext): Promise<readonly Finding[]> {
  const { openStore } = await import('../../../data/store/store.ts');
  const { datasetOddities } = await import('../../../data/plausibility.ts');
  const candles = openStore(config.dataDir);
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
            'Run `crypto-trader fetch --repair`: it sets damaged files aside and fetches their months again.',
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
async function ledgers({ config, signal }: CommandContext): Promise<readonly Finding[]> {
  const { checkLedgers } = await import('../../../desk/paper/sessions.ts');
  return (await checkLedgers(config.dataDir, signal)).map(({ name, bars, fault }) => {
    const check = `paper session ${name}`;
    if (fault !== undefined) return { check, status: 'fail', found: fault.message, advice: fault.hint };
    return { check, status: 'ok', found: `${bars} bars, every hash fits` };
  });
}

/** Groups of features without their inputs are worth knowing, and nothing that stops anything. */
async function inputs({ config }: CommandContext): Promise<Finding> {
  const check = 'feature inputs';
  const { openStore } = await import('../../../data/store/store.ts');
  const { absentInputs, fetchText } = await import('../../../data/panel/load-inputs.ts');
  const { catalogue } = await import('../../../core/features/catalogue.ts');
  const { series } = openStore(config.dataDir);
  const { market, exchange, features: sources } = config;
  try {
    const faults = (await Promise.all((await series.list()).map((one) => series.verify(one)))).flat();
    if (faults.length > 0) {
      const advice = 'Move the folder of that series away and get it again.';
      return { check, status: 'fail', found: faults.join(' '), advice };
    }
    const absent = await absentInputs(openStore(config.dataDir), {
      exchange: exchange.id,
      symbol: market.symbols[0],
      timeframe: market.timeframe,
      sources,
      catalogue,
    });
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

async function exchange({ config, log, signal }: CommandContext): Promise<Finding> {
  const check = `exchange ${config.exchange.id}`;
  const { openExchange } = await import('../../../data/exchange/client.ts');
  try {
    const { id, baseUrl } = config.exchange;
    const client = await openExchange({ id, baseUrl, timeoutMs: config.fetch.timeoutMs, retries: 0, log });
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
