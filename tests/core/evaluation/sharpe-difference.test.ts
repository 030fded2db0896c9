import { describe, expect, it } from 'vitest';
import { sharpeDifference } from '../../../src/core/evaluation/sharpe-difference.ts';
import { createRandom } from '../../../src/core/foundation/random.ts';

describe('the difference of two Sharpe ratios', () => {
  // Mean 1 %, population deviation 2 %: a ratio of a half. Mean 0: a ratio of 0.
  const half = Float64Array.from({ length: 40 }, (_, t) => (t % 2 === 0 ? 0.03 : -0.01));
  const none = Float64Array.from({ length: 40 }, (_, t) => (t % 4 < 2 ? 0.02 : -0.02));

  it('is that of the population ratios, in the middle of its interval', () => {
    const found = sharpeDifference(half, none, createRandom(1), { resamples: 200 });
    expect(found?.difference).toBeCloseTo(0.5, 12);
    const { low = NaN, high = NaN } = found?.interval ?? {};
    expect((low + high) / 2).toBeCloseTo(0.5, 12);
    expect(high).toBeGreaterThan(low);
  });

  it('is not defined for a strategy and itself, or below 20 bars', () => {
    expect(sharpeDifference(half, half, createRandom(1))).toBeUndefined();
    expect(sharpeDifference(half.subarray(0, 19), none.subarray(0, 19), createRandom(1))).toBeUndefined();
  });
});
