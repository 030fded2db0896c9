import { z } from 'zod';
import type { Model } from '../../core/forecast/model.ts';
import { formatTime } from '../../core/foundation/time.ts';
import { modelParams } from '../../learning/training/plan.ts';
import { type FeatureMarket, rankFeatures, type SelectedFeatures } from '../workflows/features.ts';
import { type CommandContext, oneOf } from './command.ts';
import { projectRegistry } from './project-plugins.ts';
import { less } from './table.ts';

export interface SelectionOptions {
  readonly names: readonly string[];
  readonly model: string;
  /** Default: the model's own. */
  readonly horizonBars?: number | undefined;
  readonly folds: number;
  readonly repeats: number;
  readonly sameAbove: number;
}

/** `features --select`: which features carry something that others do not, by the training bars alone. */
export async function printSelection(
  context: CommandContext,
  market: FeatureMarket,
  { names, folds, repeats, sameAbove, ...options }: SelectionOptions,
): Promise<void> {
  const { config, out, seed, signal } = context;
  const model = await rowModel(context, options.model);
  const progress = out.progress();
  const tasks = new Map<string, ReturnType<typeof progress.task>>();
  let selected: SelectedFeatures;
  try {
    selected = await rankFeatures(market, {
      names,
      model,
      params: paramsOf(context, model, options),
      sinceMs: config.market.since,
      shares: config.training,
      folds,
      repeats,
      sameAbove,
      seed,
      signal,
      onProgress: (done, total) => {
        const task = tasks.get('select') ?? progress.task('selecting features', total);
        tasks.set('select', task);
        task.update(done);
      },
      onLeftOut: (unknown) => out.notice(`Left out, without a value on these bars: ${unknown.join(', ')}.`),
    });
  } finally {
    progress.stop();
  }
  report(context, selected, model.id);
}

/** Throws `UsageError` for a model that cannot be asked about single rows. */
async function rowModel(context: CommandContext, id: string): Promise<Model> {
  const registry = await projectRegistry(context);
  const able = registry.models.filter(({ readsRows }) => readsRows).map((model) => model.id);
  return registry.findModel(oneOf('--model', id, able));
}

const Horizon = z.looseObject({ horizonBars: z.int() });

/** The model's parameters for a list of features. */
function paramsOf(
  { config }: CommandContext,
  model: Model,
  { horizonBars }: Pick<SelectionOptions, 'horizonBars'>,
): (names: readonly string[]) => z.output<typeof Horizon> {
  return (names) =>
    Horizon.parse(
      modelParams(model, 'full', {
        ...config.models[model.id],
        features: [...names],
        ...(horizonBars !== undefined && { horizonBars }),
      }),
    );
}

function report({ out }: CommandContext, selection: SelectedFeatures, model: string): void {
  const { clusters, logLoss, baseRateLogLoss, folds, completeRows, names, horizonBars, span } = selection;
  const selected = clusters.filter((cluster) => cluster.selected).map(({ representative }) => representative);
  out.document({
    model,
    horizonBars,
    trainedFrom: formatTime(span.fromMs),
    trainedUntil: formatTime(span.untilMs),
    folds: folds.map(({ train, test }) => ({
      trainUntil: formatTime(train.untilMs),
      testFrom: formatTime(test.fromMs),
      testUntil: formatTime(test.untilMs),
    })),
    completeRows,
    candidates: names.length,
    logLoss,
    baseRateLogLoss,
    clusters,
    selected,
  });
  out.table(
    ['feature', less('stands for', 1), 'importance', less('95 % interval', 2), 'folds', 'selected'],
    clusters.map(({ representative, members, importance, interval, stability, selected: taken }) => [
      representative,
      String(members.length),
      micro(importance),
      interval === undefined ? '-' : `${micro(interval.low)} .. ${micro(interval.high)}`,
      `${Math.round(stability * folds.length)}/${folds.length}`,
      taken ? 'yes' : 'no',
    ]),
  );
  out.print(
    `Importance: by how much the log loss of ${model} rises when the feature is shuffled, in millionths of a nat.`,
  );
  out.print(
    `${names.length} features in ${clusters.length} clusters; ${folds.length} folds on the training bars up to ${formatTime(span.untilMs)}; labels of ${horizonBars} bars.`,
  );
  out.print(
    `Log loss out of sample ${logLoss.toFixed(6)}, with no features ${baseRateLogLoss.toFixed(6)}: ${logLoss < baseRateLogLoss ? 'the features help' : 'the model does not beat the share of rises, so importances are those of a model that has learned nothing'}.`,
  );
  out.print(
    selected.length === 0
      ? 'No feature is selected: none helps beyond what chance may do.'
      : `Selected: ${selected.join(', ')}`,
  );
  out.print(
    `Of ${clusters.length} clusters that carry nothing, about ${Math.round(0.025 * clusters.length)} would have an interval above 0 by chance.`,
  );
}

const micro = (value: number): string => (1e6 * value).toFixed(1);
