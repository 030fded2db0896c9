import type { Command } from 'commander';
import { z } from 'zod';
import { endText } from '../../../core/market/history-end.ts';
import { duration } from '../../../core/foundation/duration.ts';
import { formatMinute, formatTime, parseTime, parseUntil } from '../../../core/foundation/time.ts';
import { SERIES_NAMES } from '../../../core/market/series-kinds.ts';
import type { PairSymbol } from '../../../core/market/symbol.ts';
import { parseTimeframe } from '../../../core/market/timeframe.ts';
import { doubtLines } from '../../../data/plausibility.ts';
import { openStore } from '../../../data/store/store.ts';
import { leanHeap } from '../../../data/lean-heap.ts';
import { estimateFetch, type FetchEstimate } from '../../workflows/fetch-estimate.ts';
import { type CandlesWanted, fetchCandles, type FetchedCandles } from '../../workflows/fetch.ts';
import { command, type CommandContext, integer, oneOf, symbolsOf, refuseIgnored } from '../command.ts';
import { counted, describeDataset, doubtDocument, gapText } from '../dataset-document.ts';
import { UsageError } from '../exit.ts';
import { ownSource } from '../project-plugins.ts';
import { less } from '../table.ts';

const SOURCES = ['auto', 'exchange', 'yahoo', 'csv', 'synthetic'] as const;
type Source = (typeof SOURCES)[number];

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
  dryRun: z.boolean().default(false),
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
    .option('--series <list>', `not candles but ${SERIES_NAMES.join(', ')}; all: everything with a history`)
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
    .option('--dry-run', 'say how many bars, requests, seconds and bytes it would be, and fetch nothing')
    .addHelpText(
      'after',
      `
Examples:
  $ crypto-trader fetch --symbols BTC/USDT,ETH/USDT --since 2024-02-15
  $ crypto-trader fetch --timeframe 1m --since 2024-02-15 --dry-run   bars, requests and time of it
  $ crypto-trader fetch --exchange kraken --symbols BTC/USD --timeframe 1d --since 2025-01-01
  $ crypto-trader fetch --csv candles.csv.gz --exchange binance --symbols BTC/USDT --timeframe 1h
  $ crypto-trader fetch --source synthetic --seed 7 --since 2024-01-01 --until 2024-12-31
  $ crypto-trader fetch --series funding --csv funding/ --exchange binanceusdm
  $ crypto-trader fetch --series funding,open-interest --symbols BTC/USDT --since 2025-01-01
  $ crypto-trader fetch --series order-book --symbols BTC/USDT --every 60
  $ crypto-trader fetch --series spx,dxy,gold,vix --csv macro/
  $ crypto-trader fetch --series all                 every day from cron keeps them fresh

Without --exchange, CSV candles are stored under the name "csv"; without dates, the whole file is.`,
    )
    .action(
      command(async (context, options) => {
        const { series, ...parsed } = Options.parse(options);
        if (series === undefined) return runFetch(context, parsed);
        refuseIgnored(context, ONLY_CANDLES, 'with --series');
        const { fetchSeries } = await import('../series.ts');
        return fetchSeries(context, { ...parsed, series });
      }),
    );
}

async function runFetch(context: CommandContext, options: Options): Promise<void> {
  const { out } = context;
  const wanted = await readRequest(context, options);
  if (options.dryRun) return printEstimate(context, wanted, await estimateFetch(wanted));
  leanHeap();
  const progress = out.progress();
  const tasks = new Map<PairSymbol, ReturnType<typeof progress.task>>();
  let fetched: FetchedCandles;
  try {
    fetched = await fetchCandles(wanted, (event) => {
      if (event.kind === 'set-aside') return out.print(`Set aside: ${event.fault}`);
      const { symbol, done, total } = event;
      const task = tasks.get(symbol) ?? progress.task(`${symbol} ${wanted.timeframe}`, total);
      tasks.set(symbol, task);
      task.update(done);
    });
  } finally {
    progress.stop();
  }
  printFetched(context, fetched);
}

function printEstimate(
  { out }: CommandContext,
  { exchange, timeframe }: CandlesWanted,
  { symbols, pace, leastSeconds, bytes }: FetchEstimate,
): void {
  const bars = symbols.reduce((sum, one) => sum + one.bars, 0);
  const requests = pace && symbols.reduce((sum, one) => sum + (one.requests ?? 0), 0);
  out.document({
    exchange,
    timeframe,
    symbols: symbols.map(({ range, ...one }) => ({
      ...one,
      from: range && formatTime(range.fromMs),
      until: range && formatTime(range.untilMs),
    })),
    bars,
    requests,
    leastSeconds,
    bytes,
  });
  out.table(
    ['symbol', 'bars to fetch', 'from', 'until', 'requests'],
    symbols.map(({ symbol, bars: own, range, requests: asked }) => [
      symbol,
      String(own),
      range === undefined ? '-' : formatMinute(range.fromMs),
      range === undefined ? '-' : formatMinute(range.untilMs),
      asked === undefined ? '?' : String(asked),
    ]),
  );
  if (bars === 0) return out.print('\nResult: everything is stored already.');
  const asking =
    pace === undefined
      ? ''
      : ` in ${counted(requests ?? 0, 'request')} of ${pace.barsPerRequest} bars to ${pace.name}, at least ${duration(leastSeconds ?? 0)} at its rate limit`;
  out.print(
    `\nResult: ${counted(bars, `bar`)} of ${timeframe}${asking}; about ${Math.max(0.1, bytes / 1e6).toFixed(1)} MB on disk. Nothing was fetched.`,
  );
  if (pace?.newestOnly === true)
    out.print(
      `${pace.name} gives its newest ${pace.barsPerRequest} bars and none before them: the rest cannot be had there.`,
    );
  out.print('Next: the same without --dry-run.');
}

