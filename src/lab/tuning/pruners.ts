import { quantileOfSorted } from '../../core/evaluation/statistics.ts';
import { deriveSeed } from '../../core/foundation/random.ts';
import { normalCdf } from '../../core/foundation/special-functions.ts';
import type { Trial } from './trial.ts';

/** Whether a running trial, as far as it has reported, is not worth going on with, beside the others. Lower is better. */
export type Pruner = (trial: Trial, others: readonly Trial[]) => boolean;

/** The latest step that was reported, and its value. */
const latest = ({ intermediate }: Trial): readonly [step: number, value: number] | undefined =>
  intermediate.length === 0 ? undefined : intermediate.reduce((last, one) => (one[0] > last[0] ? one : last));

const valueAt = ({ intermediate }: Trial, step: number): number | undefined =>
  intermediate.find(([at]) => at === step)?.[1];

export interface PercentileOptions {
  /** The share of complete trials that may be better at this step; 50: the median rule. */
  readonly percentile?: number;
  /** Complete trials before the first is pruned. Default 5. */
  readonly startupTrials?: number;
  /** Steps before the first is pruned. Default 0. */
  readonly warmupSteps?: number;
  /** Steps between two looks. Default 1. */
  readonly interval?: number;
}

/** Median and percentile stopping (Golovin et al. 2017, "Google Vizier"): its best so far against the others' values at this step. */
export function createPercentilePruner({
  percentile = 50,
  startupTrials = 5,
  warmupSteps = 0,
  interval = 1,
}: PercentileOptions = {}): Pruner {
  return (trial, others) => {
    const complete = others.filter(({ state }) => state === 'complete');
    const at = latest(trial);
    if (complete.length === 0 || complete.length < startupTrials || at === undefined || at[0] < warmupSteps)
      return false;
    const lookStep = Math.floor((at[0] - warmupSteps) / interval) * interval + warmupSteps;
    if (trial.intermediate.some(([step]) => step !== at[0] && step >= lookStep)) return false;
    const own = trial.intermediate.map(([, value]) => value).filter((value) => !Number.isNaN(value));
    if (own.length === 0) return true;
    const seen = complete
      .map((other) => valueAt(other, at[0]))
      .filter((value) => value !== undefined && !Number.isNaN(value)) as number[];
    const limit = quantileOfSorted(Float64Array.from(seen).sort(), percentile / 100);
    return limit !== undefined && Math.min(...own) > limit;
  };
}

export interface HalvingOptions {
  /** Steps until the first rung. Default 1. */
  readonly minResource?: number;
  /** One in so many goes on from a rung. Default 4. */
  readonly reductionFactor?: number;
  /** Rungs left out at the start. Default 0. */
  readonly minEarlyStoppingRate?: number;
}

/** Asynchronous successive halving (Li et al. 2020, "A system for massively parallel hyperparameter tuning"). */
export function createHalvingPruner({
  minResource = 1,
  reductionFactor = 4,
  minEarlyStoppingRate = 0,
}: HalvingOptions = {}): Pruner {
  /** What a trial had reached when it came to the rung; `undefined` if it never did. */
  const rungValue = ({ intermediate }: Trial, rung: number): number | undefined => {
    const rungStep = minResource * reductionFactor ** (minEarlyStoppingRate + rung);
    return intermediate.find(([step]) => step >= rungStep)?.[1];
  };
  return (trial, others) => {
    const at = latest(trial);
    if (at === undefined) return false;
    for (let rung = 0; ; rung++) {
      const value = rungValue(trial, rung);
      if (value === undefined) return false;
      if (Number.isNaN(value)) return true;
      // A rung that was passed at an earlier step is passed.
      const isNew =
        rungValue({ ...trial, intermediate: trial.intermediate.filter(([step]) => step < at[0]) }, rung) ===
        undefined;
      if (!isNew) continue;
      const competing = [value, ...others.flatMap((other) => rungValue(other, rung) ?? [])].sort(
        (a, b) => a - b,
      );
      if (value > competing[Math.max(Math.floor(competing.length / reductionFactor) - 1, 0)]) return true;
    }
  };
}

/**
 * Hyperband (Li et al. 2018) over asynchronous halving: trials are spread over brackets that start to prune later and
 * later, in proportion to the brackets' budgets, and compete inside their own.
 */
