import { formatMinute, formatTime, parseTime, parseUntil } from '../../core/foundation/time.ts';
import type { SeriesImport } from '../../data/csv/series.ts';
import type { ExchangeClient } from '../../data/exchange/client.ts';
import { describeSeries } from '../../data/store/series-manifest.ts';
import type { SeriesChange, SeriesKey, SeriesManifest } from '../../data/store/series-store.ts';
import { openStore } from '../../data/store/store.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { seriesSubject } from '../../core/features/inputs.ts';
import { SERIES_NAMES, seriesKind } from '../../core/market/series-kinds.ts';
import { type PairSymbol, parseSymbol } from '../../core/market/symbol.ts';
import { type CommandContext, decimal, integer, list, oneOf, symbolsOf, refuseIgnored } from './command.ts';
import { UsageError } from './exit.ts';
import { less } from './table.ts';

/** A series as the JSON documents of `fetch` and `data` show it. */
export const seriesDocument = (manifest: SeriesManifest) => ({
  series: describeSeries(manifest),
  source: manifest.source,
  rows: manifest.rows,
  firstTime: formatTime(manifest.firstTimeMs),
  lastTime: formatTime(manifest.lastTimeMs),
  lastKnown: formatTime(manifest.lastKnownMs),
  sha256: manifest.sha256,
});

export const SERIES_HEAD = [
  'series',
  less('source', 1),
  less('rows', 2),
  less('first', 4),
  'last',
  less('last known', 3),
  less('sha256', 5),
];

export const seriesRow = (manifest: SeriesManifest): string[] => [
  describeSeries(manifest),
  manifest.source,
  String(manifest.rows),
  formatMinute(manifest.firstTimeMs),
  formatMinute(manifest.lastTimeMs),
  formatMinute(manifest.lastKnownMs),
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
  const keys = seriesKeys(context, options);
  const books = keys.every(({ name }) => name === 'order-book');
  if (options.csv !== undefined)
    refuseIgnored(context, ['--since', '--until', '--base-url', '--every', '--count'], 'with --csv');
  else if (books) refuseIgnored(context, ['--since', '--until'], 'with --series order-book');
  else refuseIgnored(context, ['--every', '--count'], 'without --series order-book');
  if (options.csv !== undefined) report(context, await importAll(context, keys, options.csv));
  else if (books) await record(context, keys, options);
  else report(context, await downloadAll(context, keys, options));
}

/** Every series asked for, of every symbol where it belongs to a market. */
function seriesKeys({ config }: CommandContext, options: SeriesOptions): readonly SeriesKey[] {
  const names = list(options.series).map((name) => oneOf('--series', name, SERIES_NAMES));
  if (names.length === 0) throw new UsageError('--series names no series.');
  const symbols = symbolsOf(options.symbols, config.market.symbols);
  const [asset] = config.features.benchmark.split('/');
  const keys = names.flatMap((name) => {
    const exchange =
      options.exchange ?? (name === 'order-book' ? config.exchange.id : config.features.derivatives);
    return symbols.map((symbol) => ({ name, subject: seriesSubject(name, { exchange, symbol, asset }) }));
  });
  return [...new Map(keys.map((key) => [describeSeries(key), key])).values()];
}

function onlyFromFile({ name }: SeriesKey): UserError {
  return new UserError(`"${name}" cannot be downloaded; import it from a CSV file.`, {
    hint: `${seriesKind(name).fetch}`,
  });
}

async function importAll(
  { config, signal }: CommandContext,
  keys: readonly SeriesKey[],
  csv: string,
): Promise<readonly SeriesImport[]> {
  const { importSeries, seriesPathFor } = await import('../../data/csv/series.ts');
  const store = openStore(config.dataDir).series;
  const paths = await Promise.all(keys.map((key) => seriesPathFor(csv, key)));
  if (new Set(paths).size < keys.length) {
    throw new UserError(`"${csv}" is one file, but ${keys.length} series are asked for.`, {
      hint: 'Ask for one series of one symbol (--symbols), or give a folder with a file for each.',
    });
  }
  const changes: SeriesImport[] = [];
  for (const [i, key] of keys.entries()) {
    signal.throwIfAborted();
    changes.push(await importSeries(store, key, { path: paths[i], nowMs: Date.now() }));
  }
  return changes;
}

