import { expect, it } from 'vitest';
import { drawPairs, drawSingles } from '../../../src/core/evaluation/resampling.ts';

/** SplitMix64 in whole numbers: Steele, Lea & Flood 2014. */
function* splitMix(seed: bigint): Generator<bigint> {
  for (let state = seed; ;) {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let z = BigInt.asUintN(64, (state ^ (state >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    yield z ^ (z >> 31n);
  }
}

const seeded = (seed: number) => {
  const numbers = [0, seed / 2 ** 32];
  return () => numbers.shift() ?? NaN;
};

/** The places in the order in which the kernel draws them: two of each number, low half first, and one of each at the end. */
function places(seed: bigint, draws: number, n: bigint): readonly number[] {
  const stream = splitMix(seed);
  const place = (bits: bigint): number => Number((bits * n) >> 32n);
  const found: number[] = [];
  while (found.length + 4 <= draws) {
    for (const z of [stream.next().value as bigint, stream.next().value as bigint])
      found.push(place(z & 0xffffffffn), place(z >> 32n));
  }
  while (found.length < draws) found.push(place((stream.next().value as bigint) >> 32n));
  return found;
}

it('draws by SplitMix64', () => {
  // Published with the generator: the first numbers of the seed 1234567.
  const stream = splitMix(1234567n);
  expect([stream.next().value, stream.next().value]).toEqual([6457827717110365317n, 3203168211198807973n]);

  const x = Float64Array.of(1, 10, 100, 1000, 10_000);
  const y = Float64Array.of(3, -1, 4, -1, 5);
  const drawn = places(1234567n, 7, 5n);
  const sum = (of: (i: number) => number): number => drawn.reduce((total, i) => total + of(i), 0);
  const options = { draws: 7, resamples: 1 };
  expect([...drawPairs(x, y, { ...options, random: seeded(1234567) })]).toEqual([
    sum((i) => x[i]),
    sum((i) => y[i]),
    sum((i) => x[i] ** 2),
    sum((i) => y[i] ** 2),
    sum((i) => x[i] * y[i]),
  ]);
  expect([...drawSingles(x, { ...options, random: seeded(1234567) })]).toEqual([
    sum((i) => x[i]),
    sum((i) => x[i] ** 2),
  ]);
});

it('draws every place equally often, in every resample anew', () => {
  const n = 7;
  const draws = 10;
  const resamples = 20_000;
  const counts = Array.from({ length: n }, (_, place) => {
    const indicator = Float64Array.from({ length: n }, (_, i) => (i === place ? 1 : 0));
    const sums = drawSingles(indicator, { draws, resamples, random: seeded(99) });
    return sums.filter((_, i) => i % 2 === 0);
  });
  for (const column of counts) {
    const mean = column.reduce((sum, value) => sum + value, 0) / resamples;
    const variance = column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / resamples;
    // Binomial: mean 10 / 7, variance 60 / 49; within five standard errors.
    expect(Math.abs(mean - 10 / 7)).toBeLessThan(5 * Math.sqrt(60 / 49 / resamples));
    expect(Math.abs(variance - 60 / 49)).toBeLessThan(5 * (60 / 49) * Math.sqrt(3 / resamples));
  }
});
