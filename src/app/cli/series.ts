import { duration } from '../../core/foundation/duration.ts';
import { formatMinute, formatTime, parseTime, parseUntil } from '../../core/foundation/time.ts';
import type { SeriesImport } from '../../data/csv/series.ts';
import { describeSeries } from '../../data/store/series-manifest.ts';
import type { SeriesChange, SeriesKey, SeriesManifest, SeriesStore } from '../../data/store/series-store.ts';
import { openStore } from '../../data/store/store.ts';
import {
  downloadedSeries,
  importSeriesFiles,
  recordBooks,
  type SeriesExchanges,
  type SeriesFailure,
  type SeriesHosts,
  updateAllSeries,
} from '../workflows/fetch-series.ts';
import { seriesSubject } from '../../core/features/inputs.ts';
import { SERIES_NAMES, seriesKind } from '../../core/market/series-kinds.ts';
import { type CommandContext, decimal, integer, list, oneOf, symbolsOf, refuseIgnored } from './command.ts';
import { UsageError } from './exit.ts';
import { less } from './table.ts';

/**
 * Days between the first row and the last that have none, for a series that has a row every day; `undefined` for indices,
 * whose markets close, and for rows that come at times of their own.
 */
function missingRows({ name, rows, firstTimeMs, lastTimeMs }: SeriesManifest): number | undefined {
  const { periodMs, everyDay } = seriesKind(name);
  return everyDay === true ? (lastTimeMs - firstTimeMs) / periodMs + 1 - rows : undefined;
}

/** A series as the JSON documents of `fetch` and `data` show it. */
export const seriesDocument = (manifest: SeriesManifest) => ({
  series: describeSeries(manifest),
  source: manifest.source,
  rows: manifest.rows,
  firstTime: formatTime(manifest.firstTimeMs),
  lastTime: formatTime(manifest.lastTimeMs),
  lastKnown: formatTime(manifest.lastKnownMs),
  ageHours: Math.max(0, Math.round((Date.now() - manifest.lastKnownMs) / 36_000) / 100),
  missingRows: missingRows(manifest),
  sha256: manifest.sha256,
});

export const SERIES_HEAD = [
  'series',
  less('source', 1),
  less('rows', 2),
  less('first', 4),
  'last',
  less('last known', 3),
  less('age', 2),
  less('missing', 2),
  less('sha256', 5),
];

export const seriesRow = (manifest: SeriesManifest): string[] => [
  describeSeries(manifest),
  manifest.source,
  String(manifest.rows),
  formatMinute(manifest.firstTimeMs),
  formatMinute(manifest.lastTimeMs),
  formatMinute(manifest.lastKnownMs),
  duration(Math.max(0, (Date.now() - manifest.lastKnownMs) / 1000)),
  missingRows(manifest)?.toString() ?? '-',
  manifest.sha256.slice(0, 12),
];

export interface SeriesOptions {
  readonly series: string;
  readonly csv?: string | undefined;
  readonly exchange?: string | undefined;
  readonly symbols?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly baseUrl?: string | undefined;
  readonly every?: string | undefined;
  readonly count?: string | undefined;
}

/** `fetch --series`: what is known beside candles, into the store. */
export async function fetchSeries(context: CommandContext, options: SeriesOptions): Promise<void> {
  const { config, signal } = context;
  const keys = seriesKeys(context, options);
  const store = openStore(config.dataDir).series;
  const books = keys.every(({ name }) => name === 'order-book');
  if (options.csv !== undefined) {
    refuseIgnored(context, ['--since', '--until', '--base-url', '--every', '--count'], 'with --csv');
    report(context, await importSeriesFiles(store, keys, { csv: options.csv, signal }));
  } else if (books) {
    refuseIgnored(context, ['--since', '--until'], 'with --series order-book');
    await record(context, store, { keys, options });
  } else {
    refuseIgnored(context, ['--every', '--count'], 'without --series order-book');
    if (keys.some(({ name }) => name === 'order-book'))
      throw new UsageError('order-book is recorded as time passes: ask for it alone.');
    if (keys.some(({ name }) => name === 'news'))
      throw new UsageError('news is made of texts: crypto-trader text fetch, then text score --stored.');
    const { changes, failures } = await download(context, store, { keys, options });
    report(context, changes, failures);
    if (options.series.trim() === 'all')
      for (const { series, why } of downloadedSeries(hostsOf(config), process.env).absent)
        context.out.print(`Without ${series}: ${why}.`);
  }
}

