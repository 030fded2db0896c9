import { formatMinute, formatTime } from '../config/time.ts';
import type { SeriesImport } from '../data/csv/series.ts';
import { describeSeries } from '../data/store/series-manifest.ts';
import type { SeriesChange, SeriesKey, SeriesManifest } from '../data/store/series-store.ts';
import { openStore } from '../data/store/store.ts';
import { UserError } from '../foundation/errors.ts';
import { seriesSubject } from '../features/inputs.ts';
import { SERIES_NAMES, seriesKind } from '../market/series-kinds.ts';
import { parseSymbol } from '../market/symbol.ts';
import { type CommandContext, list, oneOf } from './command.ts';
import { UsageError } from './exit.ts';

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

export const SERIES_HEAD = ['series', 'source', 'rows', 'first', 'last', 'last known', 'sha256'];

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
}

/** `fetch --series`: what is known beside candles, into the store. */
export async function fetchSeries(context: CommandContext, options: SeriesOptions): Promise<void> {
  const keys = seriesKeys(context, options);
  if (options.csv === undefined) throw onlyFromFile(keys);
  const changes = await importAll(context, keys, options.csv);
  report(context, changes);
}

/** Every series asked for, of every symbol where it belongs to a market. */
function seriesKeys({ config }: CommandContext, options: SeriesOptions): readonly SeriesKey[] {
  const names = list(options.series).map((name) => oneOf('--series', name, SERIES_NAMES));
  if (names.length === 0) throw new UsageError('--series names no series.');
  const symbols =
    options.symbols === undefined ? config.market.symbols : list(options.symbols).map(parseSymbol);
  const [asset] = config.features.benchmark.split('/');
  const keys = names.flatMap((name) => {
    const exchange =
      options.exchange ?? (name === 'order-book' ? config.exchange.id : config.features.derivatives);
    return symbols.map((symbol) => ({ name, subject: seriesSubject(name, { exchange, symbol, asset }) }));
  });
  return [...new Map(keys.map((key) => [describeSeries(key), key])).values()];
}

function onlyFromFile(keys: readonly SeriesKey[]): UserError {
  const [{ name }] = keys;
  return new UserError(`"${name}" is not asked for over the network: it comes from a file.`, {
    hint: `${seriesKind(name).fetch}`,
  });
}

async function importAll(
  { config, signal }: CommandContext,
  keys: readonly SeriesKey[],
  csv: string,
): Promise<readonly SeriesImport[]> {
  const { importSeries, seriesPathFor } = await import('../data/csv/series.ts');
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