/** Histories that exchanges keep: from where the stored rows end, or from --since on where they begin later. */
async function downloadAll(
  { config, out, signal, log }: CommandContext,
  keys: readonly SeriesKey[],
  options: SeriesOptions,
): Promise<readonly SeriesChange[]> {
  const { updateSeries } = await import('../../data/update-series.ts');
  const store = openStore(config.dataDir).series;
  const sinceMs = options.since === undefined ? config.market.since : parseTime(options.since);
  const untilMs = options.until === undefined ? (config.market.until ?? Infinity) : parseUntil(options.until);
  const clients = clientsOf({ config, log }, options);
  const changes: SeriesChange[] = [];
  const progress = out.progress();
  const task = progress.task('series', keys.length);
  try {
    for (const key of keys) {
      if (key.name === 'order-book')
        throw new UsageError('order-book is recorded as time passes: ask for it alone.');
      if (key.name !== 'funding' && key.name !== 'open-interest') throw onlyFromFile(key);
      const { client, symbol } = await clients(key);
      changes.push(
        await updateSeries(store, { ...key, name: key.name }, { client, symbol, sinceMs, untilMs, signal }),
      );
      task.update(changes.length, describeSeries(key));
    }
  } finally {
    progress.stop();
  }
  return changes;
}

const SNAPSHOT_SECONDS = 60;

/** Order books as time passes: no exchange keeps a history. Each snapshot is on disk before the next. */
async function record(
  context: CommandContext,
  keys: readonly SeriesKey[],
  options: SeriesOptions,
): Promise<void> {
  const { config, out, signal, log } = context;
  const { recordOrderBooks } = await import('../../data/record-order-books.ts');
  const everySeconds =
    options.every === undefined ? undefined : decimal('--every', options.every, { least: 1 });
  const count = options.count === undefined ? undefined : integer('--count', options.count, { least: 1 });
  const clients = clientsOf({ config, log }, options);
  const books = await Promise.all(keys.map(async (key) => ({ key, ...(await clients(key)) })));
  const manifests = await recordOrderBooks(openStore(config.dataDir).series, books, {
    everyMs: 1000 * (everySeconds ?? SNAPSHOT_SECONDS),
    count: count ?? (everySeconds === undefined ? 1 : Infinity),
    signal,
    now: Date.now,
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

/** The exchange and the pair of a series; one client an exchange, so that its symbols share the rate limit. */
function clientsOf(
  { config, log }: Pick<CommandContext, 'config' | 'log'>,
  options: SeriesOptions,
): (key: SeriesKey) => Promise<{ readonly client: ExchangeClient; readonly symbol: PairSymbol }> {
  const clients = new Map<string, Promise<ExchangeClient>>();
  return async ({ name, subject }) => {
    const [id, pair] = subject.split('/');
    const { openExchange } = await import('../../data/exchange/client.ts');
    const baseUrl = options.baseUrl ?? (id === config.exchange.id ? config.exchange.baseUrl : undefined);
    const { timeoutMs, retries } = config.fetch;
    const perpetuals = name !== 'order-book';
    const client = clients.get(id) ?? openExchange({ id, baseUrl, timeoutMs, retries, log, perpetuals });
    clients.set(id, client);
    return { client: await client, symbol: parseSymbol(pair) };
  };
}

function report({ out }: CommandContext, changes: readonly (SeriesChange | SeriesImport)[]): void {
  out.document({
    series: changes.map(({ manifest, ...counts }) => ({ ...seriesDocument(manifest), ...counts })),
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
    if (change.revisedRows > 0)
      out.print(
        `${name}: ${change.revisedRows} rows were revised by the source; what was known first stays.`,
      );
  }
}
