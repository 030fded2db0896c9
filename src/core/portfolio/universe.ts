import { formatDay } from '../foundation/time.ts';
import { UserError } from '../foundation/errors.ts';
import type { Candles } from '../market/candles.ts';
import { emptyCandles, lowerBound } from '../market/candles.ts';
import type { PairSymbol } from '../market/symbol.ts';

/** One asset of a universe and when it could be held. */
export interface Member {
  readonly symbol: PairSymbol;
  /** Open of the first bar it may be held on, epoch ms UTC; `undefined`: its first candle. */
  readonly listedMs?: number | undefined;
  /** Open of the first bar on which it is gone; `undefined`: it is still there. */
  readonly delistedMs?: number | undefined;
  /** What the exit at a delisting loses against the last close, in percent. */
  readonly haircutPct?: number | undefined;
  /** Its earlier name, and when and how that became this one. */
  readonly renamed?: Rename | undefined;
}

/** A rename is one coin under two names, not a new coin. */
export interface Rename {
  readonly from: PairSymbol;
  /** Open of the first bar under the new name, epoch ms UTC. */
  readonly atMs: number;
  /** Units of the new coin for one of the old. */
  readonly ratio: number;
}

/** Twenty liquid pairs. POL was MATIC until September 2024, one for one. */
export const DEFAULT_UNIVERSE: readonly Member[] = [
  ...(['BTC', 'ETH', 'BNB', 'SOL', 'XRP', 'ADA', 'DOGE', 'AVAX', 'DOT'] as const).map(pair),
  { symbol: 'POL/USDT', renamed: { from: 'MATIC/USDT', atMs: Date.UTC(2024, 8, 13), ratio: 1 } },
  ...(['LINK', 'UNI', 'ATOM', 'LTC', 'FIL', 'APT', 'ARB', 'OP', 'INJ', 'NEAR'] as const).map(pair),
];

function pair(base: string): Member {
  return { symbol: `${base}/USDT` };
}

/**
 * One series under the new name: the old coin's bars before the rename, its prices divided and its volume multiplied by the
 * ratio, then the new one's. Bars between the last of the old and the first of the new are missing, and stay so.
 */
export function joinRenamed(before: Candles, after: Candles, { atMs, ratio }: Rename): Candles {
  const old = lowerBound(before.time, atMs);
  const from = lowerBound(after.time, atMs);
  const joined = emptyCandles(old + after.time.length - from);
  for (const column of ['time', 'open', 'high', 'low', 'close', 'volume'] as const) {
    const factor = column === 'time' ? 1 : column === 'volume' ? ratio : 1 / ratio;
    joined[column].set(before[column].subarray(0, old).map((value) => value * factor));
    joined[column].set(after[column].subarray(from), old);
  }
  return joined;
}

/** Closes of several assets on one clock; NaN where an asset has no bar. */
export interface PriceTable {
  readonly symbols: readonly string[];
  readonly time: Float64Array;
  readonly closes: readonly Float64Array[];
}

/** Returns of the assets that have all of a window, and why the others are left out. */
export interface ReturnWindow {
  /** Indices of the table's assets. */
  readonly assets: readonly number[];
  readonly returns: readonly Float64Array[];
  readonly excluded: readonly { readonly symbol: string; readonly reason: string }[];
}

/**
 * The `bars` returns that end with the close of `row`. An asset that was listed later, is gone or lacks a bar is left out
 * by name: nothing is filled. Throws `UserError` for prices that are none.
 */
export function returnWindow(
  table: PriceTable,
  row: number,
  bars: number,
  members: readonly Member[],
): ReturnWindow {
  const assets: number[] = [];
  const returns: Float64Array[] = [];
  const excluded: { symbol: string; reason: string }[] = [];
  for (const [i, close] of table.closes.entries()) {
    const reason = absence(table, i, row, bars, members[i]);
    if (reason !== undefined) {
      excluded.push({ symbol: table.symbols[i], reason });
      continue;
    }
    const column = new Float64Array(bars);
    for (let k = 0; k < bars; k++) {
      const [last, next] = [close[row - bars + k], close[row - bars + k + 1]];
      if (!(last > 0 && next > 0))
        throw new UserError(
          `${table.symbols[i]} has a price that is not above zero: ${Math.min(last, next)} on ${formatDay(table.time[row - bars + k])}.`,
          {
            hint: 'Fetch its candles again, or leave it out with --symbols.',
          },
        );
      column[k] = next / last - 1;
    }
    assets.push(i);
    returns.push(column);
  }
  return { assets, returns, excluded };
}

function absence(
  table: PriceTable,
  i: number,
  row: number,
  bars: number,
  member: Member,
): string | undefined {
  const { time } = table;
  const close = table.closes[i];
  if (member.listedMs !== undefined && time[row] < member.listedMs)
    return `listed on ${formatDay(member.listedMs)}`;
  // What is decided now is held from the next bar on.
  const next = row + 1 < time.length ? time[row + 1] : time[row];
  if (member.delistedMs !== undefined && next >= member.delistedMs)
    return `delisted on ${formatDay(member.delistedMs)}`;
  let missing = Math.max(0, bars - row);
  for (let k = Math.max(0, row - bars); k <= row; k++) if (Number.isNaN(close[k])) missing++;
  if (missing === 0) return undefined;
  const first = close.findIndex((value) => !Number.isNaN(value));
  if (first < 0) return 'no candles';
  if (first > row) return `first candle on ${formatDay(time[first])}`;
  if (first > row - bars)
    return `${row - first} of ${bars} returns: first candle on ${formatDay(time[first])}`;
  return `${missing} of ${bars + 1} candles are missing`;
}
