import type { Command } from 'commander';
import { z } from 'zod';
import { formatMinute, formatTime, parseTime, parseUntil } from '../../../core/foundation/time.ts';
import { type FailedSymbol, fetchDatasets } from '../../../data/fetch.ts';
import { datasetOddities, type Doubt, doubtLines } from '../../../data/plausibility.ts';
import { openStore, type Store } from '../../../data/store/store.ts';
import type { UpdateResult } from '../../../data/update.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import type { PairSymbol } from '../../../core/market/symbol.ts';
import { SERIES_NAMES } from '../../../core/market/series-kinds.ts';
import { type EndedHistory, endText } from '../../../core/market/history-end.ts';
import { parseTimeframe, type Timeframe } from '../../../core/market/timeframe.ts';
import { command, type CommandContext, integer, oneOf, symbolsOf, refuseIgnored } from '../command.ts';
import type { SourcePlugin } from '../../plugins/define.ts';
import { UsageError } from '../exit.ts';
import { fetchOwn, ownSource } from '../own-source.ts';
import { refuseLive } from '../run-options.ts';
import {
  counted,
  describeDataset,
  doubtDocument,
  earlyEnd,
  endBefore,
  gapText,
} from '../dataset-document.ts';
import { less } from '../table.ts';

const SOURCES = ['auto', 'exchange', 'yahoo', 'csv', 'synthetic'] as const;

const Options = z.object({
  exchange: z.string().optional(),
  symbols: z.string().optional(),
  timeframe: z.string().optional(),
  since: z.string().optional(),
  until: z.string().optional(),
  source: z.string().optional(),
  csv: z.string().optional(),
  series: z.string().optional(),
  every: z.string().optional(),
  count: z.string().optional(),
  baseUrl: z.string().optional(),
  concurrency: z.string().optional(),
  recheckGaps: z.boolean().default(false),
  repair: z.boolean().default(false),
  skipBadBars: z.boolean().default(false),
  acceptImplausible: z.boolean().default(false),
});
type Options = Omit<z.infer<typeof Options>, 'series'>;

export function register(program: Command): void {
  program
    .command('fetch')
    .option('--exchange <id>', 'a ccxt exchange: binance, kraken, coinbase, gemini, okx, kucoin, bybit, ...')
    .option('--symbols <list>', 'pairs, separated by commas: BTC/USDT,ETH/USDT')
    .option('--timeframe <length>', 'bar length: 1m, 5m, 15m, 1h, 4h, 1d, ...')
    .option('--since <date>', 'first bar (UTC)')
    .option('--until <date>', 'up to the end of this date, or before this time (UTC); default: now')
    .option('--source <name>', `one of ${SOURCES.join(', ')}; auto: the exchange, else Yahoo`)
    .option('--csv <path>', 'a .csv or .csv.gz file, or a folder of <BASE-QUOTE>/<timeframe>.csv')
    .option('--series <list>', `not candles but ${SERIES_NAMES.join(', ')}`)
    .option('--every <seconds>', 'for --series order-book: keep taking snapshots, one every N seconds')
    .option('--count <number>', 'for --series order-book: stop after N snapshots')
    .option('--base-url <url>', 'another host that speaks the exchange API: a proxy or a test server')
    .option('--concurrency <count>', 'symbols fetched side by side')
    .option('--recheck-gaps', 'ask again for bars that the source did not have the last time')
    .option(
      '--skip-bad-bars',
      'leave bars with impossible prices out for good instead of asking for them again',
    )
    .option('--accept-implausible', 'import candles from a file even if no market does what they say')
    .option('--repair', 'set damaged files aside first and fetch their months again')
    .addHelpText(
      'after',
      `
Examples:
  $ crypto-trader fetch --symbols BTC/USDT,ETH/USDT --since 2024-02-15
  $ crypto-trader fetch --exchange kraken --symbols BTC/USD --timeframe 1d --since 2025-01-01
  $ crypto-trader fetch --csv candles.csv.gz --exchange binance --symbols BTC/USDT --timeframe 1h
  $ crypto-trader fetch --source synthetic --seed 7 --since 2024-01-01 --until 2024-12-31
  $ crypto-trader fetch --series funding --csv funding/ --exchange binanceusdm
  $ crypto-trader fetch --series funding,open-interest --symbols BTC/USDT --since 2025-01-01
  $ crypto-trader fetch --series order-book --symbols BTC/USDT --every 60
  $ crypto-trader fetch --series spx,dxy,gold,vix --csv macro/

Without --exchange, CSV candles are stored under the name "csv"; without dates, the whole file is.`,
    )
    .action(
      command(async (context, options) => {
        const { series, ...parsed } = Options.parse(options);
        refuseLive(context.config);
        if (series === undefined) return runFetch(context, parsed);
        refuseIgnored(context, ONLY_CANDLES, 'with --series');
        const { fetchSeries } = await import('../series.ts');
        return fetchSeries(context, { ...parsed, series });
      }),
    );
}

