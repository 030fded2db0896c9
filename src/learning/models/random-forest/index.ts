import { z } from 'zod';
import { searchRanges } from '../../../core/forecast/search-range.ts';
import { createRandom, shuffle } from '../../../core/foundation/random.ts';
import { giveWay, inTurns } from '../../../data/turns.ts';
import { binningSteps } from '../../learners/trees/binning.ts';
import { type Booster, draw, upTo } from '../../learners/trees/boosting.ts';
import { createGrower } from '../../learners/trees/grow.ts';
import type { Tree } from '../../learners/trees/tree.ts';
import { treesModel } from '../../learners/trees/trees-model.ts';
import type { FitTask } from '../../../core/forecast/model.ts';
import type { Examples } from '../../learners/tabular/examples.ts';
import { TABULAR_CLASS_PARAMS, TABULAR_PARAMS } from '../../learners/tabular/params.ts';

const Params = z.strictObject({
  ...TABULAR_PARAMS,
  ...TABULAR_CLASS_PARAMS,
  trees: z.int().min(1).default(200).register(searchRanges, { low: 50, high: 500, log: true }),
  maxDepth: z.int().min(1).max(16).default(8).register(searchRanges, { low: 2, high: 14 }),
  minLeaf: z
    .int()
    .min(1)
    .default(50)
    .describe('Least rows in a leaf')
    .register(searchRanges, { low: 5, high: 500, log: true }),
  rowShare: z
    .number()
    .gt(0)
    .max(1)
    .default(0.5)
    .describe('Share of rows each tree is grown on')
    .register(searchRanges, { low: 0.2, high: 1 }),
  featureShare: z
    .number()
    .gt(0)
    .max(1)
    .default(0.3)
    .describe('Share of features drawn for each split')
    .register(searchRanges, { low: 0.05, high: 1, log: true }),
});
type Params = z.output<typeof Params>;

/** The mean of many deep trees, each grown on a random part of rows and features. */
export const randomForest = treesModel<Params>({
  id: 'random-forest',
  summary: 'a forest of trees on random rows and features',
  source:
    'Breiman 2001: features drawn for each split; rows for each tree, without replacement (Louppe and Geurts 2012)',
  params: Params,
  quickParams: { trees: 60 },
  grow,
});

async function grow(
  { params, seed, signal, onProgress }: FitTask<Params>,
  { train }: Examples,
): Promise<Booster> {
  return growForest(train, params, {
    seed,
    signal,
    async onTree(step) {
      onProgress({ step, steps: params.trees });
      await giveWay(signal);
    },
  });
}

/** A forest for labels 0 and 1; its prediction is the mean share of ones in the leaves. */
export async function growForest(
  { columns, labels, weights }: Pick<Examples['train'], 'columns' | 'labels' | 'weights'>,
  params: Pick<Params, 'trees' | 'maxDepth' | 'minLeaf' | 'rowShare' | 'featureShare'>,
  {
    seed,
    signal,
    onTree,
  }: {
    readonly seed: number;
    readonly signal?: AbortSignal;
    readonly onTree: (trees: number) => Promise<void>;
  },
): Promise<Booster> {
  const rows = labels.length;
  // Squared error around one half: a leaf's value is its share of rises less a half, over the number of trees.
  const derivatives = {
    gradients: labels.map((label, row) => (0.5 - label) * (weights?.[row] ?? 1)),
    hessians: weights ?? new Float64Array(rows).fill(1),
  };
  const binned = await inTurns(binningSteps(columns, 255), signal);
  const grow = createGrower(binned, {
    eta: 1 / params.trees,
    maxDepth: params.maxDepth,
    minChildWeight: params.minLeaf,
    lambda: 0,
    alpha: 0,
    gamma: 0,
  });
  const random = createRandom(seed);
  const width = binned.cuts.length;
  const [allRows, allFeatures] = [rows, width].map(upTo);
  // As in scikit-learn: a share of the features for each split, and the others only where none of those splits.
  const group = Math.max(1, Math.floor(params.featureShare * width));
  const drawFeatures = (all: Int32Array): readonly Int32Array[] => {
    const drawn = shuffle(all.slice(), random);
    const groups: Int32Array[] = [];
    for (let at = 0; at < drawn.length; at += group) groups.push(drawn.subarray(at, at + group).sort());
    return groups;
  };
  const trees: Tree[] = [];
  const margins = new Float64Array(rows);
  for (let step = 1; step <= params.trees; step++) {
    const sample = draw(allRows, params.rowShare, random);
    trees.push(grow(derivatives, { sample, features: allFeatures, margins, drawFeatures }));
    await onTree(step);
  }
  return { objective: 'reg:squarederror', baseScore: 0.5, trees };
}
