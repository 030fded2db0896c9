import { type Panel, panelUntil, selectFeatures } from '../../core/dataset/panel.ts';
import type { Fold } from '../../core/dataset/splits.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { deriveSeed } from '../../core/foundation/random.ts';
import { lowerBound } from '../../core/market/candles.ts';
import type { Forecast, Model } from '../../core/forecast/model.ts';
import { giveWay } from '../../data/turns.ts';
import { noSkill } from './no-skill.ts';
import { refit, validationSpan } from './refit.ts';

interface WalkForwardTask {
  /** All bars, with the features of all models. */
  readonly panel: Panel;
  readonly entries: readonly WalkForwardEntry[];
  /** Test spans in time order, each with the span before it to train on: dataset/splits.ts. */
  readonly folds: readonly Fold[];
  /** Share of each training span that is kept for early stopping. */
  readonly validationPct: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly onFold: (modelId: string, fold: number) => void;
}

interface WalkForwardEntry {
  readonly model: Model;
  readonly params: unknown;
}

export interface WalkForwardResult {
  /** Forecasts of each model, stitched from its out-of-sample folds; `NaN` elsewhere. */
  readonly members: readonly WalkForwardMember[];
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
}

export interface WalkForwardMember extends Stitched {
  readonly model: Model;
}

interface Stitched {
  readonly forecasts: readonly Forecast[];
  /** Fold by fold why the model had no skill on the validation bars of that fold's training span. */
  readonly noSkill: readonly (string | undefined)[];
}

/**
 * Refits every model for every fold on the bars before it (`refit`: purge and embargo) and forecasts the fold. A model
 * that cannot learn from these bars is left out, with its reason. Throws `UserError` when none is left, and
 * `signal.reason` when aborted.
 */
export async function walkForward(task: WalkForwardTask): Promise<WalkForwardResult> {
  const members: WalkForwardMember[] = [];
  const skipped: { id: string; reason: string }[] = [];
  for (const entry of task.entries) {
    try {
      members.push({ model: entry.model, ...(await stitch(entry, task)) });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      skipped.push({ id: entry.model.id, reason: error.message });
    }
  }
  if (members.length === 0) {
    throw new UserError('No model could be trained in every fold.', {
      hint: skipped.map(({ id, reason }) => `${id}: ${reason}`).join('\n'),
    });
  }
  return { members, skipped };
}

async function stitch(
  { model, params }: WalkForwardEntry,
  { panel, folds, validationPct, seed, signal, onFold }: WalkForwardTask,
): Promise<Stitched> {
  const own = selectFeatures(panel, model.features(params));
  const stitched: Forecast[] = [];
  const unskilled: (string | undefined)[] = [];
  for (const [index, fold] of folds.entries()) {
    await giveWay(signal);
    const fitted = await refit({ model, params }, fold, {
      panel,
      validationPct,
      seed: deriveSeed(seed, `${model.id} fold ${index}`),
      signal,
    });
    await giveWay(signal);
    const { test } = fold;
    const forecasts = await fitted.forecast(panelUntil(own, test.untilMs));
    unskilled.push(noSkill(model, own, forecasts, validationSpan(fold.train, own.timeframe, validationPct)));
    forecasts.forEach((forecast, s) => {
      const { time } = own.series[s].candles;
      stitched[s] ??= unknown(forecast, time.length);
      const from = lowerBound(time, test.fromMs);
      const targets = columnsOf(stitched[s]);
      columnsOf(forecast).forEach((column, k) => targets[k].set(column.subarray(from), from));
    });
    fitted.dispose?.();
    onFold(model.id, index);
  }
  return { forecasts: stitched, noSkill: unskilled };
}

/** The same statements for `rows` bars, none of them made yet. */
function unknown(
  { symbol, horizonBars, probabilityUp, expectedReturn, quantiles }: Forecast,
  rows: number,
): Forecast {
  const column = (): Float64Array => new Float64Array(rows).fill(NaN);
  return {
    symbol,
    horizonBars,
    position: column(),
    confidence: column(),
    ...(probabilityUp && { probabilityUp: column() }),
    ...(expectedReturn && { expectedReturn: column() }),
    ...(quantiles && { quantiles: { levels: quantiles.levels, columns: quantiles.columns.map(column) } }),
  };
}

/** Every column of a forecast, always in the same order. */
const columnsOf = ({
  position,
  confidence,
  probabilityUp,
  expectedReturn,
  quantiles,
}: Forecast): Float64Array[] =>
  [position, confidence, probabilityUp, expectedReturn, ...(quantiles?.columns ?? [])].filter(
    (column) => column !== undefined,
  );
