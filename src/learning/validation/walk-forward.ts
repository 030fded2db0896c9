import { createHash } from 'node:crypto';
import { type Panel, panelUntil, selectFeatures } from '../../core/dataset/panel.ts';
import type { Fold } from '../../core/dataset/splits.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { deriveSeed } from '../../core/foundation/random.ts';
import { lowerBound } from '../../core/market/candles.ts';
import type { Artifact, Forecast, Model } from '../../core/forecast/model.ts';
import { CANDLE_COLUMNS } from '../../core/market/candles.ts';
import { giveWay } from '../../data/turns.ts';
import type { FoldCache, FoldResult } from './fold-cache.ts';
import { forecastColumns, forecastRows, statedBy, unknownForecast } from './forecast-columns.ts';
import { noSkill } from './no-skill.ts';
import { measurePace } from './pace.ts';
import { refit, refitTask, validationSpan } from './refit.ts';

export interface WalkForwardTask {
  /** All bars, with the features of all models. */
  readonly panel: Panel;
  readonly entries: readonly WalkForwardEntry[];
  /** Test spans in time order, each with the span before it to train on: dataset/splits.ts. */
  readonly folds: readonly Fold[];
  /** Share of each training span that is kept for early stopping. */
  readonly validationPct: number;
  readonly seed: number;
  /** Every fold from new weights; else models that can begin from those of the fold before. */
  readonly cold?: boolean;
  /** Where finished folds are kept and looked for; absent: nowhere. */
  readonly cache?: FoldCache;
  readonly signal: AbortSignal;
  /** Called before anything is fitted, with what the pace of the first steps says. */
  readonly onCost?: (cost: WalkForwardCost) => void;
  readonly onFold: (modelId: string, fold: number) => void;
}

