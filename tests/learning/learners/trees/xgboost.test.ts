import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  boost,
  type Booster,
  type BoostingParams,
  gainImportance,
  lossOf,
  predict,
  predictMargin,
} from '../../../../src/learning/learners/trees/boosting.ts';

const golden = new URL('../../../golden/trees/xgboost.json', import.meta.url);

interface GoldenNode {
  readonly split?: string | undefined;
  readonly split_condition?: number | undefined;
  readonly gain?: number | undefined;
  readonly leaf?: number | undefined;
  readonly cover: number;
  readonly children?: readonly GoldenNode[] | undefined;
}
const GoldenNode: z.ZodType<GoldenNode> = z.lazy(() =>
  z.object({
    split: z.string().optional(),
    split_condition: z.number().optional(),
    gain: z.number().optional(),
    leaf: z.number().optional(),
    cover: z.number(),
    children: z.array(GoldenNode).optional(),
  }),
);
const Case = z.object({
  tree0: GoldenNode,
  pred_first5: z.array(z.number()),
  pred_mean: z.number(),
  loss: z.number(),
  gain_importance: z.record(z.string(), z.number()),
});

const round4 = (value: number): number => Math.round(value * 1e4) / 1e4;
const columns = [0, 1, 2, 3].map((j) =>
  Float64Array.from({ length: 120 }, (_, i) =>
    round4(Math.sin(1 + 0.37 * (4 * i + j)) + 0.25 * Math.cos(0.05 * i * (j + 1))),
  ),
);
const target = columns[0].map((x, i) =>
  round4(2 * x - columns[1][i] * columns[2][i] + (columns[3][i] > 0 ? 0.5 : 0)),
);
const PLAIN: BoostingParams = {
  objective: 'reg:squarederror',
  baseScore: 0.5,
  rounds: 5,
  eta: 0.3,
  maxDepth: 3,
  minChildWeight: 1,
  lambda: 1,
  alpha: 0,
  gamma: 0,
  maxBin: 255,
  subsample: 1,
  colsampleByTree: 1,
};

describe('boosting against XGBoost 1.7.4', () => {
  it.each([
    ['reg_hist', PLAIN],
    ['reg_exact', PLAIN],
    ['bin_exact', { ...PLAIN, objective: 'binary:logistic' }],
    [
      'bin_exact_l1_gamma_mcw',
      { ...PLAIN, objective: 'binary:logistic', alpha: 0.5, gamma: 0.3, minChildWeight: 4 },
    ],
  ] as const)('%s: first tree, predictions, loss and importance', async (name, params) => {
    const expected = Case.parse(
      z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(golden, 'utf8')))[name],
    );
    const logistic = params.objective === 'binary:logistic';
    const labels = logistic ? target.map((value) => (value > 0 ? 1 : 0)) : target;
    const booster = await boost({ train: { columns, labels }, params, seed: 1 });
    // The exact method puts thresholds half-way between values: the same rows go left.
    compare(booster, 0, expected.tree0, { thresholds: name === 'reg_hist' });
    const predicted = predict(booster, columns);
    expected.pred_first5.forEach((value, row) => expect(predicted[row]).toBeCloseTo(value, 5));
    expect(predicted.reduce((sum, value) => sum + value, 0) / 120).toBeCloseTo(expected.pred_mean, 5);
    expect(lossOf(params.objective, predictMargin(booster, columns), labels)).toBeCloseTo(expected.loss, 5);
    const importance = gainImportance(booster, 4);
    for (const [feature, gain] of Object.entries(expected.gain_importance))
      expect(Math.abs(importance[Number(feature.slice(1))] - gain)).toBeLessThan(5e-5);
  });
});

function compare(
  booster: Booster,
  node: number,
  expected: GoldenNode,
  options: { thresholds: boolean },
): void {
  const tree = booster.trees[0];
  expect(tree.cover[node]).toBeCloseTo(expected.cover, 4);
  if (expected.children === undefined) {
    expect(tree.feature[node]).toBe(-1);
    expect(tree.value[node]).toBeCloseTo(expected.leaf ?? NaN, 5);
    return;
  }
  expect(`f${tree.feature[node]}`).toBe(expected.split);
  if (options.thresholds) expect(tree.threshold[node]).toBeCloseTo(expected.split_condition ?? NaN, 6);
  // XGBoost's gains are differences of float32 numbers of up to 230.
  expect(Math.abs(tree.gain[node] - (expected.gain ?? NaN))).toBeLessThan(5e-5);
  compare(booster, tree.left[node], expected.children[0], options);
  compare(booster, tree.right[node], expected.children[1], options);
}
