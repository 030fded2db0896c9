import type { Random } from '../foundation/random.ts';
import { optimalBlockLength } from './block-length.ts';
import type { Interval } from './bootstrap.ts';
import { longRunVariance } from './long-run-variance.ts';
import { quantileOfSorted } from './statistics.ts';

export interface SharpeDifference {
  /** Of the first less the second, per bar, nothing annualised. */
  readonly difference: number;
  readonly standardError: number;
  /** 95 %. */
  readonly interval: Interval;
  readonly blockBars: number;
}

/**
 * How much higher the first Sharpe ratio is, of two strategies over the same bars: symmetric studentised interval by the
 * circular block bootstrap of both together (Ledoit and Wolf 2008, Robust performance hypothesis testing with the Sharpe ratio).
 * `undefined` below 20 bars, or when the difference never varies.
 */
export function sharpeDifference(
  first: Float64Array,
  second: Float64Array,
  random: Random,
  { resamples = 1000 }: { readonly resamples?: number } = {},
): SharpeDifference | undefined {
  const n = first.length;
  if (n < 20) return undefined;
  const [a, b] = [momentsOf(first), momentsOf(second)];
  const influence = first.map((value, t) => influenceOf(value, a) - influenceOf(second[t], b));
  const difference = a.ratio - b.ratio;
  const error = Math.sqrt(longRunVariance(influence) / n);
  if (!(error > 1e-12) || !Number.isFinite(difference)) return undefined;
  const wanted = Math.ceil(optimalBlockLength(influence)?.circular ?? 1);
  const length = Math.max(1, Math.min(wanted, Math.floor(n / 8)));
  const blocks = Math.max(1, Math.round(n / length));
  const rows = blocks * length;
  const [drawnA, drawnB] = [new Float64Array(rows), new Float64Array(rows)];
  const ratios = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    for (let block = 0; block < blocks; block++) {
      const from = Math.floor(random() * n);
      for (let k = 0; k < length; k++) {
        drawnA[block * length + k] = first[(from + k) % n];
        drawnB[block * length + k] = second[(from + k) % n];
      }
    }
    const [starA, starB] = [momentsOf(drawnA), momentsOf(drawnB)];
    // Variance of the resample's own mean influence, from the sums of its blocks.
    let variance = 0;
    for (let block = 0; block < blocks; block++) {
      let sum = 0;
      for (let k = 0; k < length; k++) {
        const t = block * length + k;
        sum += influenceOf(drawnA[t], starA) - influenceOf(drawnB[t], starB);
      }
      variance += sum * sum;
    }
    const own = Math.sqrt(variance) / rows;
    const distance = Math.abs(starA.ratio - starB.ratio - difference);
    ratios[r] = own > 0 && Number.isFinite(distance) ? distance / own : Infinity;
  }
  const half = (quantileOfSorted(ratios.sort(), 0.95) ?? NaN) * error;
  return {
    difference,
    standardError: error,
    interval: { low: difference - half, high: difference + half },
    blockBars: length,
  };
}

interface Moments {
  readonly mean: number;
  readonly deviation: number;
  readonly ratio: number;
}

/** Population moments, as the delta method has them. A strategy that never varies has a ratio of 0. */
function momentsOf(values: Float64Array): Moments {
  let [sum, squares] = [0, 0];
  for (const value of values) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / values.length;
  const variance = squares / values.length - mean * mean;
  const deviation = variance > 1e-12 * (squares / values.length) ? Math.sqrt(variance) : 0;
  return { mean, deviation, ratio: deviation > 0 ? mean / deviation : 0 };
}

/** What one return does to the ratio. */
function influenceOf(value: number, { mean, deviation, ratio }: Moments): number {
  if (deviation === 0) return 0;
  const z = (value - mean) / deviation;
  return z - 0.5 * ratio * (z * z - 1);
}
