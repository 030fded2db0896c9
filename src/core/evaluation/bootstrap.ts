import { mean } from '../foundation/moments.ts';
import type { Random } from '../foundation/random.ts';
import { optimalBlockLength } from './block-length.ts';
import { longRunVariance } from './long-run-variance.ts';
import { drawPairs, drawSingles } from './resampling.ts';
import { quantileOfSorted } from './statistics.ts';

/** A 95 % interval. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface BootstrapIntervals {
  /** Sharpe ratio of one bar. */
  readonly barSharpe: Interval | undefined;
  /** Return over the whole sample, a fraction. */
  readonly totalReturn: Interval | undefined;
  readonly resamples: number;
  /** Length of the blocks of the Sharpe ratio's bootstrap, in bars. */
  readonly blockBars: number;
}

interface BootstrapOptions {
  readonly resamples?: number;
  /** Shortest blocks: values that overlap in time need at least the overlap. Default: chosen from the data. */
  readonly blockBars?: number;
}

/** Intervals of the Sharpe ratio and of the total return. `undefined` below 20 returns. */
export function bootstrapIntervals(
  returns: Float64Array,
  random: Random,
  options: BootstrapOptions = {},
): BootstrapIntervals | undefined {
  const bars = returns.length;
  if (bars < LEAST) return undefined;
  const sharpe = ofSharpe(returns, random, options);
  const logs = returns.map((value) => Math.log1p(Math.max(value, -1 + 1e-12)));
  const growth = studentised(logs, logs, MEAN, random, options);
  const total = growth && {
    low: Math.expm1(bars * growth.interval.low),
    high: Math.expm1(bars * growth.interval.high),
  };
  return {
    barSharpe: sharpe?.interval,
    totalReturn: total,
    resamples: options.resamples ?? RESAMPLES,
    blockBars: sharpe?.blockBars ?? 1,
  };
}

/** 95 % interval of the Sharpe ratio of one bar; `undefined` below 20 returns, or when they never vary, or too seldom. */
export const bootstrapSharpe = (
  returns: Float64Array,
  random: Random,
  options: BootstrapOptions = {},
): Interval | undefined =>
  returns.length < LEAST ? undefined : ofSharpe(returns, random, options)?.interval;

const ofSharpe = (returns: Float64Array, random: Random, options: BootstrapOptions) =>
  studentised(
    returns,
    returns.map((value) => value * value),
    SHARPE,
    random,
    options,
  );

/** 95 % interval of the mean; `undefined` below 20 values, or when they vary too seldom. One that never varies has its value for both ends. */
export function bootstrapMean(
  values: Float64Array,
  random: Random,
  options: BootstrapOptions = {},
): Interval | undefined {
  if (values.length < LEAST) return undefined;
  const found = studentised(values, values, MEAN, random, options);
  if (found !== undefined) return found.interval;
  return values.every((value) => value === values[0]) ? { low: values[0], high: values[0] } : undefined;
}

/**
 * 95 % interval of sum(above) / sum(below), such as hits over samples of each time; `undefined` below 20 rows, or when
 * the ratio is the same in every row.
 */
export function bootstrapRatio(
  above: Float64Array,
  below: Float64Array,
  random: Random,
  options: BootstrapOptions = {},
): Interval | undefined {
  if (above.length < LEAST) return undefined;
  return studentised(above, below, RATIO, random, options)?.interval;
}

const LEAST = 20;
const RESAMPLES = 1000;

/** A smooth function of the means of two columns, and its derivatives. */
interface Statistic {
  readonly value: (a: number, b: number) => number;
  readonly byA: (a: number, b: number) => number;
  readonly byB: (a: number, b: number) => number;
}

const MEAN: Statistic = { value: (a) => a, byA: () => 1, byB: () => 0 };
const RATIO: Statistic = { value: (a, b) => a / b, byA: (_, b) => 1 / b, byB: (a, b) => -a / (b * b) };
/** Of the means of returns and of their squares. */
const SHARPE: Statistic = {
  value: (a, b) => a / Math.sqrt(b - a * a),
  byA: (a, b) => b / (b - a * a) ** 1.5,
  byB: (a, b) => (-0.5 * a) / (b - a * a) ** 1.5,
};

