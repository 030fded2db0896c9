import type { FeatureColumn } from './panel.ts';

/** Location and scale of each column, learned from the rows it was fitted on and from no others. */
export interface Scaler {
  readonly means: readonly number[];
  /** Sample standard deviations; 1 for a column that never varied. */
  readonly deviations: readonly number[];
}

/**
 * Mean and sample standard deviation (n - 1) of each column over `rows`, without the cells that are not finite.
 * Give it training rows only: whatever else it sees, it leaks. A column without a value there gets 0 and 1.
 */
export function fitScaler(columns: readonly FeatureColumn[], rows: Int32Array): Scaler {
  const fitted = columns.map((column) => {
    let count = 0;
    let mean = 0;
    let squares = 0;
    for (const row of rows) {
      const value = column[row];
      if (!Number.isFinite(value)) continue;
      // Welford's update: no loss of digits for a price column far from zero.
      count++;
      const distance = value - mean;
      mean += distance / count;
      squares += distance * (value - mean);
    }
    const deviation = count > 1 ? Math.sqrt(squares / (count - 1)) : 0;
    return { mean, deviation: deviation > 0 ? deviation : 1 };
  });
  return { means: fitted.map(({ mean }) => mean), deviations: fitted.map(({ deviation }) => deviation) };
}

/** `(value - mean) / deviation`, limited to ±`clip` deviations; `NaN` stays `NaN`. */
export function scaleColumn(scaler: Scaler, index: number, column: FeatureColumn, clip = 10): Float64Array {
  const mean = scaler.means[index];
  const deviation = scaler.deviations[index];
  const scaled = new Float64Array(column.length);
  for (let row = 0; row < scaled.length; row++) scaled[row] = limited((column[row] - mean) / deviation, clip);
  return scaled;
}

/** Adds `weight` times the column, scaled as by `scaleColumn`, to `sums`. */
export function addScaled(
  sums: Float64Array,
  scaler: Scaler,
  index: number,
  {
    column,
    weight,
    clip = 10,
  }: { readonly column: FeatureColumn; readonly weight: number; readonly clip?: number },
): void {
  const mean = scaler.means[index];
  const deviation = scaler.deviations[index];
  for (let row = 0; row < sums.length; row++)
    sums[row] += weight * limited((column[row] - mean) / deviation, clip);
}

/** At most `clip` from 0; `NaN` stays `NaN`. */
const limited = (value: number, clip: number): number =>
  value > clip ? clip : value < -clip ? -clip : value;

/**
 * The columns from row `from` on, in single precision, scaled as by `scaleColumn` and side by side, row by row: [rows, columns], 0 before.
 */
export function scaleRows(
  scaler: Scaler,
  columns: readonly FeatureColumn[],
  { clip, from }: { readonly clip: number; readonly from: number },
): Float32Array {
  const rows = columns[0].length;
  const width = columns.length;
  const scaled = new Float32Array(rows * width);
  for (const [i, column] of columns.entries()) {
    const mean = scaler.means[i];
    const deviation = scaler.deviations[i];
    for (let row = from; row < rows; row++)
      scaled[row * width + i] = limited((Math.fround(column[row]) - mean) / deviation, clip);
  }
  return scaled;
}
