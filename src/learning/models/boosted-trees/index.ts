import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { searchRanges } from '../../../core/forecast/search-range.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import type { FitTask } from '../../../core/forecast/model.ts';
import type { Examples } from '../../learners/tabular/examples.ts';
import { TABULAR_CLASS_PARAMS, TABULAR_PARAMS } from '../../learners/tabular/params.ts';
import { boost, type Booster } from '../../learners/trees/boosting.ts';
import { treesModel } from '../../learners/trees/trees-model.ts';

const Params = z.strictObject({
  ...TABULAR_PARAMS,
  ...TABULAR_CLASS_PARAMS,
  rounds: z
    .int()
    .min(1)
    .default(400)
    .describe('Trees at most')
    .register(searchRanges, { low: 50, high: 800, log: true }),
  earlyStoppingRounds: z
    .int()
    .min(1)
    .default(30)
    .describe('Stop when validation has not improved for N rounds'),
  eta: z
    .number()
    .positive()
    .max(1)
    .default(0.03)
    .describe('Learning rate')
    .register(searchRanges, { low: 0.005, high: 0.3, log: true }),
  maxDepth: z.int().min(1).max(12).default(4).register(searchRanges, { low: 2, high: 8 }),
  minChildWeight: z
    .number()
    .min(0)
    .default(20)
    .describe('Least sum of second derivatives in a leaf')
    .register(searchRanges, { low: 1, high: 200, log: true }),
  lambda: z
    .number()
    .min(0)
    .default(5)
    .describe('L2 penalty on leaf values')
    .register(searchRanges, { low: 0.1, high: 100, log: true }),
  alpha: z.number().min(0).default(0).describe('L1 penalty on leaf values'),
  gamma: z.number().min(0).default(0).describe('Least gain of a split'),
  subsample: z
    .number()
    .gt(0)
    .max(1)
    .default(0.7)
    .describe('Share of rows for each tree')
    .register(searchRanges, { low: 0.4, high: 1 }),
  colsampleByTree: z
    .number()
    .gt(0)
    .max(1)
    .default(0.6)
    .describe('Share of features for each tree')
    .register(searchRanges, { low: 0.2, high: 1 }),
  maxBin: z.int().min(2).max(255).default(255).describe('Histogram bins a feature'),
  monotone: z
    .record(z.string(), z.union([z.literal(-1), z.literal(1)]))
    .default({})
    .describe('By feature: 1 when the forecast may only rise with it, -1 only fall'),
});
type Params = z.output<typeof Params>;

/** Gradient-boosted trees on catalogue features, one model for all symbols, for the sign of the next return. */
export const boostedTrees = treesModel<Params>({
  id: 'boosted-trees',
  summary: 'gradient-boosted trees on catalogue features',
  source: 'Chen and Guestrin 2016, XGBoost: A Scalable Tree Boosting System (own histogram implementation)',
  params: Params,
  quickParams: { rounds: 150, eta: 0.06 },
  grow,
});

async function grow(
  { params, signal, seed, onProgress }: FitTask<Params>,
  { train, validation }: Examples,
): Promise<Booster> {
  const { monotone: named, classWeights: _, ...numbers } = params;
  const monotone = monotoneDirections(named, params.features);
  const started = performance.now();
  let lastYield = started;
  return boost({
    train,
    ...(validation.labels.length > 0 && { validation }),
    seed,
    signal,
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
