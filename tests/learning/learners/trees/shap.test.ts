import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import {
  boost,
  type BoostingParams,
  predictMargin,
} from '../../../../src/learning/learners/trees/boosting.ts';
import { shapValues } from '../../../../src/learning/learners/trees/shap.ts';

/** Made with XGBoost 3.2.0 (`pred_contribs`, `output_margin`) on the rows below; its numbers are float32. */
const Case = z.object({ margins: z.array(z.number()), contributions: z.array(z.array(z.number())) });
const golden = z
  .object({ plain: Case, monotone: Case, monotone_l1: Case })
  .loose()
  .parse(JSON.parse(readFileSync(new URL('golden/xgboost-contributions.json', import.meta.url), 'utf8')));

const round4 = (value: number): number => Math.round(value * 1e4) / 1e4;
const rows = [0, 1, 2, 3].map((j) =>
  Float64Array.from({ length: 120 }, (_, i) =>
    round4(Math.sin(1 + 0.37 * (4 * i + j)) + 0.25 * Math.cos(0.05 * i * (j + 1))),
  ),
);
const labels = rows[0].map((x, i) =>
  round4(2 * x - rows[1][i] * rows[2][i] + (rows[3][i] > 0 ? 0.5 : 0)) > 0 ? 1 : 0,
);
const columns = rows.map((column, j) =>
  j === 1 ? column.map((value, i) => (i % 7 === 0 ? NaN : value)) : column,
);
const PLAIN: BoostingParams = {
  objective: 'binary:logistic',
  baseScore: 0.5,
  rounds: 12,
  eta: 0.3,
  maxDepth: 4,
  minChildWeight: 1,
  lambda: 1,
  alpha: 0,
  gamma: 0,
  maxBin: 255,
  subsample: 1,
  colsampleByTree: 1,
};

it.each([
  ['plain', PLAIN],
  ['monotone', { ...PLAIN, monotone: [1, 0, -1, 1] }],
  ['monotone_l1', { ...PLAIN, monotone: [1, -1, 0, 0], alpha: 0.2, gamma: 0.1, minChildWeight: 3 }],
] as const)('%s trees have the margins and contributions of XGBoost', async (name, params) => {
  const booster = await boost({ train: { columns, labels }, params, seed: 1 });
  const margins = predictMargin(booster, columns);
  golden[name].margins.forEach((value, row) => expect(Math.abs(margins[row] - value)).toBeLessThan(1e-5));
  const { expected, columns: parts } = shapValues(booster, columns);
  for (const [row, [...values]] of golden[name].contributions.entries()) {
    expect(Math.abs(expected - (values.pop() ?? NaN))).toBeLessThan(1e-5);
    values.forEach((value, feature) => expect(Math.abs(parts[feature][row] - value)).toBeLessThan(1e-5));
  }
});

it('gives contributions that sum to the margin, for every row and with missing values', async () => {
  const booster = await boost({ train: { columns, labels }, params: { ...PLAIN, rounds: 30 }, seed: 1 });
  const margins = predictMargin(booster, columns);
  const { expected, columns: parts } = shapValues(booster, columns);
  margins.forEach((margin, row) =>
    expect(parts.reduce((sum, part) => sum + part[row], expected)).toBeCloseTo(margin, 9),
  );
});

it('shares what two features do together evenly, by hand', () => {
  // x0 and x1: value 1 when both are high, 0 otherwise; half of the rows on either side of each split.
  const tree = {
    feature: Int32Array.of(0, -1, 1, -1, -1),
    threshold: Float32Array.of(0.5, 0, 0.5, 0, 0),
    missingLeft: new Uint8Array(5),
    left: Int32Array.of(1, -1, 3, -1, -1),
    right: Int32Array.of(2, -1, 4, -1, -1),
    value: Float64Array.of(0, 0, 0, 0, 1),
    gain: new Float64Array(5),
    cover: Float64Array.of(4, 2, 2, 1, 1),
  };
  const booster = { objective: 'reg:squarederror', baseScore: 0, trees: [tree] } as const;
  const { expected, columns: parts } = shapValues(booster, [Float64Array.of(1), Float64Array.of(1)]);
  // v(none) = 1/4, v(x0) = v(x1) = 1/2, v(both) = 1: each (1/2 - 1/4 + 1 - 1/2) / 2.
  expect(expected).toBeCloseTo(0.25, 12);
  expect(parts[0][0]).toBeCloseTo(0.375, 12);
  expect(parts[1][0]).toBeCloseTo(0.375, 12);
});
