import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createMoments,
  createRewardScale,
  scaleRewards,
  standardise,
  updateMoments,
} from '../../../src/core/environments/normalise.ts';

describe('running moments', () => {
  it('are those of all rows seen, however they were split', () => {
    const rows = fc.array(fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 1 }), {
      minLength: 1,
    });
    fc.assert(
      fc.property(rows, (batches) => {
        const moments = createMoments(1);
        for (const batch of batches) updateMoments(moments, Float64Array.from(batch), batch.length);
        // The first count of 1e-4 with mean 0 and variance 1 counts as a 1e-4th of a row.
        const all = batches.flat();
        const total = all.length + 1e-4;
        const mean = all.reduce((sum, value) => sum + value, 0) / total;
        const second = (all.reduce((sum, value) => sum + value * value, 0) + 1e-4) / total;
        expect(moments.mean[0]).toBeCloseTo(mean, 6);
        expect(moments.variance[0]).toBeCloseTo(second - mean * mean, 6);
      }),
      { numRuns: 50 },
    );
  });

  it('standardise columns apart and clip', () => {
    const moments = { mean: Float64Array.of(1, 10), variance: Float64Array.of(4, 1), count: 100 };
    const into = new Float32Array(4);
    standardise(moments, Float32Array.of(3, 10, -1, 99), 2, into, 5);
    expect([...into].map((value) => Number(value.toFixed(6)))).toEqual([1, 0, -1, 5]);
  });
});

describe('reward scaling', () => {
  it('divides by the deviation of the discounted return, which an episode end cuts', () => {
    const scale = createRewardScale(1);
    const step = (reward: number, ended: boolean): number => {
      const rewards = Float64Array.of(reward);
      scaleRewards(scale, rewards, () => ended, { gamma: 0.5, clip: 10 });
      return rewards[0];
    };
    step(1, false);
    step(1, true);
    const third = step(2, false);
    // Returns 1, 1.5 and, after the end, 2: variance 1/6, but for the first count.
    expect(third).toBeCloseTo(2 / Math.sqrt(1 / 6), 2);
  });

  it('keeps the sign of a reward', () => {
    const scale = createRewardScale(1);
    for (const reward of [5, 5, 5, 1e-3, -1e-3]) {
      const rewards = Float64Array.of(reward);
      scaleRewards(scale, rewards, () => false, { gamma: 0.99, clip: 10 });
      expect(Math.sign(rewards[0])).toBe(Math.sign(reward));
    }
  });
});
