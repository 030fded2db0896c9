import { expect, it } from 'vitest';
import { finish } from '../../../../src/core/foundation/steps.ts';
import { accuracy } from '../../../../src/learning/learners/tabular/forecast.ts';
import { fitLinear, linearValues } from '../../../../src/learning/learners/tabular/linear.ts';
import { followProbability } from '../../../../src/learning/learners/tabular/positions.ts';

const at = (f: (i: number) => number): Float64Array => Float64Array.from({ length: 300 }, (_, i) => f(i));
const columns = [
  at((i) => Math.sin(1 + 0.37 * i)),
  at((i) => Math.cos(0.5 * i)),
  at((i) => Math.sin(0.11 * i * i)),
];
const standardised = columns.map((column) => {
  const mean = column.reduce((sum, value) => sum + value, 0) / 300;
  const squares = column.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return column.map((value) => (value - mean) / Math.sqrt(squares / 299));
});
const target = at((i) => standardised[0][i] - 0.5 * standardised[1][i] + Math.sin(7.3 * i));

// scikit-learn 1.9.1: Ridge(alpha=3) and LogisticRegression(C=1/3) on the standardised columns.
it.each([
  ['least-squares', 0.00634736307810132, [0.98998957, -0.48403925, -0.05690572]],
  ['logistic', 0.06611774, [2.18679529, -1.0630469, -0.08302298]],
] as const)("finds scikit-learn's weights by %s", (kind, intercept, weights) => {
  const targets = kind === 'logistic' ? target.map((value) => (value > 0 ? 1 : 0)) : target;
  const fit = finish(fitLinear(columns, targets, { kind, penalty: 0.01, name: 'test' }));
  expect(fit.intercept).toBeCloseTo(intercept, 6);
  weights.forEach((weight, i) => expect(fit.weights[i]).toBeCloseTo(weight, 6));
});

it('says nothing about a row with a missing feature and learns nothing from it', () => {
  const spoilt = columns.map((column, i) =>
    i === 1 ? column.map((v, row) => (row === 250 ? NaN : v)) : column,
  );
  const fit = finish(fitLinear(spoilt, target, { kind: 'least-squares', penalty: 0.01, name: 'test' }));
  const values = linearValues(fit, spoilt);
  expect(values[250]).toBeNaN();
  expect(values.filter(Number.isFinite).length).toBe(299);
});

it('solves duplicate and constant features', () => {
  const fit = finish(
    fitLinear([columns[0], columns[0], columns[0].map(() => 5)], target, {
      kind: 'logistic',
      penalty: 0,
      name: 'test',
    }),
  );
  for (const weight of fit.weights) expect(Number.isFinite(weight)).toBe(true);
});

it('enters beyond the edge, stays until one half, and has no opinion without a probability', () => {
  const { position, confidence } = followProbability(
    Float64Array.of(0.5, 0.52, 0.6, 0.51, 0.49, 0.45, 0.4, NaN, 0.49, 0.5),
    0.08,
  );
  expect([...position]).toEqual([0, 0, 1, 1, 0, 0, -1, NaN, -1, 0]);
  expect(confidence[2]).toBeCloseTo(0.2, 12);
});

it('counts as right or wrong only what it has an opinion on, by hand', () => {
  expect(accuracy(Float64Array.of(0.6, 0.4, NaN, 0.7), Float64Array.of(1, 0, 0, 0))).toBeCloseTo(2 / 3, 12);
  expect(accuracy(Float64Array.of(NaN), Float64Array.of(0))).toBeUndefined();
});