/**
 * Symmetric studentised interval by the circular block bootstrap (Götze & Künsch 1996; for the Sharpe ratio Ledoit & Wolf
 * 2008): the statistic of each resample less that of the sample, over its standard error from the sums of its own
 * blocks, gives the multiple of the sample's standard error (prewhitened kernel) that covers 95 %. Blocks as long
 * as the data want: `optimalBlockLength` of the statistic's influence. `undefined` when nothing varies, or too seldom.
 */
function studentised(
  a: Float64Array,
  b: Float64Array,
  statistic: Statistic,
  random: Random,
  { resamples = RESAMPLES, blockBars = 1 }: BootstrapOptions,
): { readonly interval: Interval; readonly blockBars: number } | undefined {
  const n = a.length;
  const meanA = mean(a) ?? NaN;
  const meanB = mean(b) ?? NaN;
  const centre = statistic.value(meanA, meanB);
  const influence = influences(a, b, statistic, meanA, meanB);
  const error = Math.sqrt(longRunVariance(influence) / n);
  if (!(error > 1e-12 * Math.abs(centre)) || !Number.isFinite(centre)) return undefined;

  const wanted = Math.ceil(optimalBlockLength(influence)?.circular ?? 1);
  const length = Math.max(1, Math.min(Math.max(wanted, blockBars), Math.floor(n / 8)));
  const blocks = Math.max(1, Math.round(n / length));
  const rows = blocks * length;
  const drawn = { draws: blocks, resamples, random };
  const sumsA = blockSums(a, length, meanA);
  const sums = a === b ? drawSingles(sumsA, drawn) : drawPairs(sumsA, blockSums(b, length, meanB), drawn);
  const ratios = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    const at = a === b ? 2 * r : 5 * r;
    const sumA = sums[at];
    const [sumB, squareA, squareB, product] =
      a === b
        ? [sumA, sums[at + 1], sums[at + 1], sums[at + 1]]
        : [sums[at + 1], sums[at + 2], sums[at + 3], sums[at + 4]];
    const starA = meanA + sumA / rows;
    const starB = meanB + sumB / rows;
    // Sums of squares of block sums about the resample's own mean, per observation.
    const varianceA = (squareA - (sumA * sumA) / blocks) / rows;
    const varianceB = (squareB - (sumB * sumB) / blocks) / rows;
    const covariance = (product - (sumA * sumB) / blocks) / rows;
    const byA = statistic.byA(starA, starB);
    const byB = statistic.byB(starA, starB);
    const variance = byA * byA * varianceA + 2 * byA * byB * covariance + byB * byB * varianceB;
    const own = Math.sqrt(variance / rows);
    const distance = Math.abs(statistic.value(starA, starB) - centre);
    // Below that nothing varied in this resample: sums that should cancel leave 1e-16 of themselves, their root 1e-8.
    ratios[r] = own > 1e-7 * error && Number.isFinite(distance) ? distance / own : Infinity;
  }
  const half = (quantileOfSorted(ratios.sort(), 0.95) ?? NaN) * error;
  // Where so little happened that many resamples missed all of it, there is no telling how far off the figure may be.
  if (!Number.isFinite(half)) return undefined;
  return { interval: { low: centre - half, high: centre + half }, blockBars: length };
}

function influences(
  a: Float64Array,
  b: Float64Array,
  statistic: Statistic,
  meanA: number,
  meanB: number,
): Float64Array {
  const byA = statistic.byA(meanA, meanB);
  const byB = statistic.byB(meanA, meanB);
  return a.map((value, i) => byA * (value - meanA) + byB * (b[i] - meanB));
}

/** Sum of the `length` values from each place on, around the end, each less `centre`. */
function blockSums(values: Float64Array, length: number, centre: number): Float64Array {
  const n = values.length;
  const sums = new Float64Array(n);
  let sum = 0;
  for (let i = 0; i < length; i++) sum += values[i] - centre;
  for (let from = 0; from < n; from++) {
    sums[from] = sum;
    sum += values[(from + length) % n] - values[from];
  }
  return sums;
}
