import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../../src/core/foundation/random.ts';
import { mixingShare, mixPairs, varyWindow } from '../../../../src/learning/learners/deep/augment.ts';

const NONE = { jitter: 0, scaling: 0, timeWarp: 0 };
const ramp = (): Float32Array =>
  Float32Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? i / 2 : 100 - i / 2));

describe('a window that is varied', () => {
  it('stays as it is where nothing is asked for', () => {
    const window = ramp();
    varyWindow(window, 2, NONE, createRandom(1));
    expect(window).toEqual(ramp());
  });

  it('gets noise of the deviation that jitter says', () => {
    const window = new Float32Array(20_000);
    varyWindow(window, 2, { ...NONE, jitter: 0.3 }, createRandom(1));
    const square = window.reduce((sum, value) => sum + value * value, 0) / window.length;
    expect(Math.sqrt(square)).toBeCloseTo(0.3, 2);
  });

  it('has each input scaled by one factor for all of its bars', () => {
    const window = ramp();
    varyWindow(window, 2, { ...NONE, scaling: 0.5 }, createRandom(2));
    const factors = [0, 1].map((f) =>
      Array.from(window).flatMap((value, i) => (i % 2 === f && ramp()[i] !== 0 ? [value / ramp()[i]] : [])),
    );
    for (const own of factors) for (const factor of own) expect(factor).toBeCloseTo(own[0], 5);
    expect(factors[0][0]).not.toBeCloseTo(factors[1][0], 2);
  });

  it('has its time warped in order, alike for all inputs, with both ends in place', () => {
    const window = ramp();
    varyWindow(window, 2, { ...NONE, timeWarp: 1 }, createRandom(3));
    const [first, second] = [0, 1].map((f) => Array.from(window).filter((_, i) => i % 2 === f));
    expect([first[0], first[19]]).toEqual([0, 19]);
    for (let t = 1; t < 20; t++) expect(first[t]).toBeGreaterThan(first[t - 1]);
    expect(first.some((value, t) => Math.abs(value - t) > 0.5)).toBe(true);
    // Both inputs are straight lines of time: what was read where is the same of both.
    second.forEach((value, t) => expect(value).toBeCloseTo(99.5 - first[t], 3));
  });
});

describe('windows that are mixed', () => {
  it('keep of themselves what the other one of the pair does not get', () => {
    const values = Float32Array.of(0, 0, 5, 5, 10, 20);
    const shares = mixPairs([values], 3, 1, createRandom(4));
    expect(shares[0]).toBe(shares[2]);
    expect(shares[0]).toBeGreaterThanOrEqual(0.5);
    const share = shares[0];
    const expected = [(1 - share) * 10, (1 - share) * 20, 5, 5, share * 10, share * 20];
    values.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 5));
    expect(shares[1]).toBe(1);
  });

  it('draw shares of Beta(alpha, alpha), the larger of the two', () => {
    const random = createRandom(5);
    // The mean of max(x, 1 - x) is .75 for Beta(1, 1); for Beta(.5, .5), the arcsine law, 1/2 + 1/pi.
    for (const [alpha, mean] of [
      [1, 0.75],
      [0.5, 0.5 + 1 / Math.PI],
    ]) {
      // prettier-ignore
      let sum = 0;
      for (let i = 0; i < 40_000; i++) sum += mixingShare(alpha, random);
      expect(sum / 40_000).toBeCloseTo(mean, 2);
    }
  });
});
