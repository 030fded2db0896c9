import { formatTime } from '../../core/foundation/time.ts';
import { UserError } from '../../core/foundation/errors.ts';
import {
  type Candles,
  CANDLE_COLUMNS,
  concatCandles,
  emptyCandles,
  sliceCandles,
} from '../../core/market/candles.ts';

/**
 * Both series as one, sorted, each time once. A bar that both have must be the same bar in both: throws
 * `UserError` naming the first that is not, since two sources in one series would be neither.
 */
export function mergeCandles(stored: Candles, added: Candles): Candles {
  if (!(added.time[0] <= stored.time[stored.time.length - 1])) return concatCandles([stored, added]);
  const merged = emptyCandles(stored.time.length + added.time.length);
  let [left, right, rows] = [0, 0, 0];
  while (left < stored.time.length || right < added.time.length) {
    const leftTime = left < stored.time.length ? stored.time[left] : Infinity;
    const rightTime = right < added.time.length ? added.time[right] : Infinity;
    const from = leftTime <= rightTime ? stored : added;
    const row = leftTime <= rightTime ? left : right;
    if (leftTime === rightTime) assertSameBar(stored, left, added, right);
    for (const column of CANDLE_COLUMNS) merged[column][rows] = from[column][row];
    rows++;
    if (leftTime <= rightTime) left++;
    if (rightTime <= leftTime) right++;
  }
  return sliceCandles(merged, 0, rows);
}

function assertSameBar(stored: Candles, left: number, added: Candles, right: number): void {
  for (const column of CANDLE_COLUMNS) {
    if (stored[column][left] === added[column][right]) continue;
    const time = formatTime(stored.time[left]);
    throw new UserError(
      `The bar of ${time} is stored with ${column} ${stored[column][left]}, but the source now says ${added[column][right]}. Nothing was changed.`,
      {
        hint: 'Store other data under another --exchange name, or move the stored folder away and fetch again.',
      },
    );
  }
}
