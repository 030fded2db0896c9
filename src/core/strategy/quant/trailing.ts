/** Mean of the last `bars` values up to each row; `NaN` before there are as many. Exact: no running sum drifts. */
export function trailingMean(values: Float64Array, bars: number): Float64Array {
  const means = new Float64Array(values.length).fill(NaN);
  for (let row = bars - 1; row < values.length; row++) {
    let sum = 0;
    for (let i = row - bars + 1; i <= row; i++) sum += values[i];
    means[row] = sum / bars;
  }
  return means;
}

/** Population deviation of the last `bars` values. */
export function trailingDeviation(values: Float64Array, bars: number): Float64Array {
  const means = trailingMean(values, bars);
  return means.map((mean, row) => {
    if (Number.isNaN(mean)) return NaN;
    let squares = 0;
    for (let i = row - bars + 1; i <= row; i++) squares += (values[i] - mean) ** 2;
    return Math.sqrt(squares / bars);
  });
}

/** Highest of the `bars` values before each row, the row itself left out; `NaN` before there are as many. */
export const highestBefore = (values: Float64Array, bars: number): Float64Array =>
  extremeBefore(values, bars, Math.max);

export const lowestBefore = (values: Float64Array, bars: number): Float64Array =>
  extremeBefore(values, bars, Math.min);

function extremeBefore(
  values: Float64Array,
  bars: number,
  pick: (a: number, b: number) => number,
): Float64Array {
  const found = new Float64Array(values.length).fill(NaN);
  for (let row = bars; row < values.length; row++) {
    let best = values[row - 1];
    for (let i = row - bars; i < row - 1; i++) best = pick(best, values[i]);
    found[row] = best;
  }
  return found;
}

/**
 * Positions of a rule with memory: `next(row, held)` says what to hold from `row` on, starting flat; `NaN` before row
 * `from`.
 */
export function walk(rows: number, from: number, next: (row: number, held: number) => number): Float64Array {
  const positions = new Float64Array(rows).fill(NaN);
  let held = 0;
  for (let row = from; row < rows; row++) positions[row] = held = next(row, held);
  return positions;
}