interface Plan {
  readonly store: Store;
  readonly source: (typeof SOURCES)[number];
  readonly exchange: string;
  readonly symbols: readonly PairSymbol[];
  readonly timeframe: Timeframe;
  readonly sinceMs: number;
  readonly untilMs: number;
}

interface Outcome {
  readonly source: string;
  readonly passedOver: readonly { readonly source: string; readonly reason: string }[];
  readonly datasets: readonly UpdateResult[];
  readonly failed: readonly FailedSymbol[];
}

async function runFetch(context: CommandContext, options: Options): Promise<void> {
  const own = await ownSource(context, options.source, SOURCES);
  // Read like an exchange of that name.
  const named = own && { ...options, source: 'exchange', exchange: options.exchange ?? own.id };
  const plan = readPlan(context, named ?? options);
  if (options.repair) await repair(context, plan);
  const progress = context.out.progress();
  let outcome: Outcome;
  try {
    outcome =
      plan.source === 'csv'
        ? await fetchCsv(plan, options, context.config.market.acceptImplausible)
        : own === undefined
          ? await fetchSource(context, plan, options, progress)
          : await fromOwn(context, plan, own, options, progress);
  } finally {
    progress.stop();
  }
  printOutcome(context, outcome, {
    ended: await ends(plan, outcome),
    doubts: await doubtsOf(plan, outcome),
  });
}

const ONLY_CANDLES = [
  '--source',
  '--timeframe',
  '--concurrency',
  '--recheck-gaps',
  '--skip-bad-bars',
  '--repair',
];
/** What would be ignored, by source. */
const IGNORED: Readonly<Record<(typeof SOURCES)[number], readonly string[]>> = {
  auto: [],
  exchange: [],
  yahoo: ['--base-url'],
  csv: ['--base-url', '--concurrency', '--recheck-gaps', '--skip-bad-bars'],
  synthetic: ['--base-url', '--recheck-gaps', '--skip-bad-bars'],
};

function readPlan(context: CommandContext, options: Options): Plan {
  const { config } = context;
  const asked = options.source ?? (options.csv === undefined ? config.fetch.source : 'csv');
  const source = oneOf('--source', asked, SOURCES);
  if ((source === 'csv') !== (options.csv !== undefined)) {
    throw new UsageError('--source csv and --csv <path> belong together.');
  }
  if (options.acceptImplausible && source !== 'csv')
    throw new UsageError('--accept-implausible is about files: it needs --csv <path>.');
  refuseIgnored(context, ['--every', '--count'], 'without --series order-book');
  refuseIgnored(context, IGNORED[source], `with --source ${source}`);
  const exchange = options.exchange ?? (source === 'csv' ? 'csv' : config.exchange.id);
  if (!/^[a-z0-9]+$/.test(exchange)) throw new UsageError(`--exchange cannot be "${exchange}".`);
  const sinceMs = options.since === undefined ? undefined : parseTime(options.since);
  const untilMs = options.until === undefined ? undefined : parseUntil(options.until);
  const plan = {
    store: openStore(config.dataDir),
    // Candles that are made up or Yahoo's keep coming from there.
    source: source === 'auto' && (exchange === 'synthetic' || exchange === 'yahoo') ? exchange : source,
    exchange,
    symbols: symbolsOf(options.symbols, config.market.symbols),
    timeframe: options.timeframe === undefined ? config.market.timeframe : parseTimeframe(options.timeframe),
    sinceMs: sinceMs ?? (source === 'csv' ? -Infinity : config.market.since),
    untilMs: untilMs ?? (source === 'csv' ? Infinity : (config.market.until ?? Date.now())),
  };
  if (plan.sinceMs >= plan.untilMs) {
    const [from, to] = [formatMinute(plan.sinceMs), formatMinute(plan.untilMs)];
    throw new UserError(
      plan.sinceMs === plan.untilMs
        ? `The range is empty: it begins and ends at ${from}.`
        : `The range ends (${to}) before it begins (${from}).`,
      { hint: 'Exchange --since and --until, or correct market.since and market.until in config.yaml.' },
    );
  }
  return plan;
}

