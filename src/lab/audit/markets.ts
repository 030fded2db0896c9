import type { Panel } from '../../core/dataset/panel.ts';
import { createRandom, deriveSeed, normal, type Random, shuffle } from '../../core/foundation/random.ts';
import { type Candles, emptyCandles, lowerBound } from '../../core/market/candles.ts';

/** Bars put together from others: bar `row` opens where the one before it led to and looks like bar `from[row]`. */
function rebuilt(candles: Candles, from: Int32Array): Candles {
  const { open, high, low, close, volume, time } = candles;
  const made = emptyCandles(time.length);
  made.time.set(time);
  let price = open[0];
  for (let row = 0; row < time.length; row++) {
    const source = from[row];
    const scale = price / open[source];
    made.open[row] = price;
    made.high[row] = high[source] * scale;
    made.low[row] = low[source] * scale;
    made.close[row] = close[source] * scale;
    made.volume[row] = volume[source];
    price = source + 1 < time.length ? open[source + 1] * scale : made.close[row];
  }
  return made;
}

/** The same bars in another order from `fromMs` on, all symbols in the same one: returns are untied from features. */
export function shuffledCandles(panel: Panel, fromMs: number, seed: number): readonly Candles[] {
  return panel.series.map(({ candles }) => {
    const first = lowerBound(candles.time, fromMs);
    const order = Int32Array.from(candles.time, (_, row) => row);
    shuffle(order.subarray(first), createRandom(deriveSeed(seed, 'shuffled bars')));
    return rebuilt(candles, order);
  });
}

/** Random walks with each symbol's volatility, correlated as little as chance has it; nothing can be known of them. */
export function randomWalks(panel: Panel, seed: number): readonly Candles[] {
  return panel.series.map(({ symbol, candles }) => {
    const random = createRandom(deriveSeed(seed, `walk of ${symbol}`));
    const { close, volume, time } = candles;
    let squares = 0;
    for (let row = 1; row < close.length; row++) squares += Math.log(close[row] / close[row - 1]) ** 2;
    const deviation = Math.sqrt(squares / Math.max(1, close.length - 1));
    const made = emptyCandles(time.length);
    made.time.set(time);
    let price = candles.open[0];
    for (let row = 0; row < time.length; row++) {
      const next = price * Math.exp(deviation * normal(random));
      made.open[row] = price;
      made.close[row] = next;
      made.high[row] = Math.max(price, next) * Math.exp(0.3 * deviation * Math.abs(normal(random)));
      made.low[row] = Math.min(price, next) * Math.exp(-0.3 * deviation * Math.abs(normal(random)));
      made.volume[row] = volume[row];
      price = next;
    }
    return made;
  });
}

/** From `fromMs` on every rise a fall of the same size, and every fall a rise. */
export function turnedCandles(panel: Panel, fromMs: number): readonly Candles[] {
  return panel.series.map(({ candles }) => {
    const first = lowerBound(candles.time, fromMs);
    if (first >= candles.time.length) return candles;
    const level = candles.open[first] ** 2;
    const turn = (of: Float64Array, from = of): Float64Array =>
      of.map((price, row) => (row < first ? price : level / from[row]));
    const { open, high, low, close } = candles;
    return { ...candles, open: turn(open), close: turn(close), high: turn(high, low), low: turn(low, high) };
  });
}

/** Every close moved by a tenth of the bars' volatility: what a price could as well have been. */
export function noisyCandles(panel: Panel, seed: number): readonly Candles[] {
  return panel.series.map(({ symbol, candles }) => {
    const random: Random = createRandom(deriveSeed(seed, `noise on ${symbol}`));
    const { open, high, low, close } = candles;
    const moved = close.map((price, row) => price + 0.1 * (high[row] - low[row]) * normal(random));
    return {
      ...candles,
      close: moved,
      high: high.map((price, row) => Math.max(price, open[row], moved[row])),
      low: low.map((price, row) => Math.min(price, open[row], moved[row])),
    };
  });
}

/** The panel with other candles and the features it has. */
export const withCandles = (panel: Panel, candles: readonly Candles[]): Panel => ({
  timeframe: panel.timeframe,
  series: panel.series.map((one, s) => ({ ...one, candles: candles[s] })),
});

/** The panel with the features of another. */
export const withFeatures = (panel: Panel, other: Panel): Panel => ({
  timeframe: panel.timeframe,
  series: panel.series.map((one, s) => ({ ...one, features: other.series[s].features })),
});