export function createHyperbandPruner({
  minResource = 1,
  maxResource,
  reductionFactor = 3,
}: Omit<HalvingOptions, 'minEarlyStoppingRate'> & {
  /** Steps of a whole trial. */
  readonly maxResource: number;
}): Pruner {
  const brackets = Math.floor(Math.log(maxResource / minResource) / Math.log(reductionFactor) + 1e-9) + 1;
  const budgets = Array.from({ length: brackets }, (_, bracket) => {
    const rungs = brackets - 1 - bracket;
    return Math.ceil((brackets * reductionFactor ** rungs) / (rungs + 1));
  });
  const total = budgets.reduce((sum, budget) => sum + budget, 0);
  const bracketOf = ({ number }: Trial): number => {
    let left = deriveSeed(number, 'bracket') % total;
    for (const [bracket, budget] of budgets.entries()) {
      if (left < budget) return bracket;
      left -= budget;
    }
    return brackets - 1;
  };
  const pruners = budgets.map((_, bracket) =>
    createHalvingPruner({ minResource, reductionFactor, minEarlyStoppingRate: bracket }),
  );
  return (trial, others) => {
    const bracket = bracketOf(trial);
    return pruners[bracket](
      trial,
      others.filter((other) => bracketOf(other) === bracket),
    );
  };
}

/** Prunes what leaves [lower, upper], or is no number. */
export const createThresholdPruner =
  ({ lower = -Infinity, upper = Infinity }: { readonly lower?: number; readonly upper?: number }): Pruner =>
  (trial) => {
    const at = latest(trial);
    return at !== undefined && !(at[1] >= lower && at[1] <= upper);
  };

/** Lets another pruner decide only after `patience` steps without gain. */
export const createPatientPruner =
  (
    inner: Pruner,
    { patience, minDelta = 0 }: { readonly patience: number; readonly minDelta?: number },
  ): Pruner =>
  (trial, others) => {
    const sorted = [...trial.intermediate].sort((a, b) => a[0] - b[0]).map(([, value]) => value);
    if (sorted.length <= patience + 1) return false;
    const before = Math.min(...sorted.slice(0, -patience - 1));
    const since = Math.min(...sorted.slice(-patience - 1));
    return before + minDelta < since && inner(trial, others);
  };

/**
 * Wilcoxon's signed-rank test of the trial against the best one, step by step: for folds, which are the same for all
 * trials. Prunes when the trial is worse with p below `pThreshold` and its mean is worse too.
 */
export const createWilcoxonPruner =
  ({
    pThreshold = 0.1,
    startupSteps = 2,
  }: { readonly pThreshold?: number; readonly startupSteps?: number } = {}): Pruner =>
  (trial, others) => {
    const complete = others.filter(({ state, values }) => state === 'complete' && values.length > 0);
    if (complete.length === 0 || trial.intermediate.length === 0) return false;
    const best = complete.reduce((winner, one) => (one.values[0] < winner.values[0] ? one : winner));
    const all = [...trial.intermediate, ...best.intermediate].map(([, value]) => value);
    if (best.intermediate.length === 0 || !all.every(Number.isFinite)) return false;
    const differences = trial.intermediate.flatMap(([step, value]) => {
      const other = valueAt(best, step);
      return other === undefined ? [] : [value - other];
    });
    if (differences.length < Math.max(2, startupSteps)) return false;
    const mean = ({ intermediate }: Trial): number =>
      intermediate.reduce((sum, [, value]) => sum + value, 0) / intermediate.length;
    return mean(trial) > mean(best) && signedRankP(differences) < pThreshold;
  };

/**
 * One-sided p-value that differences are greater than 0 (Wilcoxon 1945): exact for up to 50 without zeros or ties, else by
 * the normal approximation with correction for ties; zeros are split between both signs.
 */
export function signedRankP(differences: readonly number[]): number {
  const n = differences.length;
  const sizes = differences.map(Math.abs);
  const sorted = [...sizes].sort((a, b) => a - b);
  const rankOf = (size: number): number => {
    const first = sorted.indexOf(size);
    return (first + sorted.lastIndexOf(size)) / 2 + 1;
  };
  let positive = 0;
  for (const [i, difference] of differences.entries())
    positive += difference === 0 ? rankOf(0) / 2 : difference > 0 ? rankOf(sizes[i]) : 0;
  const hasTies = new Set(sizes).size < n || sizes.includes(0);
  if (n <= 50 && !hasTies) {
    // Of all 2^n choices of signs, those with a rank sum of at least this.
    let ways = new Float64Array((n * (n + 1)) / 2 + 1);
    ways[0] = 1;
    for (let rank = 1; rank <= n; rank++)
      ways = ways.map((count, sum) => (count + (sum >= rank ? ways[sum - rank] : 0)) / 2);
    return ways.slice(positive).reduce((sum, share) => sum + share, 0);
  }
  const counts = new Map<number, number>();
  for (const size of sizes) counts.set(size, (counts.get(size) ?? 0) + 1);
  const ties = [...counts.values()].reduce((sum, count) => sum + (count ** 3 - count), 0);
  const variance = (n * (n + 1) * (2 * n + 1)) / 24 - ties / 48;
  return 1 - normalCdf((positive - (n * (n + 1)) / 4) / Math.sqrt(variance));
}