async function repair({ out }: CommandContext, { store, exchange, symbols, timeframe }: Plan): Promise<void> {
  for (const symbol of symbols) {
    for (const fault of await store.repair({ exchange, symbol, timeframe })) {
      out.print(`Set aside: ${fault}`);
    }
  }
}

async function fetchSource(
  context: CommandContext,
  plan: Plan,
  options: Options,
  progress: ReturnType<CommandContext['out']['progress']>,
): Promise<Outcome> {
  const { config, seed, signal, log } = context;
  if (plan.source === 'csv') throw new UsageError('--source csv needs --csv <path>.');
  const tasks = new Map<PairSymbol, ReturnType<typeof progress.task>>();
  return fetchDatasets({
    ...plan,
    source: plan.source,
    exchange: { id: plan.exchange, baseUrl: options.baseUrl ?? config.exchange.baseUrl },
    yahooUrl: config.fetch.yahooUrl,
    seed,
    concurrency:
      options.concurrency === undefined
        ? config.fetch.concurrency
        : integer('--concurrency', options.concurrency, { least: 1 }),
    timeoutMs: config.fetch.timeoutMs,
    retries: config.fetch.retries,
    askGapsAgain: options.recheckGaps,
    skipBadBars: options.skipBadBars,
    signal,
    log,
    onProgress: (symbol, done, total) => {
      const task = tasks.get(symbol) ?? progress.task(`${symbol} ${plan.timeframe}`, total);
      tasks.set(symbol, task);
      task.update(done);
    },
  });
}

async function fromOwn(
  context: CommandContext,
  plan: Plan,
  own: SourcePlugin,
  options: Options,
  progress: ReturnType<CommandContext['out']['progress']>,
): Promise<Outcome> {
  const tasks = new Map<PairSymbol, ReturnType<typeof progress.task>>();
  const datasets = await fetchOwn(context, own, {
    ...plan,
    askGapsAgain: options.recheckGaps,
    skipBadBars: options.skipBadBars,
    onProgress: (symbol, done, total) => {
      const task = tasks.get(symbol) ?? progress.task(`${symbol} ${plan.timeframe}`, total);
      tasks.set(symbol, task);
      task.update(done);
    },
  });
  return { source: own.id, passedOver: [], datasets, failed: [] };
}

async function fetchCsv(
  { store, exchange, symbols, timeframe, ...range }: Plan,
  options: Options,
  accepted: readonly PairSymbol[],
): Promise<Outcome> {
  const { csvPathFor, importCsv } = await import('../../../data/csv/import.ts');
  const datasets: UpdateResult[] = [];
  for (const symbol of symbols) {
    const path = await csvPathFor(options.csv ?? '', { symbol, timeframe, alone: symbols.length === 1 });
    const acceptImplausible = options.acceptImplausible || accepted.includes(symbol);
    datasets.push(
      await importCsv(store, { exchange, symbol, timeframe }, { path, ...range, acceptImplausible }),
    );
  }
  return { source: 'csv', passedOver: [], datasets, failed: [] };
}

/** Bars that were left out, shown per symbol. */
const SHOWN = 5;

