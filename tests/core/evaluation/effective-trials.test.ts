import { describe, expect, it } from 'vitest';
import { effectiveTrials } from '../../../src/core/evaluation/effective-trials.ts';

/** Bets of `size` trials each that move together by `rho`, and not at all with the others. */
const bets = (size: number, rho: number) => (i: number, j: number) =>
  Math.floor(i / size) === Math.floor(j / size) ? rho : 0;

describe('the effective number of trials', () => {
  it('is the number of bets, with the silhouette by hand', () => {
    // Distances: sqrt(.05) inside a bet, sqrt(.5) outside, so every width is 1 - sqrt(.1).
    const { clusters, silhouette } = effectiveTrials(6, bets(2, 0.9));
    expect(clusters).toBe(3);
    expect(silhouette).toBeCloseTo(1 - Math.sqrt(0.1), 12);
    expect(effectiveTrials(12, bets(3, 0.9)).clusters).toBe(4);
  });

  it('is all of them when none moves with another, and one when all are copies', () => {
    expect(effectiveTrials(5, bets(1, 1))).toEqual({ clusters: 5, silhouette: 0 });
    expect(effectiveTrials(5, bets(5, 1))).toEqual({ clusters: 1, silhouette: 0 });
    expect(effectiveTrials(1, bets(1, 1))).toEqual({ clusters: 1, silhouette: 0 });
  });

  it('takes trials without a common time as strangers', () => {
    expect(effectiveTrials(4, () => undefined)).toEqual({ clusters: 4, silhouette: 0 });
  });
});
