import { describe, expect, it } from 'vitest';
import {
  createRandom,
  deriveSeed,
  fillMask,
  normal,
  xoshiro128,
} from '../../../src/core/foundation/random.ts';

describe('random numbers', () => {
  it('are those of the xoshiro128** reference (state 1, 2, 3, 4; compiled from its C source)', () => {
    const random = xoshiro128([1, 2, 3, 4]);
    const drawn = Array.from({ length: 6 }, () => random() * 2 ** 32);
    expect(drawn).toEqual([11520, 0, 5927040, 70819200, 2031721883, 1637235492]);
  });

  it('repeat with the seed and differ between seeds', () => {
    const draw = (seed: number) => Array.from({ length: 5 }, createRandom(seed));
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(deriveSeed(7, 'folds')).not.toBe(deriveSeed(7, 'weights'));
  });

  it('have the moments of their distributions (100 000 draws, five standard errors)', () => {
    const random = createRandom(1);
    const n = 100_000;
    let sum = 0;
    let normalSum = 0;
    let normalSquares = 0;
    for (let i = 0; i < n; i++) {
      sum += random();
      const z = normal(random);
      normalSum += z;
      normalSquares += z * z;
    }
    expect(Math.abs(sum / n - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / n));
    expect(Math.abs(normalSum / n)).toBeLessThan(5 / Math.sqrt(n));
    expect(Math.abs(normalSquares / n - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
  });
});

it('a mask is the two halves of each random number against its threshold', () => {
  const [seed, keep, from, until] = [7, 0.8, 3, 1000];
  const values = new Uint8Array(1003).fill(9);
  fillMask(values, { from, until, seed, threshold: keep * 65536 });
  const random = createRandom(seed);
  const halves = Array.from({ length: 499 }, () => {
    const bits = random() * 2 ** 32;
    return [bits % 65536, Math.floor(bits / 65536)];
  }).flat();
  const expected = halves.slice(0, until - from).map((half) => (half < keep * 65536 ? 1 : 0));
  expect([...values]).toEqual([9, 9, 9, ...expected, 9, 9, 9]);
});
