import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { UserError } from '../../foundation/errors.ts';
import { createRandom } from '../../foundation/random.ts';
import { BoosterHead, packTrees, unpackTrees } from '../boosted-trees/artifact.ts';
import { binColumns } from '../boosted-trees/binning.ts';
import { type Booster, draw, gainImportance, predict, upTo } from '../boosted-trees/boosting.ts';
import { explainNewest, explainOnAverage } from '../boosted-trees/explain.ts';
import { createGrower } from '../boosted-trees/grow.ts';
import type { Tree } from '../boosted-trees/tree.ts';
import { ExplanationPart } from '../explanation.ts';
import type { FittedModel, FitTask, Model } from '../model.ts';
import { gatherExamples } from '../tabular/examples.ts';
import { FEATURES } from '../tabular/features.ts';
import { accuracy, entryEdgeOf, forecastDirection } from '../tabular/forecast.ts';

const Params = z.strictObject({
  features: z
    .array(z.string())
    .min(1)
    .default([...FEATURES])
    .describe('Names from the feature catalogue'),
  horizonBars: z.int().min(1).default(4).describe('Bars of the return whose sign is forecast'),
  trees: z.int().min(1).default(200),
  maxDepth: z.int().min(1).max(16).default(8),
  minLeaf: z.int().min(1).default(50).describe('Least rows in a leaf'),
  rowShare: z.number().gt(0).max(1).default(0.5).describe('Share of rows each tree is grown on'),
  featureShare: z.number().gt(0).max(1).default(0.3).describe('Share of features each tree may split on'),
  entryQuantile: z
    .number()
    .min(0)
    .lt(1)
    .default(0.7)
    .describe('Enter on probabilities further from even than this quantile of past ones'),
});
type Params = z.output<typeof Params>;

const Learned = z.strictObject({
  params: Params,
  forest: BoosterHead,
  entryEdge: z.number().min(0).max(0.5),
  meanMove: z.number().min(0),
  figures: z.record(z.string(), z.unknown()),
  explanation: z.array(ExplanationPart),
});

/** The mean of many deep trees, each grown on a random part of rows and features. */
export const randomForest: Model<Params> = {
  id: 'random-forest',
  summary: 'a forest of trees on random rows and features',
  kind: 'classical',
  stochastic: true,
  source:
    'Breiman 2001; rows and features drawn without replacement, a tree at a time (Louppe and Geurts 2012)',
  params: Params,
  quickParams: { trees: 60 },
  features: (params) => params.features,
  fit,
  load: async ({ json, blobs }) => {
    const learned = Learned.parse(json);
    return fitted(learned, unpackTrees(learned.forest, blobs['trees'], learned.params.features.length));
  },
};

async function fit(task: FitTask<Params>): Promise<FittedModel> {
  const { params, signal, onProgress } = task;
  const { features } = params;
  const { train, validation, meanMove } = gatherExamples(task, params);
  const rows = train.labels.length;
  if (rows < 200) {
    throw new UserError(`"random-forest" needs 200 labelled training bars, got ${rows}.`, {
      hint: 'Fetch more history with `fetch --since`.',
    });
  }
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
  const random = createRandom(task.seed);
  const [allRows, allFeatures] = [rows, features.length].map(upTo);
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
  const booster: Booster = { objective: 'reg:squarederror', baseScore: 0.5, trees };
  const judged = validation.labels.length > 0 ? validation : train;
  const importance = gainImportance(booster, features.length);
  const learned = {
    params,
    forest: packTrees(booster).head,
    entryEdge: entryEdgeOf(predict(booster, judged.columns), params.entryQuantile),
    meanMove,
    figures: {
      trainingRows: rows,
      validationRows: validation.labels.length,
      validationAccuracy: accuracy(predict(booster, validation.columns), validation.labels),
      meanGain: Object.fromEntries(
        features
          .map((name, i) => [name, importance[i]] as const)
          .sort((a, b) => b[1] - a[1])
          .slice(0, 20),
      ),
    },
    explanation: [...explainOnAverage(booster, judged, { names: features, seed: task.seed })],
  };
  return fitted(learned, booster);
}

function fitted(learned: z.output<typeof Learned>, forest: Booster): FittedModel {
  const { params, entryEdge, meanMove, figures, explanation } = learned;
  return {
    report: figures,
    explanation,
    explain: async (panel) => explainNewest(forest, panel, params.features),
    forecast: async (panel) =>
      forecastDirection(panel, {
        ...params,
        entryEdge,
        meanMove,
        predict: (columns) => ({ probabilityUp: predict(forest, columns) }),
        blind: 'all-missing',
      }),
    save: () => ({ json: learned, blobs: { trees: packTrees(forest).bytes } }),
  };
}
