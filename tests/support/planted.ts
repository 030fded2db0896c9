import { createRandom, normal } from '../../src/core/foundation/random.ts';
import { type Candles, emptyCandles } from '../../src/core/market/candles.ts';
import { TIMEFRAME_MS } from '../../src/core/market/timeframe.ts';

/**
 * Hourly candles whose close-to-close log returns carry a first-order autoregressive part that lasts: r = m + e,
 * m' = persistence m + shock. What is expected of the next bar is known from `drift`, which no forecaster is shown.
 */
export function driftingWalk(
  rows: number,
  options: {
    readonly startMs: number;
    readonly seed: number;
    /** Deviations of one bar's noise and of the drift, as fractions. */
    readonly noise: number;
    readonly drift: number;
    readonly persistence: number;
  },
): { readonly candles: Candles; readonly drift: Float64Array } {
  const { startMs, seed, noise, persistence } = options;
  const random = createRandom(seed);
  const candles = emptyCandles(rows);
  const drift = new Float64Array(rows);
  const shock = options.drift * Math.sqrt(1 - persistence ** 2);
  let price = 100;
  let expected = options.drift * normal(random);
  for (let row = 0; row < rows; row++) {
    const open = price;
    const close = open * Math.exp(expected + noise * normal(random));
    candles.time[row] = startMs + row * TIMEFRAME_MS['1h'];
    candles.open[row] = open;
    candles.close[row] = close;
    candles.high[row] = Math.max(open, close) * (1 + 0.2 * noise * random());
    candles.low[row] = Math.min(open, close) * (1 - 0.2 * noise * random());
    candles.volume[row] = 1000 + 100 * random();
    expected = persistence * expected + shock * normal(random);
    // Of the bar after this one, as of its close.
    drift[row] = expected;
    price = close;
  }
  return { candles, drift };
}