const ONLY_CANDLES = [
  '--dry-run',
  '--source',
  '--timeframe',
  '--concurrency',
  '--recheck-gaps',
  '--skip-bad-bars',
  '--repair',
];
/** What would be ignored, by source. */
const IGNORED: Readonly<Record<Source, readonly string[]>> = {
  auto: [],
  exchange: [],
  yahoo: ['--base-url'],
  csv: ['--base-url', '--concurrency', '--dry-run', '--recheck-gaps', '--skip-bad-bars'],
  synthetic: ['--base-url', '--recheck-gaps', '--skip-bad-bars'],
};

/** Throws `UsageError` for options that do not belong together. */
async function readRequest(context: CommandContext, options: Options): Promise<CandlesWanted> {
  const { config, signal, log } = context;
  const own = await ownSource(context, options.source, SOURCES);
  const asked = options.source ?? (options.csv === undefined ? config.fetch.source : 'csv');
  // One of the user's own is read like an exchange of that name.
  const source = own === undefined ? oneOf('--source', asked, SOURCES) : 'exchange';
  const { csv } = options;
  if ((source === 'csv') !== (csv !== undefined)) {
    throw new UsageError('--source csv and --csv <path> belong together.');
  }
  if (options.acceptImplausible && csv === undefined)
    throw new UsageError('--accept-implausible is about files: it needs --csv <path>.');
  refuseIgnored(context, ['--every', '--count'], 'without --series order-book');
  refuseIgnored(context, IGNORED[source], `with --source ${source}`);
  const exchange = options.exchange ?? own?.id ?? (csv === undefined ? config.exchange.id : 'csv');
  if (!/^[a-z0-9]+$/.test(exchange)) throw new UsageError(`--exchange cannot be "${exchange}".`);
  const sinceMs = options.since === undefined ? undefined : parseTime(options.since);
  const untilMs = options.until === undefined ? undefined : parseUntil(options.until);
  const accepted = config.market.acceptImplausible;
  return {
    store: openStore(config.dataDir),
    exchange,
    symbols: symbolsOf(options.symbols, config.market.symbols),
    timeframe: options.timeframe === undefined ? config.market.timeframe : parseTimeframe(options.timeframe),
    sinceMs: sinceMs ?? (csv === undefined ? config.market.since : -Infinity),
    untilMs: untilMs ?? (csv === undefined ? (config.market.until ?? Date.now()) : Infinity),
    from:
      source === 'csv'
        ? {
            kind: 'csv',
            path: csv ?? '',
            accepts: (symbol) => options.acceptImplausible || accepted.includes(symbol),
          }
        : own === undefined
          ? knownSource(context, options, { source, exchange })
          : { kind: 'own', source: own },
    repair: options.repair,
    askGapsAgain: options.recheckGaps,
    skipBadBars: options.skipBadBars,
    signal,
    log,
  };
}

function knownSource(
  { config, seed }: CommandContext,
  options: Options,
  { source, exchange }: { readonly source: Exclude<Source, 'csv'>; readonly exchange: string },
): CandlesWanted['from'] {
  return {
    kind: 'known',
    // Candles that are made up or Yahoo's keep coming from there.
    source: source === 'auto' && (exchange === 'synthetic' || exchange === 'yahoo') ? exchange : source,
    baseUrl: options.baseUrl ?? config.exchange.baseUrl,
    yahooUrl: config.fetch.yahooUrl,
    seed,
    concurrency:
      options.concurrency === undefined
        ? config.fetch.concurrency
        : integer('--concurrency', options.concurrency, { least: 1 }),
    timeoutMs: config.fetch.timeoutMs,
    retries: config.fetch.retries,
  };
}

/** Bars that were left out, shown per symbol. */
const SHOWN = 5;

function printFetched(
  { out }: CommandContext,
  { source, passedOver, datasets, failed, doubts }: FetchedCandles,
): void {
  out.document({
    source,
    passedOver,
    implausible: doubts.flatMap(doubtDocument),
    datasets: datasets.map(({ manifest, ended, addedRows, skippedBars, quarantined }) => ({
      ...describeDataset(manifest),
      barsBehind: ended?.barsBehind ?? 0,
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
    datasets.map(({ manifest, ended, addedRows }) => [
      manifest.exchange,
      manifest.symbol,
      manifest.timeframe,
      String(manifest.rows),
      String(addedRows),
      formatMinute(manifest.firstTimeMs),
      formatMinute(manifest.lastTimeMs),
      gapText(manifest, ended),
      manifest.sha256.slice(0, 12),
    ]),
  );
  for (const line of doubtLines(doubts)) out.print(`WARNING: ${line}.`);
  for (const { ended } of datasets) if (ended !== undefined) out.print(`${endText(ended)}.`);
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
function fetchConclusion({ datasets, failed }: Pick<FetchedCandles, 'datasets' | 'failed'>): string {
  const added = datasets.reduce((sum, { addedRows }) => sum + addedRows, 0);
  const synthetic = datasets.find(({ manifest }) => manifest.synthetic)?.manifest.exchange;
  const made = synthetic === undefined ? '' : ` --exchange ${synthetic} --allow-synthetic`;
  const result = `Result: ${added === 0 ? 'nothing new' : counted(added, 'new bar')} in ${counted(datasets.length, 'dataset')}`;
  return failed.length > 0
    ? `${result}; ${counted(failed.length, 'pair')} failed. Next: the same command again asks only for what is missing.`
    : `${result}.\nNext: crypto-trader train --mode quick${made}`;
}
