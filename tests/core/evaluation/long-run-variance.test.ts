import { expect, it } from 'vitest';
import { longRunVariance, stationaryVariance } from '../../../src/core/evaluation/long-run-variance.ts';

it('of an alternating series, by hand', () => {
  // rho = phi = -.97 (the limits), residuals -+.03, bandwidth 2 (half of 4), Parzen at a half .25:
  // .0009 - 2 x .25 x .0006 = .0006, over (1 + .97)^2.
  expect(longRunVariance(Float64Array.of(1, -1, 1, -1))).toBeCloseTo(0.0006 / 1.97 ** 2, 12);
  expect(longRunVariance(new Float64Array(10))).toBe(0);
});

it('by the stationary bootstrap is the double sum of Politis and Romano', () => {
  const values = Float64Array.of(3, -1, 4, 1, -5, 9, 2, -6);
  const n = values.length;
  const centre = 7 / 8;
  const blockBars = 3;
  const decay = 1 - 1 / blockBars;
  // Lemma 1: circular autocovariances, lag i weighted by (1 - i / n) (1 - p)^i + i / n (1 - p)^(n - i).
  const covariance = (lag: number): number =>
    values.reduce((sum, value, t) => sum + (value - centre) * (values[(t + lag) % n] - centre), 0) / n;
  let expected = covariance(0);
  for (let lag = 1; lag < n; lag++) expected += 2 * (1 - lag / n) * decay ** lag * covariance(lag);
  expect(stationaryVariance(values, blockBars)).toBeCloseTo(expected, 10);
});
