import type { Random } from '../foundation/random.ts';

/** Means of several series over resamples: `values[resample * series + s]`. */
export interface ResampledMeans {
  readonly values: Float64Array;
  readonly resamples: number;
  readonly series: number;
}

/**
 * Means of all columns over the same resampled times, so that what happens at one time stays together: stationary
 * bootstrap (Politis & Romano 1994), blocks of geometric length with mean `blockBars`, wrapped around the end.
 */
export function resampleMeans(
  columns: readonly Float64Array[],
  options: { readonly blockBars: number; readonly resamples: number; readonly random: Random },
): ResampledMeans {
  const { blockBars, resamples, random } = options;
  const series = columns.length;
  const n = columns[0].length;
  const sums = prefixSums(columns, n);
  const values = new Float64Array(resamples * series);
  const logStop = Math.log1p(-1 / Math.max(1 + 1e-9, blockBars));
  for (let r = 0; r < resamples; r++) {
    const at = r * series;
    for (let filled = 0; filled < n;) {
      const from = Math.floor(random() * n);
      const length = Math.min(1 + Math.floor(Math.log1p(-random()) / logStop), n - filled);
      const low = from * series;
      const high = (from + length) * series;
      for (let s = 0; s < series; s++) values[at + s] += sums[high + s] - sums[low + s];
      filled += length;
    }
    for (let s = 0; s < series; s++) values[at + s] /= n;
  }
  return { values, resamples, series };
}

/** Row by row over the sample twice, so that a block may run past the end. */
function prefixSums(columns: readonly Float64Array[], n: number): Float64Array {
  const series = columns.length;
  const sums = new Float64Array((2 * n + 1) * series);
  for (let s = 0; s < series; s++) {
    const column = columns[s];
    for (let row = 0, at = s, sum = 0; row < 2 * n; row++) {
      sum += column[row < n ? row : row - n];
      sums[(at += series)] = sum;
    }
  }
  return sums;
}
