import { type Panel, panelWithin, selectFeatures } from '../../core/dataset/panel.ts';
import { chronologicalSplit, type Fold, type Span } from '../../core/dataset/splits.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import { invariant } from '../../core/foundation/errors.ts';
import type { Artifact, FittedModel, FitTask, Model } from '../../core/forecast/model.ts';

export interface RefitTask {
  readonly panel: Panel;
  readonly validationPct: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Where a fit on earlier bars ended, to begin from. */
  readonly warm?: Artifact;
  readonly warmUntilMs?: number;
  /** Called with a snapshot after each epoch, of models that have such: what `warm` takes. */
  readonly onEpoch?: (snapshot: Artifact) => void;
}

interface RefitEntry {
  readonly model: Model;
  readonly params: unknown;
}

/**
 * Fits a model for one fold: walking forward, selecting features and the out-of-sample forecasts that agents see all
 * do it here. The fit is given the bars of `fold.train` and none after them, so no label can reach into the embargo
 * between the two spans or into the test span (purge). The last `validationPct` percent of `fold.train` are kept for
 * early stopping and thresholds. `panel` has all bars and at least the features that the model reads.
 * Throws `UserError` where the bars are too few, and `signal.reason` when aborted.
 */
export async function refit(entry: RefitEntry, fold: Fold, task: RefitTask): Promise<FittedModel> {
  const { onEpoch } = task;
  return entry.model.fit({
    ...refitTask(entry, fold, task),
    onProgress: () => {},
    ...(onEpoch && {
      snapshots: {
        isDue: ({ endOfEpoch }) => endOfEpoch === true,
        keep: async (snapshot) => onEpoch(snapshot),
      },
    }),
  });
}

/** What a model is given to be fitted for a fold. */
export function refitTask(
  { model, params }: RefitEntry,
  { train, test }: Fold,
  { panel, validationPct, seed, signal, warm, warmUntilMs }: RefitTask,
): Omit<FitTask<unknown>, 'onProgress' | 'snapshots'> {
  signal.throwIfAborted();
  invariant(train.untilMs <= test.fromMs, 'a fold is trained on bars before those it is tested on');
  return {
    panel: panelWithin(selectFeatures(panel, model.features(params)), train),
    params,
    trainUntilMs: validationSpan(train, panel.timeframe, validationPct).fromMs,
    seed,
    signal,
    ...(warm && { warm }),
    ...(warmUntilMs !== undefined && { warmUntilMs }),
  };
}

/** The end of a training span that is kept for validation. */
export const validationSpan = (train: Span, timeframe: Timeframe, validationPct: number): Span => ({
  fromMs: chronologicalSplit(train, timeframe, { validationPct, testPct: 0 }).trainUntilMs,
  untilMs: train.untilMs,
});