/** Every series asked for, of every symbol where it belongs to a market. */
function seriesKeys({ config }: CommandContext, options: SeriesOptions): readonly SeriesKey[] {
  const asked = list(options.series);
  const names =
    asked.length === 1 && asked[0] === 'all'
      ? downloadedSeries(hostsOf(config), process.env).names
      : asked.map((name) => oneOf('--series', name, SERIES_NAMES));
  if (names.length === 0) throw new UsageError('--series names no series.');
  const symbols = symbolsOf(options.symbols, config.market.symbols);
  const [asset] = config.features.benchmark.split('/');
  const keys = names.flatMap((name) => {
    const exchange =
      options.exchange ?? (name === 'order-book' ? config.exchange.id : config.features.derivatives);
    return symbols.map((symbol) => ({
      name,
      subject: seriesSubject(name, { exchange, symbol, asset, scorer: config.features.textScorer }),
    }));
  });
  return [...new Map(keys.map((key) => [describeSeries(key), key])).values()];
}

const hostsOf = ({ series, fetch }: CommandContext['config']): SeriesHosts => ({
  ...series,
  yahooUrl: fetch.yahooUrl ?? 'https://query1.finance.yahoo.com',
});

interface Wanted {
  readonly keys: readonly SeriesKey[];
  readonly options: SeriesOptions;
}

const exchangesOf = ({ config, log, signal }: CommandContext, options: SeriesOptions): SeriesExchanges => ({
  baseUrl: (id) => options.baseUrl ?? (id === config.exchange.id ? config.exchange.baseUrl : undefined),
  timeoutMs: config.fetch.timeoutMs,
  retries: config.fetch.retries,
  log,
  signal,
});

async function download(
  context: CommandContext,
  store: SeriesStore,
  { keys, options }: Wanted,
): ReturnType<typeof updateAllSeries> {
  const { market } = context.config;
  const progress = context.out.progress();
  const task = progress.task('series', keys.length);
  try {
    return await updateAllSeries(store, keys, {
      ...exchangesOf(context, options),
      hosts: hostsOf(context.config),
      environment: process.env,
      sinceMs: options.since === undefined ? market.since : parseTime(options.since),
      untilMs: options.until === undefined ? (market.until ?? Infinity) : parseUntil(options.until),
      onSeries: (done, key) => task.update(done, describeSeries(key)),
    });
  } finally {
    progress.stop();
  }
}

const SNAPSHOT_SECONDS = 60;

async function record(context: CommandContext, store: SeriesStore, { keys, options }: Wanted): Promise<void> {
  const { out, log } = context;
  const everySeconds =
    options.every === undefined ? undefined : decimal('--every', options.every, { least: 1, most: 86_400 });
  const count = options.count === undefined ? undefined : integer('--count', options.count, { least: 1 });
  const manifests = await recordBooks(store, keys, {
    ...exchangesOf(context, options),
    everyMs: 1000 * (everySeconds ?? SNAPSHOT_SECONDS),
    count: count ?? (everySeconds === undefined ? 1 : Infinity),
    onSnapshot: (manifest) =>
      out.print(
        `${describeSeries(manifest)}: ${manifest.rows} rows, newest ${formatTime(manifest.lastTimeMs)}`,
      ),
    onMissed: (key, reason) => {
      log.warn({ key }, reason);
      out.print(`${describeSeries(key)}: no snapshot: ${reason}`);
    },
  });
  out.document({ series: manifests.map(seriesDocument) });
}

function report(
  { out }: CommandContext,
  changes: readonly (SeriesChange | SeriesImport)[],
  failures: readonly SeriesFailure[] = [],
): void {
  out.document({
    series: changes.map(({ manifest, ...counts }) => ({ ...seriesDocument(manifest), ...counts })),
    failed: failures.map(({ key, error }) => ({ series: describeSeries(key), reason: error.message })),
  });
  out.table(
    [...SERIES_HEAD, 'new'],
    changes.map(({ manifest, addedRows }) => [...seriesRow(manifest), String(addedRows)]),
  );
  for (const change of changes) {
    const name = describeSeries(change.manifest);
    if ('emptyRows' in change && change.emptyRows > 0)
      out.print(`${name}: ${change.emptyRows} rows of the file have no value and were left out.`);
    if ('unfinishedRows' in change && change.unfinishedRows > 0)
      out.print(`${name}: ${change.unfinishedRows} rows of the file are not known yet and were left out.`);
    if ('lacking' in change && change.lacking !== undefined)
      out.print(
        `Without ${change.lacking.join(', ')} in ${name}: ${change.manifest.source} has none. A source of your own (series.custom) or a file (--csv) can give them.`,
      );
    if (change.revisedRows > 0)
      out.print(
        `${name}: ${change.revisedRows} rows were revised by the source; what was known first stays.`,
      );
  }
  for (const { key, error } of failures)
    out.notice(`${describeSeries(key)} failed: ${error.message}\n${error.hint}`);
  if (failures.length > 0) process.exitCode = 1;
}
