import { invariant } from '../foundation/errors.ts';
import { type BarLength, closeOfBar, isMadeOf, openOfBar, shortestMs } from './bar-length.ts';
import { type Candles, CANDLE_COLUMNS, emptyCandles, sliceCandles } from './candles.ts';
import { type Timeframe, TIMEFRAME_MS } from './timeframe.ts';

/**
 * Closed bars of a longer length from bars of `from`, of which `to` is a multiple. A bar is made of all its
 * parts or not at all: one that has not closed yet, and one with a part missing, is left out.
 */
export function resampleCandles(candles: Candles, from: Timeframe, to: BarLength): Candles {
  if (from === to) return candles;
  invariant(isMadeOf(to, from), 'a longer bar is made of whole shorter ones');
  const { time } = candles;
  const step = TIMEFRAME_MS[from];
  const made = emptyCandles(Math.floor((time.length * step) / shortestMs(to)));
  let count = 0;
  for (let row = 0; row < time.length;) {
    const open = openOfBar(time[row], to);
    const close = closeOfBar(open, to);
    const last = row + (close - open) / step - 1;
    // Sorted without duplicates: as many bars as fit between the two ends are all of them.
    if (time[row] === open && last < time.length && time[last] === close - step) {
      merge(candles, row, last, made, count++);
      row = last + 1;
    } else while (row < time.length && time[row] < close) row++;
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
