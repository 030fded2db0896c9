import { z } from 'zod';
import { formatTime } from '../../core/foundation/time.ts';
import type { Store } from '../../data/store/store.ts';
import { panelUntil } from '../../core/dataset/panel.ts';
import { chronologicalSplit } from '../../core/dataset/splits.ts';
import type { Feature } from '../../core/features/feature.ts';
import type { InputSources } from '../../core/features/inputs.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import type { Model } from '../../core/forecast/model.ts';
import { loadPanel } from '../../data/panel/load-panel.ts';
import { modelParams } from '../../learning/training/plan.ts';
import { type FeatureSelection, selectFeatures } from '../../learning/validation/select-features.ts';
import { type CommandContext, oneOf } from './command.ts';
import { projectRegistry } from './project-plugins.ts';
import { less } from './table.ts';

export interface SelectionOptions {
  readonly store: Store;
  readonly exchange: string;
  readonly symbols: readonly PairSymbol[];
  readonly timeframe: Timeframe;
  readonly sources: InputSources;
  readonly catalogue: readonly Feature[];
  readonly names: readonly string[];
  readonly model: string;
  /** Default: the model's own. */
  readonly horizonBars?: number | undefined;
  readonly folds: number;
  readonly repeats: number;
  readonly sameAbove: number;
}

/** `features --select`: which features carry something that others do not, by the training bars alone. */
export async function printSelection(context: CommandContext, options: SelectionOptions): Promise<void> {
  const { config, out, seed, signal } = context;
  const { folds, repeats, sameAbove } = options;
  const model = await rowModel(context, options.model);
  const params = paramsOf(context, model, options);
  const { horizonBars } = params(options.names);
  const loaded = await loadPanel(options.store, {
    ...options,
    sinceMs: config.market.since,
    featureNames: options.names,
    signal,
  });
  // A pair has no correlation with the benchmark that it is itself: one such feature would leave no row complete.
  const isKnown = (f: number): boolean =>
    loaded.series.some(({ features }) => features.columns[f].some((value) => !Number.isNaN(value)));
  const names = options.names.filter((_, f) => isKnown(f));
  const unknown = options.names.filter((_, f) => !isKnown(f));
  if (unknown.length > 0) out.notice(`Left out, without a value on these bars: ${unknown.join(', ')}.`);
  const span = { fromMs: loaded.firstTimeMs, untilMs: loaded.untilMs };
  const { trainUntilMs } = chronologicalSplit(span, options.timeframe, config.training);
  const progress = out.progress();
  const tasks = new Map<string, ReturnType<typeof progress.task>>();
  let selection: FeatureSelection;
  try {
    selection = await selectFeatures({
      panel: panelUntil(loaded, trainUntilMs),
      names,
      model,
      params,
      horizonBars,
      folds,
      repeats,
      sameAbove,
      validationPct: config.training.validationPct,
      seed,
      signal,
      onProgress: (done, total) => {
        const task = tasks.get('select') ?? progress.task('selecting features', total);
        tasks.set('select', task);
        task.update(done);
      },
    });
  } finally {
    progress.stop();
  }
  report(context, selection, { ...options, names, horizonBars, span: { ...span, untilMs: trainUntilMs } });
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
  { horizonBars }: SelectionOptions,
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

function report(
  { out }: CommandContext,
  selection: FeatureSelection,
  about: SelectionOptions & {
    readonly horizonBars: number;
    readonly span: { readonly fromMs: number; readonly untilMs: number };
  },
): void {
  const { clusters, logLoss, baseRateLogLoss, folds, completeRows } = selection;
  const selected = clusters.filter((cluster) => cluster.selected).map(({ representative }) => representative);
  out.document({
    model: about.model,
    horizonBars: about.horizonBars,
    trainedFrom: formatTime(about.span.fromMs),
    trainedUntil: formatTime(about.span.untilMs),
    folds: folds.map(({ train, test }) => ({
      trainUntil: formatTime(train.untilMs),
      testFrom: formatTime(test.fromMs),
      testUntil: formatTime(test.untilMs),
    })),
    completeRows,
    candidates: about.names.length,
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
    `Importance: by how much the log loss of ${about.model} rises when the feature is shuffled, in millionths of a nat.`,
  );
  out.print(
    `${about.names.length} features in ${clusters.length} clusters; ${folds.length} folds on the training bars up to ${formatTime(about.span.untilMs)}; labels of ${about.horizonBars} bars.`,
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
