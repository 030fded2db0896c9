import type { Series } from '../../../src/core/dataset/panel.ts';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';
import type { Candles } from '../../../src/core/market/candles.ts';
import type { PairSymbol } from '../../../src/core/market/symbol.ts';

export const HOUR = 3_600_000;

/** Hourly candles from opening prices: each bar closes where the next one opens. */
export function candlesOf(
  opens: readonly number[],
  hours: readonly number[] = opens.map((_, i) => i),
): Candles {
  const open = Float64Array.from(opens);
  const close = Float64Array.from(opens, (price, i) => opens[i + 1] ?? price);
  return {
    time: Float64Array.from(hours, (hour) => hour * HOUR),
    open,
    high: open.map((price, i) => Math.max(price, close[i])),
    low: open.map((price, i) => Math.min(price, close[i])),
    close,
    volume: open.map(() => 1),
  };
}

/** A random walk, which no model can forecast. */
export function randomWalk(symbol: PairSymbol, rows: number, seed: number): Series {
  const random = createRandom(seed);
  const opens: number[] = [];
  for (let price = 100; opens.length < rows; price *= Math.exp(0.01 * normal(random))) opens.push(price);
  return { symbol, candles: candlesOf(opens), features: { names: [], columns: [] } };
}
