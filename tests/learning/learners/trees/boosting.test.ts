import { expect, it } from 'vitest';
import { createRandom, normal } from '../../../../src/core/foundation/random.ts';
import { packTrees, unpackTrees } from '../../../../src/learning/learners/trees/artifact.ts';
import { finish } from '../../../../src/core/foundation/steps.ts';
import { binnedValues, binningSteps } from '../../../../src/learning/learners/trees/binning.ts';
import {
  boost,
  type BoostingParams,
  lossOf,
  predict,
  predictMargin,
} from '../../../../src/learning/learners/trees/boosting.ts';

import { addTrees } from '../../../../src/learning/learners/trees/tree.ts';

const PARAMS: BoostingParams = {
  objective: 'reg:squarederror',
  baseScore: 0,
  rounds: 60,
  eta: 0.2,
  maxDepth: 4,
  minChildWeight: 1,
  lambda: 1,
  alpha: 0,
  gamma: 0,
  maxBin: 64,
  subsample: 1,
  colsampleByTree: 1,
};

/** y = 2 x0 + sin(3 x1) + noise; x2 says nothing. Some of x0 is missing where y is high. */
function examples(rows: number, seed: number, noise = 0.3) {
  const random = createRandom(seed);
  const columns = [0, 1, 2].map(() => Float64Array.from({ length: rows }, () => normal(random)));
  const labels = columns[0].map((x, row) => 2 * x + Math.sin(3 * columns[1][row]) + noise * normal(random));
  return { columns, labels };
}

it('learns a function and leaves out what says nothing', async () => {
  const booster = await boost({ train: examples(2000, 1), params: PARAMS, seed: 1 });
  const { columns, labels } = examples(2000, 2);
  expect(lossOf('reg:squarederror', predictMargin(booster, columns), labels)).toBeLessThan(0.45);
});

it('never lowers the training loss by less than nothing', async () => {
  const losses: number[] = [];
  await boost({
    train: examples(500, 3),
    params: PARAMS,
    seed: 1,
    onRound: async (_, loss) => void losses.push(loss),
  });
  for (let i = 1; i < losses.length; i++) expect(losses[i]).toBeLessThanOrEqual(losses[i - 1]);
});

it('adds the same leaf values to its training rows as prediction does, sampled or not', async () => {
  for (const subsample of [1, 0.5]) {
    const train = examples(700, 4);
    train.columns[0] = train.columns[0].map((value, row) => (row % 7 === 0 ? NaN : value));
    let last = NaN;
    const booster = await boost({
      train,
      params: { ...PARAMS, subsample, colsampleByTree: 0.67, gamma: 0.5 },
      seed: 5,
      onRound: async (_, loss) => void (last = loss),
    });
    expect(lossOf('reg:squarederror', predictMargin(booster, train.columns), train.labels)).toBeCloseTo(
      last,
      9,
    );
  }
});

it('sends missing values to the side where they belong', async () => {
  const random = createRandom(6);
  const x = Float64Array.from({ length: 400 }, () => normal(random));
  const labels = x.map((value, row) => (row % 2 === 0 || value > 0 ? 1 : -1));
  const column = x.map((value, row) => (row % 2 === 0 ? NaN : value));
  const booster = await boost({ train: { columns: [column], labels }, params: PARAMS, seed: 1 });
  const [missing, low, high] = predict(booster, [Float64Array.of(NaN, -1, 1)]);
  expect(missing).toBeCloseTo(1, 1);
  expect(low).toBeCloseTo(-1, 1);
  expect(high).toBeCloseTo(1, 1);
});

it('stops early and keeps the trees up to the best validation loss', async () => {
  const losses: number[] = [];
  const booster = await boost({
    train: examples(200, 7, 2),
    validation: examples(200, 8, 2),
    params: { ...PARAMS, rounds: 500, maxDepth: 6, earlyStoppingRounds: 10 },
    seed: 1,
    onRound: async (_, __, loss) => void losses.push(loss ?? NaN),
  });
  expect(losses.length).toBeLessThan(500);
  expect(booster.trees.length).toBe(losses.indexOf(Math.min(...losses)) + 1);
  expect(losses.length).toBe(booster.trees.length + 10);
});

