/** Features as one byte a cell, column by column: what histogram boosting works on. */
export interface BinnedColumns {
  readonly rows: number;
  /**
   * `cuts[f]` ascending: bin b holds float32 values in [cuts[b-1], cuts[b]); the bin after the last cut holds
   * what is above, bin `cuts[f].length + 1` the missing values.
   */
  readonly cuts: readonly Float32Array[];
  readonly bins: readonly Uint8Array[];
}

/**
 * At most `maxBin` (255) bins a column for values (and one for `NaN`), edges at observed values: all of them when they
 * are few, else equally many rows a bin (XGBoost's `hist`, with exact quantiles).
 */
export function binColumns(columns: readonly Float64Array[], maxBin: number): BinnedColumns {
  const cuts = columns.map((column) => chooseCuts(column, maxBin));
  return { rows: columns[0]?.length ?? 0, cuts, bins: columns.map((column, i) => assign(column, cuts[i])) };
}

function chooseCuts(column: Float64Array, maxBin: number): Float32Array {
  const sorted = Float32Array.from(column.filter((value) => !Number.isNaN(value))).sort();
  const distinct = sorted.filter((value, i) => i === 0 || value !== sorted[i - 1]);
  if (distinct.length <= maxBin) return distinct.slice(1);
  const cuts: number[] = [];
  for (let k = 1; k < maxBin; k++) {
    const edge = sorted[Math.floor((k * sorted.length) / maxBin)];
    if (edge > (cuts.at(-1) ?? sorted[0])) cuts.push(edge);
  }
  return Float32Array.from(cuts);
}

function assign(column: Float64Array, cuts: Float32Array): Uint8Array {
  const bins = new Uint8Array(column.length);
  for (let row = 0; row < column.length; row++) {
    const value = Math.fround(column[row]);
    let low = 0;
    let high = cuts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (cuts[middle] <= value) low = middle + 1;
      else high = middle;
    }
    bins[row] = value !== value ? cuts.length + 1 : low;
  }
  return bins;
}
