import { expect, it } from 'vitest';
import { createRandom, normal } from '../../../../src/core/foundation/random.ts';
import { filterVariance, fitGarch } from '../../../../src/learning/models/momentum-garch/garch.ts';
import {
  ewmaVariance,
  harVariance,
  qlike,
} from '../../../../src/learning/models/momentum-garch/volatility-rivals.ts';

it('weighs the last square by .06, by hand', () => {
  expect([...ewmaVariance(Float64Array.of(1, 2))]).toEqual([1, 0.94 + 0.06 * 2]);
});

it('takes the loss of each forecast on the bar after it, by hand', () => {
  // ln 2 + 4 / 2 and ln 1 + 3 / 1.
  const loss = qlike(Float64Array.of(9, 4, 3), Float64Array.of(2, 1, 7), 1);
  expect(loss).toBeCloseTo((Math.log(2) + 2 + 3) / 2, 12);
  expect(qlike(Float64Array.of(1), Float64Array.of(1), 1)).toBeUndefined();
});

it('finds the process that made the returns better than its rivals, and never below nothing', () => {
  const random = createRandom(3);
  let [h, shock] = [1, 0];
  const returns = Float64Array.from({ length: 8000 }, () => {
    h = 0.02 + 0.08 * shock * shock + 0.9 * h;
    shock = Math.sqrt(h) * normal(random);
    return shock;
  });
  const squares = returns.map((value) => value * value);
  const { garch } = fitGarch(returns.subarray(0, 5000), { variance: 'garch', student: false });
  const har = harVariance(squares, 5000) ?? new Float64Array();
  const loss = qlike(squares, filterVariance(returns, garch), 5000) ?? NaN;
  expect(loss).toBeLessThan(qlike(squares, har, 5000) ?? NaN);
  expect(loss).toBeLessThan(qlike(squares, ewmaVariance(squares), 5000) ?? NaN);
  // The rival is no straw man: it beats a constant.
  expect(qlike(squares, har, 5000)).toBeLessThan(
    qlike(
      squares,
      squares.map(() => 1),
      5000,
    ) ?? NaN,
  );
  expect(Math.min(...har.subarray(167))).toBeGreaterThan(0);
});

it('forecasts from the past only, its regression from training rows only', () => {
  const random = createRandom(4);
  const squares = Float64Array.from({ length: 900 }, () => normal(random) ** 2);
  const whole = harVariance(squares, 600) ?? new Float64Array();
  expect([...(harVariance(squares.subarray(0, 700), 600) ?? [])]).toEqual([...whole.subarray(0, 700)]);
  expect(harVariance(squares.subarray(0, 100), 100)).toBeUndefined();
});
