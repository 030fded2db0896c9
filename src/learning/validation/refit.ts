import { type Panel, panelWithin, selectFeatures } from '../../core/dataset/panel.ts';
import { chronologicalSplit, type Fold, type Span } from '../../core/dataset/splits.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import { invariant } from '../../core/foundation/errors.ts';
import type { FittedModel, Model } from '../../core/forecast/model.ts';

/**
 * Fits a model for one fold: walking forward, selecting features and the out-of-sample forecasts that agents see all
 * do it here. The fit is given the bars of `fold.train` and none after them, so no label can reach into the embargo
 * between the two spans or into the test span (purge). The last `validationPct` percent of `fold.train` are kept for
 * early stopping and thresholds. `panel` has all bars and at least the features that the model reads.
 * Throws `UserError` where the bars are too few, and `signal.reason` when aborted.
 */
export async function refit(
  { model, params }: { readonly model: Model; readonly params: unknown },
  { train, test }: Fold,
  task: {
    readonly panel: Panel;
    readonly validationPct: number;
    readonly seed: number;
    readonly signal: AbortSignal;
  },
): Promise<FittedModel> {
  const { panel, validationPct, seed, signal } = task;
  signal.throwIfAborted();
  invariant(train.untilMs <= test.fromMs, 'a fold is trained on bars before those it is tested on');
  return model.fit({
    panel: panelWithin(selectFeatures(panel, model.features(params)), train),
    params,
    trainUntilMs: validationSpan(train, panel.timeframe, validationPct).fromMs,
    seed,
    signal,
    onProgress: () => {},
  });
}

/** The end of a training span that is kept for validation. */
export const validationSpan = (train: Span, timeframe: Timeframe, validationPct: number): Span => ({
  fromMs: chronologicalSplit(train, timeframe, { validationPct, testPct: 0 }).trainUntilMs,
  untilMs: train.untilMs,
});
