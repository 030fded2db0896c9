import { type Candles, CANDLE_COLUMNS, emptyCandles, sliceCandles } from './candles.ts';
import { barOpen, type Timeframe, TIMEFRAME_MS } from './timeframe.ts';

/**
 * Closed bars of a longer timeframe from bars of `from`, of which `to` is a multiple. A bar is made of all its
 * parts or not at all: one that has not closed yet, and one with a part missing, is left out.
 */
export function resampleCandles(candles: Candles, from: Timeframe, to: Timeframe): Candles {
  if (from === to) return candles;
  const parts = TIMEFRAME_MS[to] / TIMEFRAME_MS[from];
  const made = emptyCandles(Math.floor(candles.time.length / parts));
  let count = 0;
  for (let row = parts - 1; row < candles.time.length; row++) {
    const first = row - parts + 1;
    const open = barOpen(candles.time[first], to);
    // Sorted without duplicates: as many bars as fit between the two ends are all of them.
    if (candles.time[first] !== open || candles.time[row] !== open + TIMEFRAME_MS[to] - TIMEFRAME_MS[from])
      continue;
    merge(candles, first, row, made, count++);
  }
  return sliceCandles(made, 0, count);
}

function merge(candles: Candles, first: number, last: number, made: Candles, at: number): void {
  for (const column of CANDLE_COLUMNS) made[column][at] = candles[column][first];
  for (let row = first + 1; row <= last; row++) {
    made.high[at] = Math.max(made.high[at], candles.high[row]);
    made.low[at] = Math.min(made.low[at], candles.low[row]);
    made.volume[at] += candles.volume[row];
  }
  made.close[at] = candles.close[last];
}
