import { createRandom, normal } from '../../src/core/foundation/random.ts';
import { type Candles, emptyCandles } from '../../src/core/market/candles.ts';

export const MINUTE_MS = 60_000;

/** A random walk of minutes, without a gap between a close and the next open. */
export function minutes(bars: number, seed = 7): Candles {
  const random = createRandom(seed);
  const candles = emptyCandles(bars);
  let last = 50_000;
  for (let t = 0; t < bars; t++) {
    const open = last;
    const close = open * Math.exp(0.0008 * normal(random));
    candles.time[t] = t * MINUTE_MS;
    candles.open[t] = open;
    candles.close[t] = close;
    candles.high[t] = Math.max(open, close) * (1 + 0.0004 * random());
    candles.low[t] = Math.min(open, close) * (1 - 0.0004 * random());
    candles.volume[t] = 10 + 90 * random();
    last = close;
  }
  return candles;
}

/** Long while the mean of `fast` closes lies above that of `slow`; a decision at each crossing, or at every close. */
export function crossings(
  close: Float64Array,
  fast: number,
  slow: number,
  atEveryClose: boolean,
): Float64Array {
  const target = new Float64Array(close.length).fill(NaN);
  let quick = 0;
  let calm = 0;
  let held = 0;
  for (let t = 0; t < close.length; t++) {
    quick += close[t] - (t >= fast ? close[t - fast] : 0);
    calm += close[t] - (t >= slow ? close[t - slow] : 0);
    if (t < slow - 1) continue;
    const wanted = quick / fast > calm / slow ? 1 : 0;
    if (atEveryClose || wanted !== held) target[t] = wanted;
    held = wanted;
  }
  return target;
}
