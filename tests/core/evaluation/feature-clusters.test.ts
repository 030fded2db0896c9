import { expect, it } from 'vitest';
import { bootstrapMean } from '../../../src/core/evaluation/bootstrap.ts';
import { clusterSteps } from '../../../src/core/evaluation/feature-clusters.ts';
import { finish } from '../../../src/core/foundation/steps.ts';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';

const noise = (seed: number, rows = 500): Float64Array => {
  const random = createRandom(seed);
  return Float64Array.from({ length: rows }, () => normal(random));
};

it('puts together what rises and falls together, whatever its shape or sign, and nothing else', () => {
  const [a, b] = [noise(1), noise(2)];
  const columns = [a, b, a.map(Math.exp), a.map((x) => -x), b.map((x) => x ** 3), a.map(() => 7)];
  const clusters = finish(clusterSteps(columns, 0.9));
  expect(clusters.map(({ members }) => members)).toEqual([[0, 2, 3], [1, 4], [5]]);
});

it('takes the member in the middle to stand for a cluster', () => {
  const [a, e, f] = [noise(1), noise(2), noise(3)];
  const left = a.map((x, i) => x + 0.4 * e[i]);
  const right = a.map((x, i) => x + 0.4 * f[i]);
  expect(finish(clusterSteps([left, a, right], 0.7))).toEqual([{ members: [0, 1, 2], medoid: 1 }]);
});

it('merges by the mean distance of all pairs: a chain does not become one cluster', () => {
  // Ranks of 8 rows. a and b: Spearman 1 - 6 * 2 / 504 = 0.976; b and c the same.
  const a = Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const b = Float64Array.of(2, 1, 3, 4, 5, 6, 7, 8);
  const c = Float64Array.of(3, 1, 2, 4, 5, 6, 7, 8);
  // a-b differ by (1, 1): sum of squares 2; b-c by (1, 0, 1): 2; a-c by (2, 1, 1): 6, correlation 0.929.
  expect(finish(clusterSteps([a, b, c], 0.96)).map(({ members }) => members)).toEqual([[0, 1], [2]]);
  // c's mean distance to {a, b} is 1 - (0.929 + 0.976) / 2 = 0.048.
  expect(finish(clusterSteps([a, b, c], 0.95)).map(({ members }) => members)).toEqual([[0, 1, 2]]);
});

it('gives a mean the interval of the normal distribution when values are independent', () => {
  const values = noise(4, 4000);
  const { low, high } = bootstrapMean(values, createRandom(5), { resamples: 4000 }) ?? {
    low: NaN,
    high: NaN,
  };
  const expected = (2 * 1.96) / Math.sqrt(4000);
  expect(high - low).toBeGreaterThan(0.85 * expected);
  expect(high - low).toBeLessThan(1.15 * expected);
  expect(bootstrapMean(values.subarray(0, 19), createRandom(5))).toBeUndefined();
});
