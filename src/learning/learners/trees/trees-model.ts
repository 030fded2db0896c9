import { z } from 'zod';
import type { FeatureColumn } from '../../../core/dataset/panel.ts';
import type { Steps } from '../../../core/foundation/steps.ts';
import { inTurns } from '../../../data/turns.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { ExplanationPart } from '../../../core/forecast/explanation.ts';
import type { FittedModel, FitTask, Model } from '../../../core/forecast/model.ts';
import { type Examples, exampleSteps } from '../tabular/examples.ts';
import { accuracy, entryEdgeOf, followDirection, forecastSteps, type RowModel } from '../tabular/forecast.ts';
import { balancedRows } from '../tabular/balance.ts';
import type { TabularClassParams, TabularParams } from '../tabular/params.ts';
import { BoosterHead, packTrees, unpackTrees } from './artifact.ts';
import { type Booster, gainImportance, predict } from './boosting.ts';
import { explainNewest, explainOnAverage } from './explain.ts';

const LEAST_ROWS = 200;

const learnedBy = <Params>(params: z.ZodType<Params>) =>
  z.strictObject({
    params,
    booster: BoosterHead,
    /** Distance of a probability from one half at which a position is entered. */
    entryEdge: z.number().min(0).max(0.5),
    /** Mean absolute return over the horizon in the training rows. */
    meanMove: z.number().min(0),
    figures: z.record(z.string(), z.unknown()),
    explanation: z.array(ExplanationPart),
  });
type Learned<Params> = z.output<ReturnType<typeof learnedBy<Params>>>;

/** A model of trees on catalogue features, one for all symbols, for the sign of the next return; `grow` makes the trees. */
export function treesModel<Params extends TabularParams & TabularClassParams>({
  grow,
  ...about
}: Pick<Model<Params>, 'id' | 'summary' | 'source' | 'params' | 'quickParams'> & {
  readonly grow: (task: FitTask<Params>, examples: Examples) => Promise<Booster>;
}): Model<Params> {
  return {
    ...about,
    kind: 'classical',
    stochastic: true,
    usesValidation: true,
    readsRows: true,
    readsSingle: true,
    readsColumns: true,
    features: (params) => params.features,
    async fit(task) {
      const examples = await inTurns(exampleSteps(task, task.params, { single: true }), task.signal);
      const rows = examples.train.labels.length;
      if (rows < LEAST_ROWS) {
        throw new UserError(`"${about.id}" needs ${LEAST_ROWS} labelled training bars, got ${rows}.`, {
          hint: 'Fetch more history with `fetch --since`.',
        });
      }
      const train = await balancedRows(examples.train, task.params, task);
      const booster = await grow(task, { ...examples, train });
      return fitted(await learn(task, examples, booster), booster);
    },
    async load({ json, blobs }) {
      const learned = learnedBy(about.params).parse(json);
      return fitted(learned, unpackTrees(learned.booster, blobs['trees'], learned.params.features.length));
    },
  };
}

async function learn<Params extends TabularParams>(
  { params, seed, signal }: FitTask<Params>,
  { train, validation, meanMove }: Examples,
  booster: Booster,
): Promise<Learned<Params>> {
  const judged = validation.labels.length > 0 ? validation : train;
  const columns = await inTurns(oneByOne(judged.columns), signal);
  const probabilities = predict(booster, columns);
  const importance = gainImportance(booster, params.features.length);
  return {
    params,
    booster: packTrees(booster).head,
    entryEdge: entryEdgeOf(probabilities, params.entryQuantile),
    meanMove,
    figures: {
      trees: booster.trees.length,
      trainingRows: train.labels.length,
      validationRows: validation.labels.length,
      validationAccuracy: judged === validation ? accuracy(probabilities, judged.labels) : undefined,
      meanGain: Object.fromEntries(
        params.features
          .map((name, i) => [name, importance[i]] as const)
          .filter(([, gain]) => gain > 0)
          .sort((a, b) => b[1] - a[1])
          .slice(0, 20),
      ),
    },
    explanation: [...explainOnAverage(booster, { ...judged, columns }, { names: params.features, seed })],
  };
}

/** All of them at last: each may be worked out when its turn comes. */
function* oneByOne(columns: Iterable<FeatureColumn>): Steps<readonly FeatureColumn[]> {
  const all: FeatureColumn[] = [];
  for (const column of columns) {
    all.push(column);
    yield;
  }
  return all;
}

function fitted<Params extends TabularParams>(learned: Learned<Params>, booster: Booster): FittedModel {
  const { params, entryEdge, meanMove, figures, explanation } = learned;
  const by: RowModel = {
    features: params.features,
    horizonBars: params.horizonBars,
    entryEdge,
    meanMove,
    predict: (columns) => ({ probabilityUp: predict(booster, columns) }),
    // Trees can route missing values, but a row in which all are missing says nothing.
    blind: 'all-missing',
  };
  return {
    report: figures,
    explanation,
    explain: async (panel) => explainNewest(booster, panel, params.features),
    forecast: (panel, wanted) => inTurns(forecastSteps(panel, by, wanted)),
    follow: (from) => followDirection(by, from),
    save: () => ({ json: learned, blobs: { trees: packTrees(booster).bytes } }),
  };
}
