import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../core/foundation/errors.ts';
import { type Candles, candlesBetween, lowerBound, sliceCandles } from '../../core/market/candles.ts';
import { findOddities, type Oddity, oddityLines } from '../../core/market/plausible.ts';
import { barOpen, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { type PairSymbol, symbolFolder } from '../../core/market/symbol.ts';
import { mergeCandles } from '../store/merge.ts';
import type { DatasetKey, Store } from '../store/store.ts';
import type { UpdateResult } from '../update.ts';
import { readCandlesCsv } from './read.ts';

export interface CsvImport extends UpdateResult {
  /** What is hard to believe of the imported bars. */
  readonly oddities: readonly Oddity[];
}

/**
 * Adds a CSV file's bars to a dataset. Bars that are stored already must be equal to the file's. Throws `UserError`, and
 * imports nothing, when bars are damaged or, unless accepted, surely wrong.
 */
export async function importCsv(
  store: Store,
  key: DatasetKey,
  {
    path,
    sinceMs = -Infinity,
    untilMs = Infinity,
    acceptImplausible = false,
  }: {
    readonly path: string;
    readonly sinceMs?: number | undefined;
    readonly untilMs?: number | undefined;
    /** Import bars even where no market does what they say. */
    readonly acceptImplausible?: boolean;
  },
): Promise<CsvImport> {
  const file = await readCandlesCsv(path, key);
  const closedUntilMs = barOpen(Date.now(), key.timeframe);
  const candles = candlesBetween(file, sinceMs, Math.min(untilMs, closedUntilMs));
  const rows = candles.time.length;
  if (rows === 0) {
    throw new UserError(`"${path}" has no closed ${key.timeframe} bars in the range asked for.`, {
      hint: 'Check --since and --until, or leave them out to import the whole file.',
    });
  }
  const before = await store.manifest(key);
  const oddities = await odditiesOf(store, key, candles);
  if (!acceptImplausible) refuse(path, key, oddities);
  const covered = { fromMs: candles.time[0], untilMs: candles.time[rows - 1] + TIMEFRAME_MS[key.timeframe] };
  const manifest = await store.merge(key, candles, { source: 'csv', synthetic: false }, [covered]);
  return {
    manifest,
    addedRows: manifest.rows - (before?.rows ?? 0),
    skippedBars: 0,
    quarantined: [],
    asked: true,
    oddities,
  };
}

/** What is hard to believe of a file's bars, among themselves and beside those that are stored. */
async function odditiesOf(store: Store, key: DatasetKey, candles: Candles): Promise<readonly Oddity[]> {
  const own = findOddities(candles, key.timeframe);
  if ((await store.manifest(key)) === undefined) return own;
  const { time } = candles;
  const all = mergeCandles(await store.read(key), candles);
  const [from, to] = [time[0], time[time.length - 1]].map((at) => lowerBound(all.time, at));
  const joined = sliceCandles(all, Math.max(0, from - 1), to + 2);
  const seams = findOddities(joined, key.timeframe).filter(
    ({ timeMs }) => timeMs >= time[0] && !own.some((one) => one.timeMs === timeMs),
  );
  return [...own, ...seams];
}

function refuse(path: string, key: DatasetKey, oddities: readonly Oddity[]): void {
  const wrong = oddities.filter(({ verdict }) => verdict === 'wrong');
  if (wrong.length === 0) return;
  const lines = oddityLines(wrong).map((line) => `\n  ${line}`);
  throw new UserError(
    `"${path}" does not hold plausible ${key.timeframe} candles of ${key.symbol}:${lines.join('')}`,
    {
      hint: 'Nothing was imported. Check --timeframe and the file; if the bars are right all the same, add --accept-implausible.',
    },
  );
}

/**
 * The file for a symbol: `path` itself for a single symbol, or in a folder
 * `<BASE-QUOTE>/<timeframe>.csv` or `.csv.gz`.
 */
export async function csvPathFor(
  path: string,
  {
    symbol,
    timeframe,
    alone,
  }: { readonly symbol: PairSymbol; readonly timeframe: string; readonly alone: boolean },
): Promise<string> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) {
    if (alone) return path;
    throw new UserError(`"${path}" is one file, but several symbols are asked for.`, {
      hint: 'Name its symbol with --symbols, or give a folder that holds <BASE-QUOTE>/<timeframe>.csv files.',
    });
  }
  const folder = join(path, symbolFolder(symbol));
  const names = await readdir(folder).catch(() => []);
  const name = names.find((entry) => entry === `${timeframe}.csv` || entry === `${timeframe}.csv.gz`);
  if (name !== undefined) return join(folder, name);
  throw new UserError(`There is no "${join(folder, `${timeframe}.csv`)}", with or without .gz.`, {
    hint: 'Check --symbols and --timeframe.',
  });
}