/** Histories that end before what was asked for; those of files, before others of their exchange. */
async function ends({ store, untilMs }: Plan, { source, datasets }: Outcome): Promise<readonly End[]> {
  const stored = source === 'csv' ? await store.list() : [];
  return datasets.map(({ manifest }) =>
    source === 'csv' ? earlyEnd(manifest, stored) : endBefore(manifest, untilMs),
  );
}
type End = EndedHistory | undefined;

/** What is hard to believe of the datasets that have new bars. */
async function doubtsOf({ store }: Plan, { datasets }: Outcome): Promise<readonly Doubt[]> {
  const changed = datasets.filter(({ addedRows }) => addedRows > 0);
  return Promise.all(
    changed.map(async ({ manifest: key }) => ({ key, oddities: await datasetOddities(store, key) })),
  );
}

function printOutcome(
  { out }: CommandContext,
  { source, passedOver, datasets, failed }: Outcome,
  { ended, doubts }: { readonly ended: readonly End[]; readonly doubts: readonly Doubt[] },
): void {
  out.document({
    source,
    passedOver,
    implausible: doubts.flatMap(doubtDocument),
    datasets: datasets.map(({ manifest, addedRows, skippedBars, quarantined }, i) => ({
      ...describeDataset(manifest),
      barsBehind: ended[i]?.barsBehind ?? 0,
      source,
      origin: manifest.source,
      addedRows,
      skippedBars,
      quarantined: quarantined.map(({ timeMs, reason }) => ({ time: formatTime(timeMs), reason })),
    })),
    failed: failed.map(({ symbol, error }) => ({ symbol, reason: error.message, hint: error.hint })),
  });
  for (const { source: tried, reason } of passedOver) out.print(`Not from ${tried}: ${reason}`);
  out.print(`Source: ${source}.`);
  out.table(
    [
      less('exchange', 2),
      'symbol',
      'bars',
      less('rows'),
      'new',
      less('first', 3),
      'last',
      'missing',
      less('sha256', 4),
    ],
    datasets.map(({ manifest, addedRows }, i) => [
      manifest.exchange,
      manifest.symbol,
      manifest.timeframe,
      String(manifest.rows),
      String(addedRows),
      formatMinute(manifest.firstTimeMs),
      formatMinute(manifest.lastTimeMs),
      gapText(manifest, ended[i]),
      manifest.sha256.slice(0, 12),
    ]),
  );
  for (const line of doubtLines(doubts)) out.print(`WARNING: ${line}.`);
  for (const one of ended) if (one !== undefined) out.print(`${endText(one)}.`);
  if (datasets.some(({ manifest }) => manifest.synthetic)) {
    out.print('These candles are SYNTHETIC: results on them say nothing about any market.');
  }
  for (const { manifest, quarantined, skippedBars } of datasets) {
    const later = skippedBars > 0 ? 'a gap from now on' : 'asked for again by the next fetch';
    for (const { reason } of quarantined.slice(0, SHOWN))
      out.notice(`${manifest.symbol} ${reason}. Left out; ${later}.`);
    if (quarantined.length > SHOWN)
      out.notice(`${manifest.symbol}: ${quarantined.length - SHOWN} more bars left out likewise.`);
  }
  for (const { symbol, error } of failed) out.notice(`${symbol} failed: ${error.message}\n${error.hint}`);
  out.print(fetchConclusion({ datasets, failed }));
  if (failed.length > 0) process.exitCode = 1;
}

/** What came of it, and what to do next. */
function fetchConclusion({ datasets, failed }: Pick<Outcome, 'datasets' | 'failed'>): string {
  const added = datasets.reduce((sum, { addedRows }) => sum + addedRows, 0);
  const result = `Result: ${added === 0 ? 'nothing new' : counted(added, 'new bar')} in ${counted(datasets.length, 'dataset')}`;
  return failed.length > 0
    ? `${result}; ${counted(failed.length, 'pair')} failed. Next: the same command again asks only for what is missing.`
    : `${result}.\nNext: crypto-trader train --mode quick`;
}