interface WalkForwardEntry {
  readonly model: Model;
  readonly params: unknown;
  /** SHA-256 of the file that the model comes from, where it is not ours. */
  readonly plugin?: string;
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

/** What is still to be fitted. */
export interface WalkForwardCost {
  /** Of all models; `kept` of them were found. */
  readonly folds: number;
  readonly kept: number;
  /** Networks and agents with folds to fit, and how long these take at the measured pace. */
  readonly slow: readonly { readonly id: string; readonly folds: number; readonly seconds: number }[];
  /** Those whose pace could not be measured, and models that are fitted in seconds. */
  readonly unmeasured: readonly { readonly id: string; readonly folds: number }[];
}

/** A model, the features it reads, and what its folds are kept under. */
interface Planned extends WalkForwardEntry {
  readonly own: Panel;
  readonly keys: readonly string[];
  /** It begins each fold from the weights of the one before. */
  readonly warm: boolean;
}

/**
 * Refits every model for every fold on the bars before it (`refit`: purge and embargo) and forecasts the fold. A model
 * that cannot learn from these bars is left out, with its reason. With a cache each finished fold is durable and what
 * was stopped goes on behind it. Throws `UserError` when no model is left, and `signal.reason` when aborted.
 */
export async function walkForward(task: WalkForwardTask): Promise<WalkForwardResult> {
  const planned = task.entries.map((entry) => planEntry(entry, task));
  if (task.onCost !== undefined) task.onCost(await costOf(planned, task));
  const members: WalkForwardMember[] = [];
  const skipped: { id: string; reason: string }[] = [];
  for (const entry of planned) {
    try {
      members.push({ model: entry.model, ...(await stitch(entry, task)) });
    } catch (error) {
      if (!(error instanceof UserError) || task.signal.aborted) throw error;
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

function planEntry(entry: WalkForwardEntry, { panel, folds, ...task }: WalkForwardTask): Planned {
  const { model, params, plugin = null } = entry;
  const features = model.features(params);
  const own = selectFeatures(panel, features);
  const warm = model.warmStarts === true && task.cold !== true;
  const keys: string[] = [];
  if (task.cache !== undefined) {
    const data = dataHashes(own, folds);
    for (const [i, fold] of folds.entries()) {
      const { validationPct, seed } = task;
      const before = warm ? (keys[i - 1] ?? null) : null;
      const facts = { model: model.id, params, plugin, features, validationPct, seed, fold, i, before };
      keys.push(task.cache.keyOf({ ...facts, warm, timeframe: panel.timeframe, data: data[i] }));
    }
  }
  return { ...entry, own, keys, warm };
}

/** Of each fold, SHA-256 of all bars and features that its model may look at. */
function dataHashes({ series }: Panel, folds: readonly Fold[]): readonly string[] {
  const running = series.map(({ symbol }) => createHash('sha256').update(symbol));
  const done = series.map(() => 0);
  return folds.map(({ test }) => {
    series.forEach(({ candles, features }, s) => {
      const until = lowerBound(candles.time, test.untilMs);
      for (const column of [...CANDLE_COLUMNS.map((name) => candles[name]), ...features.columns]) {
        const rows = column.subarray(done[s], until);
        running[s].update(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength));
      }
      done[s] = until;
    });
    return running.map((hash) => hash.copy().digest('hex')).join(' ');
  });
}

/** A fold that is still to be fitted, which can be done elsewhere. */
export interface MissingFold {
  /** What it is kept under. */
  readonly key: string;
  /** The fold that must be there before it: it begins from the weights of that one. */
  readonly after: string | undefined;
}

/** The folds of a walk-forward apart from each other; `task.cache` has what is known. */
export function openFolds(task: WalkForwardTask): {
  missing(): readonly MissingFold[];
  /** Keeps the result in the cache. Throws `UserError` where there is no such fold, or its model cannot learn. */
  fit(key: string): Promise<void>;
} {
  const planned = task.entries.map((entry) => planEntry(entry, task));
  const all = planned.flatMap((entry) =>
    entry.keys.map((key, index) => ({
      ...{ entry, index, key },
      after: entry.warm ? entry.keys[index - 1] : undefined,
    })),
  );
  return {
    missing: () => all.filter(({ key }) => task.cache?.has(key) !== true),
    async fit(wanted) {
      const found = all.find(({ key }) => key === wanted);
      if (found === undefined)
        throw new UserError('No fold here is the one that is wanted.', {
          hint: 'Models of your own, and their parameters, must be the same on both machines.',
        });
      await fitter(found.entry, task)(found.index);
    },
  };
}

/** Fits a fold of a model, and before it those that it goes on from where their weights are not kept. */
function fitter(planned: Planned, task: WalkForwardTask): (index: number) => Promise<FoldResult> {
  const { model, own, keys } = planned;
  const { folds, cache, signal } = task;
  /** The fold that was fitted last, and where its weights ended. */
  let last: { readonly index: number; readonly warm: Artifact | undefined } | undefined;

  const warmAfter = async (index: number): Promise<Artifact | undefined> => {
    if (last?.index !== index) {
      const warm = await cache?.findWarm(keys[index]);
      if (warm !== undefined) return warm;
      await fitFold(index);
    }
    return last?.warm;
  };
  const fitFold = async (index: number): Promise<FoldResult> => {
    const begin = planned.warm && index > 0 ? await warmAfter(index - 1) : undefined;
    let warm: Artifact | undefined;
    const { train, test } = folds[index];
    const validation = validationSpan(train, own.timeframe, task.validationPct);
    const fitted = await refit(planned, folds[index], {
      ...task,
      seed: deriveSeed(task.seed, `${model.id} fold ${index}`),
      ...(begin && { warm: begin, warmUntilMs: trainedUntil(index - 1) }),
      ...(planned.warm && { onEpoch: (snapshot) => (warm = snapshot) }),
    });
    await giveWay(signal);
    const all = await fitted.forecast(panelUntil(own, test.untilMs), { sinceMs: validation.fromMs });
    fitted.dispose?.();
    const why = noSkill(model, own, all, validation);
    const forecasts = all.map((forecast, s) => {
      const { time } = own.series[s].candles;
      return forecastRows(forecast, lowerBound(time, test.fromMs), lowerBound(time, test.untilMs));
    });
    const result = { forecasts, ...(why !== undefined && { noSkill: why }) };
    last = { index, warm };
    await cache?.keep(keys[index], result, warm && { of: warm, before: keys[index - 1] });
    return result;
  };

  /** Where training ended in a fold: what comes after is new to the next. */
  const trainedUntil = (index: number): number =>
    validationSpan(folds[index].train, own.timeframe, task.validationPct).fromMs;
  return fitFold;
}

async function stitch(planned: Planned, task: WalkForwardTask): Promise<Stitched> {
  const { model, own, keys } = planned;
  const { folds, cache, signal, onFold } = task;
  const fitFold = fitter(planned, task);
  const stitched: Forecast[] = [];
  const unskilled: (string | undefined)[] = [];
  for (const [index, { test }] of folds.entries()) {
    await giveWay(signal);
    const { forecasts, noSkill: why } = (await cache?.find(keys[index])) ?? (await fitFold(index));
    unskilled.push(why);
    forecasts.forEach((forecast, s) => {
      const { time } = own.series[s].candles;
      stitched[s] ??= unknownForecast(statedBy(forecast), time.length);
      const from = lowerBound(time, test.fromMs);
      const targets = forecastColumns(stitched[s]);
      forecastColumns(forecast).forEach((column, k) => targets[k].set(column, from));
    });
    onFold(model.id, index);
  }
  return { forecasts: stitched, noSkill: unskilled };
}

/** A network that goes on from the fold before takes a third of the passes. */
const WARM_SHARE = 1 / 3;

async function costOf(planned: readonly Planned[], task: WalkForwardTask): Promise<WalkForwardCost> {
  const { folds, cache } = task;
  const slow: { id: string; folds: number; seconds: number }[] = [];
  const unmeasured: { id: string; folds: number }[] = [];
  for (const entry of planned) {
    const missing = folds.flatMap((_, i) => (cache?.has(entry.keys[i]) === true ? [] : [i]));
    if (missing.length === 0) continue;
    const { model } = entry;
    const measured =
      model.kind === 'deep' || model.kind === 'agent'
        ? await measurePace(model, refitTask(entry, folds[missing[0]], task))
        : undefined;
    if (measured === undefined) {
      unmeasured.push({ id: model.id, folds: missing.length });
      continue;
    }
    const length = ({ train }: Fold): number => train.untilMs - train.fromMs;
    const seconds = missing.reduce((sum, i) => {
      const share = entry.warm && i > 0 ? WARM_SHARE : 1;
      return sum + (measured.seconds * share * length(folds[i])) / length(folds[missing[0]]);
    }, 0);
    slow.push({ id: model.id, folds: missing.length, seconds });
  }
  const left = [...slow, ...unmeasured].reduce((sum, one) => sum + one.folds, 0);
  const all = planned.length * folds.length;
  return { folds: all, kept: all - left, slow, unmeasured };
}
