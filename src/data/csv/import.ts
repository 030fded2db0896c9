import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../core/foundation/errors.ts';
import { candlesBetween } from '../../core/market/candles.ts';
import { barOpen, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { type PairSymbol, symbolFolder } from '../../core/market/symbol.ts';
import type { DatasetKey, Store } from '../store/store.ts';
import type { UpdateResult } from '../update.ts';
import { readCandlesCsv } from './read.ts';

/** Adds a CSV file's bars to a dataset. Bars that are stored already must be equal to the file's. */
export async function importCsv(
  store: Store,
  key: DatasetKey,
  {
    path,
    sinceMs = -Infinity,
    untilMs = Infinity,
  }: { readonly path: string; readonly sinceMs?: number | undefined; readonly untilMs?: number | undefined },
): Promise<UpdateResult> {
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
  const covered = { fromMs: candles.time[0], untilMs: candles.time[rows - 1] + TIMEFRAME_MS[key.timeframe] };
  const manifest = await store.merge(key, candles, { source: 'csv', synthetic: false }, [covered]);
  return { manifest, addedRows: manifest.rows - (before?.rows ?? 0), skippedBars: 0, asked: true };
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
