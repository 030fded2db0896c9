import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { createRandom } from '../../../core/foundation/random.ts';
import { binColumns } from '../../learners/trees/binning.ts';
import { type Booster, draw, upTo } from '../../learners/trees/boosting.ts';
import { createGrower } from '../../learners/trees/grow.ts';
import type { Tree } from '../../learners/trees/tree.ts';
import { treesModel } from '../../learners/trees/trees-model.ts';
import type { FitTask } from '../../../core/forecast/model.ts';
import type { Examples } from '../../learners/tabular/examples.ts';
import { TABULAR_PARAMS } from '../../learners/tabular/params.ts';

const Params = z.strictObject({
  ...TABULAR_PARAMS,
  trees: z.int().min(1).default(200),
  maxDepth: z.int().min(1).max(16).default(8),
  minLeaf: z.int().min(1).default(50).describe('Least rows in a leaf'),
  rowShare: z.number().gt(0).max(1).default(0.5).describe('Share of rows each tree is grown on'),
  featureShare: z.number().gt(0).max(1).default(0.3).describe('Share of features each tree may split on'),
});
type Params = z.output<typeof Params>;

/** The mean of many deep trees, each grown on a random part of rows and features. */
export const randomForest = treesModel<Params>({
  id: 'random-forest',
  summary: 'a forest of trees on random rows and features',
  source:
    'Breiman 2001; rows and features drawn without replacement, a tree at a time (Louppe and Geurts 2012)',
  params: Params,
  quickParams: { trees: 60 },
  grow,
});

async function grow(
  { params, seed, signal, onProgress }: FitTask<Params>,
  { train }: Examples,
): Promise<Booster> {
  const rows = train.labels.length;
  // Squared error around one half: a leaf's value is its share of rises less a half, over the number of trees.
  const derivatives = {
    gradients: train.labels.map((label) => 0.5 - label),
    hessians: new Float64Array(rows).fill(1),
  };
  const grow = createGrower(binColumns(train.columns, 255), {
    eta: 1 / params.trees,
    maxDepth: params.maxDepth,
    minChildWeight: params.minLeaf,
    lambda: 0,
    alpha: 0,
    gamma: 0,
  });
  const random = createRandom(seed);
  const [allRows, allFeatures] = [rows, params.features.length].map(upTo);
  const trees: Tree[] = [];
  const margins = new Float64Array(rows);
  for (let step = 1; step <= params.trees; step++) {
    const sample = draw(allRows, params.rowShare, random);
    trees.push(
      grow(derivatives, { sample, features: draw(allFeatures, params.featureShare, random), margins }),
    );
    onProgress({ step, steps: params.trees });
    if (step % 8 === 0) await setImmediate();
    signal.throwIfAborted();
  }
  return { objective: 'reg:squarederror', baseScore: 0.5, trees };
}
