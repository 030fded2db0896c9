import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { UserError } from '../../foundation/errors.ts';
import { ExplanationPart } from '../explanation.ts';
import type { FittedModel, FitTask, Model } from '../model.ts';
import { gatherExamples } from '../tabular/examples.ts';
import { FEATURES } from '../tabular/features.ts';
import { accuracy, entryEdgeOf, forecastDirection } from '../tabular/forecast.ts';
import { BoosterHead, packTrees, unpackTrees } from './artifact.ts';
import { boost, type Booster, gainImportance, predict } from './boosting.ts';
import { explainNewest, explainOnAverage } from './explain.ts';

const Params = z.strictObject({
  features: z
    .array(z.string())
    .min(1)
    .default([...FEATURES])
    .describe('Names from the feature catalogue'),
  horizonBars: z.int().min(1).default(4).describe('Bars of the return whose sign is forecast'),
  rounds: z.int().min(1).default(400).describe('Trees at most'),
  earlyStoppingRounds: z
    .int()
    .min(1)
    .default(30)
    .describe('Stop when validation has not improved for so many'),
  eta: z.number().positive().max(1).default(0.03).describe('Learning rate'),
  maxDepth: z.int().min(1).max(12).default(4),
  minChildWeight: z.number().min(0).default(20).describe('Least sum of second derivatives in a leaf'),
  lambda: z.number().min(0).default(5).describe('L2 penalty on leaf values'),
  alpha: z.number().min(0).default(0).describe('L1 penalty on leaf values'),
  gamma: z.number().min(0).default(0).describe('Least gain of a split'),
  subsample: z.number().gt(0).max(1).default(0.7).describe('Share of rows for each tree'),
  colsampleByTree: z.number().gt(0).max(1).default(0.6).describe('Share of features for each tree'),
  maxBin: z.int().min(2).max(255).default(255).describe('Histogram bins a feature'),
  monotone: z
    .record(z.string(), z.union([z.literal(-1), z.literal(1)]))
    .default({})
    .describe('By feature: 1 when the forecast may only rise with it, -1 only fall'),
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
  booster: BoosterHead,
  /** Distance of a probability from one half at which a position is entered. */
  entryEdge: z.number().min(0).max(0.5),
  /** Mean absolute return over the horizon in the training rows. */
  meanMove: z.number().min(0),
  figures: z.record(z.string(), z.unknown()),
  explanation: z.array(ExplanationPart),
});

/** Gradient-boosted trees on catalogue features, one model for all symbols, for the sign of the next return. */
export const boostedTrees: Model<Params> = {
  id: 'boosted-trees',
  summary: 'gradient-boosted trees on catalogue features',
  kind: 'classical',
  stochastic: true,
  source: 'Chen and Guestrin 2016, XGBoost: A Scalable Tree Boosting System (own histogram implementation)',
  params: Params,
  quickParams: { rounds: 150, eta: 0.06 },
  features: (params) => params.features,
  fit,
  load: async ({ json, blobs }) => {
    const learned = Learned.parse(json);
    const { features } = learned.params;
    return fitted(learned, unpackTrees(learned.booster, blobs['trees'], features.length));
  },
};

async function fit(task: FitTask<Params>): Promise<FittedModel> {
  const { params, signal, seed, onProgress } = task;
  const { features, horizonBars } = params;
  const { train, validation, meanMove } = gatherExamples(task, { features, horizonBars });
  if (train.labels.length < 200) {
    throw new UserError(`"boosted-trees" needs 200 labelled training bars, got ${train.labels.length}.`, {
      hint: 'Fetch more history with `fetch --since`.',
    });
  }
  const { monotone: named, ...numbers } = params;
  const monotone = monotoneDirections(named, features);
  const started = performance.now();
  let lastYield = started;
  const booster = await boost({
    train,
    ...(validation.labels.length > 0 ? { validation } : {}),
    seed,
    params: {
      ...numbers,
      objective: 'binary:logistic',
      baseScore: 0.5,
      ...(monotone === undefined ? {} : { monotone }),
    },
    onRound: async (step, loss, validationLoss) => {
      const now = performance.now();
      const samplesPerSecond = (1000 * step * train.labels.length) / Math.max(1, now - started);
      onProgress({
        step,
        steps: params.rounds,
        loss,
        samplesPerSecond,
        ...(validationLoss === undefined ? {} : { validationLoss }),
      });
      // Ctrl-C and timers get their turn.
      if (now - lastYield > 50) {
        await setImmediate();
        lastYield = performance.now();
      }
      signal.throwIfAborted();
    },
  });
  const judged = validation.labels.length > 0 ? validation : train;
  const importance = gainImportance(booster, features.length);
  const learned = {
    params,
    booster: packTrees(booster).head,
    entryEdge: entryEdgeOf(predict(booster, judged.columns), params.entryQuantile),
    meanMove,
    figures: {
      trees: booster.trees.length,
      trainingRows: train.labels.length,
      validationRows: validation.labels.length,
      validationAccuracy: accuracy(predict(booster, validation.columns), validation.labels),
      meanGain: Object.fromEntries(
        features
          .map((name, i) => [name, importance[i]] as const)
          .sort((a, b) => b[1] - a[1])
          .slice(0, 20),
      ),
    },
    explanation: [...explainOnAverage(booster, judged, { names: features, seed })],
  };
  return fitted(learned, booster);
}

function fitted(learned: z.output<typeof Learned>, booster: Booster): FittedModel {
  const { params, entryEdge, meanMove, figures, explanation } = learned;
  return {
    report: figures,
    explanation,
    explain: async (panel) => explainNewest(booster, panel, params.features),
    forecast: async (panel) =>
      forecastDirection(panel, {
        ...params,
        entryEdge,
        predict: (columns) => ({ probabilityUp: predict(booster, columns) }),
        // Trees can route missing values, but a row in which all are missing says nothing.
        blind: 'all-missing',
        meanMove,
      }),
    save: () => ({ json: learned, blobs: { trees: packTrees(booster).bytes } }),
  };
}

function monotoneDirections(
  named: Params['monotone'],
  features: readonly string[],
): readonly number[] | undefined {
  const unknown = Object.keys(named).find((name) => !features.includes(name));
  if (unknown !== undefined) {
    throw new UserError(
      `"boosted-trees" has a monotone constraint on "${unknown}", which it does not read.`,
      {
        hint: 'Add it to models.boosted-trees.features or drop the constraint.',
      },
    );
  }
  if (Object.keys(named).length === 0) return undefined;
  return features.map((name) => named[name] ?? 0);
}