it('obeys monotone constraints everywhere', async () => {
  const params = { ...PARAMS, monotone: [1, 0, -1] };
  const booster = await boost({ train: examples(1000, 9, 1), params, seed: 1 });
  for (const [feature, direction] of [
    [0, 1],
    [2, -1],
  ] as const) {
    for (let probe = 0; probe < 20; probe++) {
      const grid = Float64Array.from({ length: 81 }, (_, i) => -4 + i / 10);
      const columns = [0, 1, 2].map((j) =>
        j === feature ? grid : grid.map(() => Math.sin(probe * (j + 1))),
      );
      const values = predict(booster, columns);
      for (let i = 1; i < values.length; i++)
        expect(direction * (values[i] - values[i - 1])).toBeGreaterThanOrEqual(-1e-12);
    }
  }
});

it('gives the same trees for the same seed and others for another', async () => {
  const grow = async (seed: number): Promise<Uint8Array> =>
    packTrees(await boost({ train: examples(300, 1), params: { ...PARAMS, subsample: 0.5 }, seed })).bytes;
  expect(await grow(1)).toEqual(await grow(1));
  expect(await grow(1)).not.toEqual(await grow(2));
});

it('keeps its trees as bytes, and refuses damaged ones', async () => {
  const { columns, labels } = examples(300, 1);
  const booster = await boost({ train: { columns, labels }, params: PARAMS, seed: 1 });
  const { head, bytes } = packTrees(booster);
  expect(predict(unpackTrees(head, bytes, 3), columns)).toEqual(predict(booster, columns));
  expect(() => unpackTrees(head, bytes.slice(8), 3)).toThrow('do not fit');
  expect(() => unpackTrees(head, bytes, 1)).toThrow('do not fit');
  expect(() => unpackTrees(head, undefined, 3)).toThrow('do not fit');
});

it('sends a row where its bin goes as where its value goes, missing ones too', async () => {
  const { columns, labels } = examples(400, 3, 1);
  const holed = columns.map((column, j) => column.map((value, row) => (row % 7 === j ? NaN : value)));
  const { trees } = await boost({ train: { columns: holed, labels }, params: PARAMS, seed: 1 });
  const [byValue, byBin] = [new Float64Array(400), new Float64Array(400)];
  addTrees(trees, holed, byValue);
  addTrees(trees, binnedValues(finish(binningSteps(holed, PARAMS.maxBin))), byBin);
  expect(byBin).toEqual(byValue);
  expect(new Set(byBin).size).toBeGreaterThan(100);
});

it('puts equally many rows in each bin, equal values in one and missing ones apart', () => {
  const [{ values: bins }] = finish(
    binningSteps([Float64Array.from({ length: 1000 }, (_, i) => i)], 10),
  ).bins;
  for (let bin = 0; bin < 10; bin++) expect(bins.filter((value) => value === bin).length).toBe(100);
  const few = finish(binningSteps([Float64Array.of(1, 2, 2, NaN, 3)], 10));
  expect([...few.bins[0].values]).toEqual([0, 1, 1, 3, 2]);
  expect([...few.cuts[0]]).toEqual([2, 3]);
});

it('cuts millions of rows into equal shares, and misses no value of a column that has few', () => {
  const rows = 2_400_000;
  const shares = finish(binningSteps([Float64Array.from({ length: rows }, (_, i) => i / rows)], 10)).cuts[0];
  expect(shares).toHaveLength(9);
  shares.forEach((cut, k) => expect(Math.abs(cut - (k + 1) / 10)).toBeLessThan(0.003));
  const rare = new Float64Array(rows);
  rare[1_234_567] = 1;
  rare[2_000_001] = NaN;
  expect([...finish(binningSteps([rare], 10)).cuts[0]]).toEqual([1]);
});
