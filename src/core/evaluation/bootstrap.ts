import type { Random } from '../foundation/random.ts';
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
  readonly totalReturn: Interval;
  readonly resamples: number;
  /** Mean length of the blocks, in bars. */
  readonly blockBars: number;
}

/**
 * Percentile intervals by the stationary bootstrap (Politis & Romano 1994): blocks of geometric length, wrapped
 * around the end, keep the dependence between neighbouring bars. `undefined` below 20 returns.
 */
export function bootstrapIntervals(
  returns: Float64Array,
  random: Random,
  options: { readonly resamples?: number; readonly blockBars?: number } = {},
): BootstrapIntervals | undefined {
  const bars = returns.length;
  if (bars < 20) return undefined;
  const { resamples = 1000, blockBars = Math.max(2, Math.round(Math.cbrt(bars) * 2)) } = options;
  const sums = prefixSums(bars, (i) => returns[i % bars]);
  const squares = prefixSums(bars, (i) => returns[i % bars] ** 2);
  const logs = prefixSums(bars, (i) => Math.log1p(Math.max(returns[i % bars], -1 + 1e-12)));
  const ratios = new Float64Array(resamples);
  const totals = new Float64Array(resamples);
  const logStop = Math.log1p(-1 / blockBars);
  for (let r = 0; r < resamples; r++) {
    let sum = 0;
    let square = 0;
    let log = 0;
    for (let filled = 0; filled < bars;) {
      const from = Math.floor(random() * bars);
      const drawn = 1 + Math.floor(Math.log1p(-random()) / logStop);
      const length = Math.min(drawn, bars - filled);
      sum += sums[from + length] - sums[from];
      square += squares[from + length] - squares[from];
      log += logs[from + length] - logs[from];
      filled += length;
    }
    const mean = sum / bars;
    const variance = (square - bars * mean * mean) / (bars - 1);
    ratios[r] = variance > 1e-24 ? mean / Math.sqrt(variance) : NaN;
    totals[r] = Math.expm1(log);
  }
  return {
    barSharpe: ratios.some(Number.isNaN) ? undefined : interval(ratios),
    totalReturn: interval(totals),
    resamples,
    blockBars,
  };
}

/**
 * 95 % percentile interval of the mean by the same bootstrap; `undefined` below 20 values. Values that overlap in
 * time (returns over several bars) need blocks of at least that length.
 */
export function bootstrapMean(
  values: Float64Array,
  random: Random,
  options: { readonly resamples?: number; readonly blockBars?: number } = {},
): Interval | undefined {
  const rows = values.length;
  if (rows < 20) return undefined;
  const { resamples = 1000, blockBars = Math.max(2, Math.round(Math.cbrt(rows) * 2)) } = options;
  const sums = prefixSums(rows, (i) => values[i % rows]);
  const means = new Float64Array(resamples);
  const logStop = Math.log1p(-1 / blockBars);
  for (let r = 0; r < resamples; r++) {
    let sum = 0;
    for (let filled = 0; filled < rows;) {
      const from = Math.floor(random() * rows);
      const length = Math.min(1 + Math.floor(Math.log1p(-random()) / logStop), rows - filled);
      sum += sums[from + length] - sums[from];
      filled += length;
    }
    means[r] = sum / rows;
  }
  return interval(means);
}

/** Over the sample twice, so that a block may run past the end. */
function prefixSums(bars: number, value: (i: number) => number): Float64Array {
  const sums = new Float64Array(2 * bars + 1);
  for (let i = 0; i < 2 * bars; i++) sums[i + 1] = sums[i] + value(i);
  return sums;
}

function interval(values: Float64Array): Interval {
  const sorted = values.slice().sort();
  return { low: quantileOfSorted(sorted, 0.025) ?? NaN, high: quantileOfSorted(sorted, 0.975) ?? NaN };
}
