import { mean } from '../../core/foundation/moments.ts';
import { type Panel, selectFeatures as pickFeatures } from '../../core/dataset/panel.ts';
import { type Fold, walkForwardFolds } from '../../core/dataset/splits.ts';
import { bootstrapMean, type Interval } from '../../core/evaluation/bootstrap.ts';
import { clusterSteps } from '../../core/evaluation/feature-clusters.ts';
import { invariant, UserError } from '../../core/foundation/errors.ts';
import { createRandom, deriveSeed, type Random, shuffle } from '../../core/foundation/random.ts';
import type { Steps } from '../../core/foundation/steps.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { FittedModel, Model } from '../../core/forecast/model.ts';
import { giveWay, inTurns } from '../../data/turns.ts';
import { refit } from './refit.ts';
import { LossByTime, type TestRows, testRows } from './selection-rows.ts';

interface SelectionTask {
  /** Training bars only, with the candidate features. */
  readonly panel: Panel;
  readonly names: readonly string[];
  /** A model that reads rows of features; its parameters for a list of names. */
  readonly model: Model;
  readonly params: (names: readonly string[]) => unknown;
  readonly horizonBars: number;
  readonly folds: number;
  /** Shuffles of each feature in each fold. */
  readonly repeats: number;
  /** Features whose rank correlation is above this say the same. */
  readonly sameAbove: number;
  readonly validationPct: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

export interface FeatureSelection {
  /** Bars of all symbols in which every candidate has a value: what the clusters are made of. */
  readonly completeRows: number;
  readonly folds: readonly Fold[];
  /** Mean log loss out of sample with the representatives of all clusters, and that of no features at all. */
  readonly logLoss: number;
  readonly baseRateLogLoss: number;
  /** Most important first. */
  readonly clusters: readonly RankedCluster[];
}

export interface RankedCluster {
  /** The member that stands for all in the model. */
  readonly representative: string;
  readonly members: readonly string[];
  /** By how much the log loss rises, in nats a row, when the representative is shuffled; mean over all test rows. */
  readonly importance: number;
  /** 95 % interval by the stationary bootstrap over time; `undefined` with too few bars. */
  readonly interval: Interval | undefined;
  /** Share of folds in which it rises. */
  readonly stability: number;
  /** The whole interval is above 0, and it rises in most folds. */
  readonly selected: boolean;
}

/** Rows that the clusters are computed on, at most: evenly spaced over all. */
const CLUSTER_ROWS = 20_000;

/**
 * Which features carry something that others do not: features are clustered by rank correlation, the medoid of
 * each cluster goes into the model, and the model is refitted fold by fold on the past (purged, with an embargo of
 * the horizon) while each feature is shuffled in the fold's test rows (Breiman 2001, permutation importance; in
 * finance: Lopez de Prado 2018, chapter 8). Nothing outside the given panel is looked at. Throws `UserError`
 * when the bars are too few, and `signal.reason` when aborted.
 */
export async function selectFeatures(task: SelectionTask): Promise<FeatureSelection> {
  const { panel, names, horizonBars, signal } = task;
  const columns = await inTurns(completeColumns(panel, names), signal);
  if (columns.length > 0 && columns[0].length < 100) {
    throw new UserError(
      `All ${names.length} features have a value together in ${columns[0].length} bars only.`,
      {
        hint: 'Fetch more history, or name the features to choose from.',
      },
    );
  }
  const clusters = await inTurns(clusterSteps(columns, task.sameAbove), signal);
  const chosen = clusters.map(({ medoid }) => names[medoid]);
  const folds = foldsOf(task);
  const random = createRandom(deriveSeed(task.seed, 'permutation'));
  const { losses, ofFeatures } = await measure(task, { chosen, folds, random });
  const ranked = clusters.map((cluster, f): RankedCluster => ({
    representative: names[cluster.medoid],
    members: cluster.members.map((i) => names[i]),
    ...judge(ofFeatures[f], { folds: folds.length, horizonBars, random }),
  }));
  return {
    completeRows: columns.length === 0 ? 0 : columns[0].length,
    folds,
    logLoss: mean(losses.means()) ?? NaN,
    baseRateLogLoss: baseRateLoss(pickFeatures(panel, chosen), folds, horizonBars),
    clusters: ranked.toSorted((a, b) => b.importance - a.importance),
  };
}

/** Test spans over the last two thirds of the bars, each with an embargo of the horizon. */
function foldsOf({ panel: { series, timeframe }, folds, horizonBars }: SelectionTask): readonly Fold[] {
  const fromMs = Math.min(...series.map(({ candles }) => candles.time[0]));
  const untilMs =
    Math.max(...series.map(({ candles }) => candles.time[candles.time.length - 1])) + TIMEFRAME_MS[timeframe];
  return walkForwardFolds({ fromMs, untilMs }, timeframe, {
    folds,
    firstTestMs: fromMs + (untilMs - fromMs) / 3,
    embargoMs: horizonBars * TIMEFRAME_MS[timeframe],
  });
}

/** What shuffling one feature did to the loss, bar by bar, and in how many folds it rose. */
interface Shuffled {
  readonly rises: LossByTime;
  risenFolds: number;
}

interface Measured {
  /** Out of sample, with every feature in its place. */
  readonly losses: LossByTime;
  /** One a chosen feature. */
  readonly ofFeatures: readonly Shuffled[];
}

/** Refits the model fold by fold and shuffles each of the chosen features in the rows of the fold's test. */
async function measure(
  task: SelectionTask,
  of: { readonly chosen: readonly string[]; readonly folds: readonly Fold[]; readonly random: Random },
): Promise<Measured> {
  const { panel, horizonBars, validationPct, signal } = task;
  const { chosen, folds, random } = of;
  const own = pickFeatures(panel, chosen);
  const params = task.params(chosen);
  const losses = new LossByTime();
  const ofFeatures = chosen.map((): Shuffled => ({ rises: new LossByTime(), risenFolds: 0 }));
  const total = folds.length * (1 + chosen.length);
  let done = 0;
  for (const [index, fold] of folds.entries()) {
    const seed = deriveSeed(task.seed, `selection fold ${index}`);
    const fitted = await refit({ model: task.model, params }, fold, { panel, validationPct, seed, signal });
    task.onProgress(++done, total);
    const rows = testRows(own, fold.test, horizonBars);
    const plain = await rowLosses(fitted, rows.panel, rows.up);
    rows.times.forEach((times, s) => losses.add(times, plain[s], 1));
    for (const [feature, found] of ofFeatures.entries()) {
      const rise = await shuffled(fitted, { rows, plain, feature, into: found.rises });
      if (rise > 0) found.risenFolds++;
      task.onProgress(++done, total);
    }
    fitted.dispose?.();
  }
  return { losses, ofFeatures };

  /** By how much the losses of all rows rise together, over all repeats. */
  async function shuffled(
    fitted: FittedModel,
    one: {
      readonly rows: TestRows;
      readonly plain: readonly Float64Array[];
      readonly feature: number;
      readonly into: LossByTime;
    },
  ): Promise<number> {
    const { rows, plain, feature, into } = one;
    let rise = 0;
    for (let repeat = 0; repeat < task.repeats; repeat++) {
      await giveWay(signal);
      const after = await rowLosses(fitted, shuffleColumn(rows.panel, feature, random), rows.up);
      rows.times.forEach((times, s) => {
        const change = after[s].map((loss, i) => loss - plain[s][i]);
        into.add(times, change, 1 / task.repeats);
        rise += change.reduce((sum, value) => sum + value, 0);
      });
    }
    return rise;
  }
}

function judge(
  { rises, risenFolds }: Shuffled,
  {
    folds,
    horizonBars,
    random,
  }: { readonly folds: number; readonly horizonBars: number; readonly random: Random },
): Pick<RankedCluster, 'importance' | 'interval' | 'stability' | 'selected'> {
  const changes = rises.means();
  const stability = risenFolds / folds;
  const blockBars = Math.max(2 * horizonBars, Math.round(2 * Math.cbrt(changes.length)));
  const interval = bootstrapMean(changes, random, { blockBars });
  return {
    importance: mean(changes) ?? NaN,
    interval,
    stability,
    selected: interval !== undefined && interval.low > 0 && stability > 0.5,
  };
}

/** Values of all symbols one after the other, of bars in which every feature has one. */
function* completeColumns(panel: Panel, names: readonly string[]): Steps<readonly Float64Array[]> {
  const parts = pickFeatures(panel, names).series.map(({ candles, features: { columns } }) => {
    const rows = Int32Array.from(candles.time.keys()).filter((row) =>
      columns.every((column) => !Number.isNaN(column[row])),
    );
    return { columns, rows };
  });
  const all = parts.reduce((sum, { rows }) => sum + rows.length, 0);
  const every = Math.max(1, Math.ceil(all / CLUSTER_ROWS));
  const kept = parts.map(({ columns, rows }) => ({
    columns,
    rows: [...rows.filter((_, r) => r % every === 0)],
  }));
  const complete: Float64Array[] = [];
  for (const i of names.keys()) {
    yield;
    complete.push(Float64Array.from(kept.flatMap(({ columns, rows }) => rows.map((row) => columns[i][row]))));
  }
  return complete;
}

/** Log loss of every row, by symbol; a row without an opinion is one of even odds. */
async function rowLosses(
  fitted: FittedModel,
  panel: Panel,
  up: readonly Uint8Array[],
): Promise<readonly Float64Array[]> {
  const forecasts = await fitted.forecast(panel);
  return forecasts.map(({ probabilityUp }, s) => {
    invariant(probabilityUp !== undefined, 'a model that features are selected with states probabilities');
    return probabilityUp.map((probability, row) => {
      const right = up[s][row] === 1 ? probability : 1 - probability;
      return Number.isNaN(right) ? Math.LN2 : -Math.log(Math.max(1e-12, right));
    });
  });
}

/** One feature's values in another order, symbol by symbol. */
function shuffleColumn(panel: Panel, feature: number, random: Random): Panel {
  const series = panel.series.map((one) => {
    const columns = [...one.features.columns];
    columns[feature] = shuffle(columns[feature].slice(), random);
    return { ...one, features: { names: one.features.names, columns } };
  });
  return { timeframe: panel.timeframe, series };
}

/** Log loss of the training span's share of rises, fold by fold. */
function baseRateLoss(panel: Panel, folds: readonly Fold[], horizonBars: number): number {
  const losses = new LossByTime();
  for (const { train, test } of folds) {
    const past = testRows(panel, train, horizonBars).up.flatMap((up) => [...up]);
    const share = past.reduce((sum, up) => sum + up, 0) / past.length;
    const { up, times } = testRows(panel, test, horizonBars);
    up.forEach((rows, s) =>
      losses.add(
        times[s],
        Float64Array.from(rows, (one) => -Math.log(one === 1 ? share : 1 - share)),
        1,
      ),
    );
  }
  return mean(losses.means()) ?? NaN;
}
