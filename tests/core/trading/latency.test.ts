import { expect, it } from 'vitest';
import { runBacktest } from '../../../src/core/trading/run.ts';
import { anyAmount, type Bar, freeRules, HOUR_MS, marketOf } from './market-of.ts';

const bars: readonly Bar[] = [10, 11, 12, 13, 14, 15].map((price) => [price, price, price, price]);

it('a decision that is late fills so many opens later, and the last ones never', () => {
  const run = (latencyBars?: number) =>
    runBacktest({
      market: marketOf(bars),
      targets: [Float64Array.from([1, NaN, NaN, 0, NaN, NaN])],
      instruments: [anyAmount()],
      rules: freeRules(),
      latencyBars,
    }).fills.map(({ time, side, price }) => [time / HOUR_MS, side, price]);
  expect(run()).toEqual([
    [1, 'buy', 11],
    [4, 'sell', 14],
  ]);
  expect(run(1)).toEqual([
    [2, 'buy', 12],
    [5, 'sell', 15],
  ]);
  expect(run(2)).toEqual([[3, 'buy', 13]]);
  expect(run(9)).toEqual([]);
});
