import type { FeatureColumn } from '../../../core/dataset/panel.ts';
import { z } from 'zod';
import { searchRanges } from '../../../core/forecast/search-range.ts';
import { normalCdf } from '../../../core/foundation/special-functions.ts';
import type { FittedModel, FitTask, Model } from '../../../core/forecast/model.ts';
import { giveWay, inTurns } from '../../../data/turns.ts';
import { exampleSteps } from './examples.ts';
import { accuracy, entryEdgeOf, followDirection, forecastSteps, type RowModel } from './forecast.ts';
import { fitLinear, linearValues } from './linear.ts';
import { balancedRows } from './balance.ts';
import { TABULAR_CLASS_PARAMS, TABULAR_PARAMS, type TabularClassParams } from './params.ts';

const common = {
  ...TABULAR_PARAMS,
  penalty: z
    .number()
    .min(0)
    .default(0.01)
    .describe('L2 penalty on the weights of standardised features')
    .register(searchRanges, { low: 1e-4, high: 10, log: true }),
};
/** Of least squares, and of the logistic model, which forecasts a class. */
const PARAMS = {
  'least-squares': z.strictObject(common),
  logistic: z.strictObject({ ...common, ...TABULAR_CLASS_PARAMS }),
} as const;
type Kind = keyof typeof PARAMS;
type Params = z.output<(typeof PARAMS)['least-squares']> & Partial<TabularClassParams>;

const Learned = z.strictObject({
  params: z.union([PARAMS['least-squares'], PARAMS.logistic]),
  scaler: z.strictObject({ means: z.array(z.number()), deviations: z.array(z.number().positive()) }),
  intercept: z.number(),
  weights: z.array(z.number()),
  /** Of the returns around the line, for the probability that least squares states; 1 for logistic. */
  residualDeviation: z.number().positive(),
  entryEdge: z.number().min(0).max(0.5),
  meanMove: z.number().min(0),
  figures: z.record(z.string(), z.unknown()),
});
type Learned = z.output<typeof Learned>;

/** A penalised linear model of the next return (least squares) or of its sign (logistic), for all symbols. */
export function linearModel(about: Pick<Model, 'id' | 'summary' | 'source'>, kind: Kind): Model<Params> {
  return {
    ...about,
    kind: 'classical',
    usesValidation: true,
    readsRows: true,
    params: PARAMS[kind],
    features: (params) => params.features,
    fit: async (task) => fitted(kind, await learn(about.id, kind, task)),
    load: async ({ json }) => fitted(kind, Learned.parse(json)),
  };
}

async function learn(name: string, kind: Kind, task: FitTask<Params>): Promise<Learned> {
  const { params, signal, onProgress } = task;
  await giveWay(signal);
  const { train, validation, meanMove } = await inTurns(exampleSteps(task, params), signal);
  await giveWay(signal);
  const { classWeights = 'none', smote = 0 } = params;
  const rows = await balancedRows(train, { classWeights, smote }, task);
  const targets = kind === 'logistic' ? rows.labels : rows.returns;
  const fit = await inTurns(
    fitLinear([...rows.columns], targets, { kind, penalty: params.penalty, name, weights: rows.weights }),
    signal,
  );
  await giveWay(signal);
  const residuals = linearValues(fit, [...train.columns])
    .map((value, row) => train.returns[row] - value)
    .filter(Number.isFinite);
  const squares = residuals.reduce((sum, residual) => sum + residual * residual, 0);
  const learned = {
    params,
    scaler: { means: [...fit.scaler.means], deviations: [...fit.scaler.deviations] },
    intercept: fit.intercept,
    weights: [...fit.weights],
    residualDeviation: kind === 'logistic' ? 1 : Math.sqrt(squares / residuals.length) || 1,
    entryEdge: 0,
    meanMove,
    figures: {},
  };
  const judged = validation.labels.length > 0 ? validation : train;
  const predicted = probabilities(kind, learned, [...judged.columns]).probabilityUp;
  const known = predicted.filter((value) => !Number.isNaN(value));
  onProgress({ step: 1, steps: 1 });
  return {
    ...learned,
    entryEdge: known.length === 0 ? 0 : entryEdgeOf(known, params.entryQuantile),
    figures: {
      trainingRows: train.labels.length,
      validationRows: validation.labels.length,
      validationAccuracy: accuracy(
        probabilities(kind, learned, [...validation.columns]).probabilityUp,
        validation.labels,
      ),
      weights: Object.fromEntries(
        params.features
          .map((feature, i) => [feature, fit.weights[i]] as const)
          .sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]))
          .slice(0, 20),
      ),
    },
  };
}

function probabilities(kind: Kind, learned: Learned, columns: readonly FeatureColumn[]) {
  const values = linearValues(learned, columns);
  if (kind === 'logistic') return { probabilityUp: values.map((value) => 1 / (1 + Math.exp(-value))) };
  const deviation = learned.residualDeviation;
  return { probabilityUp: values.map((value) => normalCdf(value / deviation)), expectedReturn: values };
}

function fitted(kind: Kind, learned: Learned): FittedModel {
  const { params, entryEdge, meanMove, figures } = learned;
  const by: RowModel = {
    ...params,
    entryEdge,
    meanMove,
    predict: (columns) => probabilities(kind, learned, columns),
    blind: 'any-missing',
  };
  return {
    report: figures,
    forecast: (panel, wanted) => inTurns(forecastSteps(panel, by, wanted)),
    follow: (from) => followDirection(by, from),
    save: () => ({ json: learned, blobs: {} }),
  };
}
