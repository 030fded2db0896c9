import { expect, it } from 'vitest';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';
import { boostedStack, logisticStack } from '../../../src/learning/ensemble/meta-learners.ts';

const random = createRandom(8);
const noise = (count: number): Float64Array => Float64Array.from({ length: count }, () => normal(random));

it('logistic stacking finds the odds that it was drawn from', () => {
  const [a, b, useless] = [noise(20_000), noise(20_000), noise(20_000)];
  // Odds of a rise: exp(0.8 a - 0.4 b); a rise and a fall are worth 1 % each.
  const realised = a.map((value, i) =>
    random() < 1 / (1 + Math.exp(-(0.8 * value - 0.4 * b[i]))) ? 0.01 : -0.01,
  );
  const meta = logisticStack([a.map((value) => value / 1000), b, useless], realised, 1e-9);
  const odds = (row: readonly number[]): number => {
    const p = meta.probability(Float64Array.from(row));
    return Math.log(p / (1 - p));
  };
  expect(odds([0.001, 0, 0]) - odds([0, 0, 0])).toBeCloseTo(0.8, 1);
  expect(odds([0, 1, 0]) - odds([0, 0, 0])).toBeCloseTo(-0.4, 1);
  expect(Math.abs(odds([0, 0, 1]) - odds([0, 0, 0]))).toBeLessThan(0.05);
  // The return of a probability p is .01 (2 p - 1).
  expect(meta.worth).toBeCloseTo(0.02, 2);
  expect(meta.weights[0]).toBeCloseTo(0.8 / 1.2, 1);
});

it('a heavy penalty leaves the share of rises', () => {
  const column = noise(1000);
  const meta = logisticStack(
    [column],
    column.map((value) => 0.01 * value),
    1e6,
  );
  const rises = column.filter((value) => value > 0).length / column.length;
  expect(meta.probability(Float64Array.of(2))).toBeCloseTo(rises, 3);
});

it('boosted stacking finds what no weights can: one model is right only when the other agrees', () => {
  const [a, b] = [noise(6000), noise(6000)];
  const realised = a.map((value, i) => {
    const side = value * b[i] > 0 ? Math.sign(value) : random() < 0.5 ? 1 : -1;
    return 0.01 * side;
  });
  const boosted = boostedStack([a, b], realised, { rounds: 60, learningRate: 0.3 });
  const at = (x: number, y: number): number => boosted.probability(Float64Array.of(x, y));
  expect(at(1, 1)).toBeGreaterThan(0.9);
  expect(at(-1, -1)).toBeLessThan(0.1);
  expect(at(1, -1)).toBeGreaterThan(0.35);
  expect(at(1, -1)).toBeLessThan(0.65);
});

it('boosted stacking makes little of noise', () => {
  const [a, b, realised] = [noise(4000), noise(4000), noise(4000)];
  const boosted = boostedStack([a, b], realised, { rounds: 30, learningRate: 0.1 });
  for (const [x, y] of [
    [2, 2],
    [-2, 2],
    [0, 0],
  ])
    expect(Math.abs(boosted.probability(Float64Array.of(x, y)) - 0.5)).toBeLessThan(0.12);
});
