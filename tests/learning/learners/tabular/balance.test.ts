import { describe, expect, it } from 'vitest';
import { finish } from '../../../../src/core/foundation/steps.ts';
import { createRandom, normal } from '../../../../src/core/foundation/random.ts';
import { balancedRows } from '../../../../src/learning/learners/tabular/balance.ts';
import type { LabelledRows } from '../../../../src/learning/learners/tabular/examples.ts';
import { fitLinear, linearValues } from '../../../../src/learning/learners/tabular/linear.ts';
import { boost, predict } from '../../../../src/learning/learners/trees/boosting.ts';
import { growForest } from '../../../../src/learning/models/random-forest/index.ts';

const random = createRandom(7);
/** One rise in four, where the first of two features is high; the second is missing now and then. */
const rows = ((): LabelledRows & { readonly columns: readonly Float64Array[] } => {
  const first = Float64Array.from({ length: 400 }, () => normal(random));
  const labels = first.map((x) => (x + 0.5 * normal(random) > 0.75 ? 1 : 0));
  return {
    columns: [first, first.map((x, i) => (i % 9 === 0 ? NaN : -x + normal(random)))],
    labels,
    returns: labels.map((label) => label - 0.5),
  };
})();
const { signal } = new AbortController();
const ups = rows.labels.filter((label) => label === 1).length;

describe('rows whose classes are balanced', () => {
  it('weigh as much in sum in both classes', async () => {
    const { weights = new Float64Array() } = await balancedRows(rows, { classWeights: 'balanced', smote: 0 }, { seed: 1, signal }); // prettier-ignore
    const sum = (label: number): number => weights.reduce((total, w, i) => total + (rows.labels[i] === label ? w : 0), 0); // prettier-ignore
    expect(sum(1)).toBeCloseTo(200, 9);
    expect(sum(0)).toBeCloseTo(200, 9);
  });

  it('get synthetic rows of the rarer class, inside its range, with values wherever their first row has one', async () => {
    const all = await balancedRows(rows, { classWeights: 'none', smote: 1 }, { seed: 1, signal });
    expect(all.labels).toHaveLength(2 * (400 - ups));
    const [first, second] = all.columns;
    const high = rows.columns[0].filter((_, i) => rows.labels[i] === 1);
    for (let i = 400; i < all.labels.length; i++) {
      expect(all.labels[i]).toBe(1);
      expect(all.returns[i]).toBe(0.5);
      expect(first[i]).toBeGreaterThanOrEqual(Math.min(...high));
      expect(first[i]).toBeLessThanOrEqual(Math.max(...high));
    }
    expect(second.subarray(400).every((value) => Number.isNaN(value))).toBe(false);
  });

  it('are what they were where nothing is asked for', async () => {
    expect(await balancedRows(rows, { classWeights: 'none', smote: 0 }, { seed: 1, signal })).toBe(rows);
  });
});

describe('a row that counts twice is a row that is there twice', () => {
  // Of few values: the bins of trees are then the same.
  const complete = { columns: [rows.columns[0].map((x) => Math.round(2 * x) / 2)], labels: rows.labels };
  const twice = Int32Array.from({ length: 500 }, (_, i) => i % 400);
  const repeated = {
    columns: [Float64Array.from(twice, (row) => complete.columns[0][row])],
    labels: Float64Array.from(twice, (row) => complete.labels[row]),
  };
  const weights = Float64Array.from({ length: 400 }, (_, row) => (row < 100 ? 2 : 1));
  const apart = (a: Float64Array, b: Float64Array): number =>
    Math.max(...a.map((value, i) => Math.abs(value - b[i])));

  it('to logistic regression', () => {
    const of = { kind: 'logistic', name: 'test', penalty: 0 } as const;
    const [a, b] = [
      finish(fitLinear(complete.columns, complete.labels, { ...of, weights })),
      finish(fitLinear(repeated.columns, repeated.labels, of)),
    ];
    expect(apart(linearValues(a, complete.columns), linearValues(b, complete.columns))).toBeLessThan(1e-6);
  });

  it('to boosted trees and forests', async () => {
    const params = {
      objective: 'binary:logistic', baseScore: 0.5, rounds: 5, eta: 0.3, maxDepth: 2, minChildWeight: 1,
      lambda: 1, alpha: 0, gamma: 0, maxBin: 255, subsample: 1, colsampleByTree: 1,
    } as const; // prettier-ignore
    const [a, b] = [
      await boost({ train: { ...complete, weights }, params, seed: 1 }),
      await boost({ train: repeated, params, seed: 1 }),
    ];
    expect(apart(predict(a, complete.columns), predict(b, complete.columns))).toBeLessThan(1e-5);
    const forest = { trees: 1, maxDepth: 1, minLeaf: 1, rowShare: 1, featureShare: 1 };
    const never = { seed: 1, onTree: async () => {} };
    const [c, d] = [
      await growForest({ ...complete, weights }, forest, never),
      await growForest(repeated, forest, never),
    ];
    expect(apart(predict(c, complete.columns), predict(d, complete.columns))).toBeLessThan(1e-5);
  });
});
