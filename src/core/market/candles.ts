import { invariant } from '../foundation/errors.ts';

/**
 * Candles as columns of equal length, sorted by `time` without duplicates. `time` is the bar's open in
 * epoch milliseconds UTC; prices are in quote currency, `volume` in base currency.
 */
export interface Candles {
  readonly time: Float64Array;
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
}

export const CANDLE_COLUMNS = ['time', 'open', 'high', 'low', 'close', 'volume'] as const;

/** Columns for `length` bars, all 0. */
export function emptyCandles(rows: number): Candles {
  return mapColumns(() => new Float64Array(rows));
}

/** Rows [from, to) as views on the same memory. */
export function sliceCandles(candles: Candles, from: number, to = candles.time.length): Candles {
  return mapColumns((column) => candles[column].subarray(from, to));
}

/** Rows with `sinceMs <= time < untilMs`, as views. */
export function candlesBetween(candles: Candles, sinceMs: number, untilMs: number): Candles {
  return sliceCandles(candles, lowerBound(candles.time, sinceMs), lowerBound(candles.time, untilMs));
}

export function concatCandles(parts: readonly Candles[]): Candles {
  const rows = parts.reduce((total, part) => total + part.time.length, 0);
  const all = emptyCandles(rows);
  let offset = 0;
  for (const part of parts) {
    for (const column of CANDLE_COLUMNS) all[column].set(part[column], offset);
    offset += part.time.length;
  }
  return all;
}

/** Index of the first entry of sorted `times` that is not below `time`. */
export function lowerBound(times: Float64Array, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What is wrong with a bar, or `undefined`: prices positive and finite, low <= open, close <= high, volume >= 0. */
export function candleFault(candles: Candles, row: number): string | undefined {
  const { open, high, low, close, volume } = candles;
  for (const column of ['open', 'high', 'low', 'close'] as const) {
    const price = candles[column][row];
    if (!Number.isFinite(price) || price <= 0) return `${column} is ${price}, expected a positive number`;
  }
  if (!Number.isFinite(volume[row]) || volume[row] < 0) return `volume is ${volume[row]}, expected 0 or more`;
  if (high[row] < Math.max(open[row], close[row], low[row]))
    return `high ${high[row]} is below another price`;
  if (low[row] > Math.min(open[row], close[row])) return `low ${low[row]} is above another price`;
  return undefined;
}

export function assertSorted(candles: Candles): void {
  const { time } = candles;
  for (let i = 1; i < time.length; i++)
    invariant(time[i] > time[i - 1], 'candles are sorted without duplicates');
}

function mapColumns(make: (column: (typeof CANDLE_COLUMNS)[number]) => Float64Array): Candles {
  return {
    time: make('time'),
    open: make('open'),
    high: make('high'),
    low: make('low'),
    close: make('close'),
    volume: make('volume'),
  };
}
