import { cholesky, gram, type Matrix } from '../../../core/foundation/linear-algebra.ts';

export interface JohansenStep {
  /** Squared canonical correlation of changes and levels. */
  readonly eigenvalue: number;
  /** Of "at most this many relations" against more, and against one more. */
  readonly trace: number;
  readonly maxEigenvalue: number;
  /** At 10, 5 and 1 %. */
  readonly traceCritical: readonly number[];
  readonly maxEigenvalueCritical: readonly number[];
}

export interface Johansen {
  /** `steps[r]` tests whether there are at most r relations. */
  readonly steps: readonly JohansenStep[];
  /** Relations that the trace test finds at 5 %: the first r that is not rejected. */
  readonly rank: number;
  readonly observations: number;
}

/**
 * Johansen's (1991) tests for the number of cointegrating relations of `series`, with a constant and `lags` lagged
 * differences; the order of the series does not matter. The critical values (MacKinnon, Haug and Michelis 1999) suppose
 * that the series drift: without a drift the tests reject somewhat too often. With lags, statistics equal statsmodels'
 * `coint_johansen(det_order=0)`. `undefined` when a series does not vary or depends on others, when rows are
 * too few, or with more than 12 series.
 */
export function johansen(series: readonly Float64Array[], lags: number): Johansen | undefined {
  const count = series.length;
  const rows = (series[0]?.length ?? 0) - 1 - lags;
  if (count === 0 || count > CRITICAL.length || rows <= count * (lags + 2) + 1) return undefined;
  const differences = series.map((one) => one.subarray(1).map((value, i) => value - one[i]));
  const columns = [new Float64Array(rows).fill(1)];
  for (let lag = 1; lag <= lags; lag++)
    for (const one of differences) columns.push(one.subarray(lags - lag, lags - lag + rows));
  const first = columns.length;
  // Around their first value: far levels would cost digits.
  for (const one of series) columns.push(one.subarray(lags, lags + rows).map((value) => value - one[lags]));
  for (const one of differences) columns.push(one.subarray(lags));
  // What constant and lags leave of levels and changes, as the last rows of one factor: [levels; changes].
  const lower = cholesky(gram(columns));
  const block = (row: number, column: number): Float64Array[] =>
    Array.from(
      { length: count },
      (_, i) => lower?.[row + i].slice(column, column + count) ?? new Float64Array(),
    );
  if (lower === undefined) return undefined;
  const common = block(first + count, first);
  const own = block(first + count, first + count);
  const shared = outer(common);
  const changes = cholesky(sum(shared, outer(own)));
  if (changes === undefined) return undefined;
  const eigenvalues = symmetricEigenvalues(whiten(shared, changes)).sort((a, b) => b - a);
  const steps = eigenvalues.map((eigenvalue, r): JohansenStep => {
    const [trace, largest] = CRITICAL[count - r - 1];
    const informations = eigenvalues.slice(r).map((value) => -rows * Math.log1p(-value));
    return {
      eigenvalue,
      trace: informations.reduce((total, value) => total + value, 0),
      maxEigenvalue: informations[0],
      traceCritical: trace,
      maxEigenvalueCritical: largest,
    };
  });
  const accepted = steps.findIndex(({ trace, traceCritical }) => trace <= traceCritical[1]);
  return { steps, rank: accepted < 0 ? count : accepted, observations: rows };
}

/** A A'. */
const outer = (matrix: Matrix): Float64Array[] =>
  matrix.map((a) => Float64Array.from(matrix, (b) => a.reduce((total, value, k) => total + value * b[k], 0)));

const sum = (a: Matrix, b: Matrix): Float64Array[] =>
  a.map((row, i) => row.map((value, j) => value + b[i][j]));

/** L^-1 S L^-T. */
function whiten(matrix: Matrix, lower: Matrix): Float64Array[] {
  const forward = (rows: Matrix): Float64Array[] => {
    const solved = rows.map((row) => Float64Array.from(row));
    for (let i = 0; i < solved.length; i++)
      for (let j = 0; j < solved.length; j++) {
        for (let k = 0; k < i; k++) solved[i][j] -= lower[i][k] * solved[k][j];
        solved[i][j] /= lower[i][i];
      }
    return solved;
  };
  const transposed = (rows: Matrix): Float64Array[] =>
    rows.map((_, j) => Float64Array.from(rows, (row) => row[j]));
  return forward(transposed(forward(matrix)));
}

/** Jacobi's rotations, sweep after sweep. */
function symmetricEigenvalues(matrix: Matrix): number[] {
  const a = matrix.map((row) => Float64Array.from(row));
  const n = a.length;
  for (let sweep = 0; sweep < 50; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        off += a[p][q] ** 2;
        if (a[p][q] === 0) continue;
        const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const cos = 1 / Math.hypot(t, 1);
        const sin = t * cos;
        for (let k = 0; k < n; k++)
          [a[k][p], a[k][q]] = [cos * a[k][p] - sin * a[k][q], sin * a[k][p] + cos * a[k][q]];
        for (let k = 0; k < n; k++)
          [a[p][k], a[q][k]] = [cos * a[p][k] - sin * a[q][k], sin * a[p][k] + cos * a[q][k]];
      }
    if (off < 1e-28) break;
  }
  return a.map((row, i) => row[i]);
}

/** By number of relations that are left: of the trace and of the largest eigenvalue, at 10, 5 and 1 %, with a constant. */
// prettier-ignore
const CRITICAL: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[2.7055, 3.8415, 6.6349], [2.7055, 3.8415, 6.6349]],
  [[13.4294, 15.4943, 19.9349], [12.2971, 14.2639, 18.52]],
  [[27.0669, 29.7961, 35.4628], [18.8928, 21.1314, 25.865]],
  [[44.4929, 47.8545, 54.6815], [25.1236, 27.5858, 32.7172]],
  [[65.8202, 69.8189, 77.8202], [31.2379, 33.8777, 39.3693]],
  [[91.109, 95.7542, 104.9637], [37.2786, 40.0763, 45.8662]],
  [[120.3673, 125.6185, 135.9825], [43.2947, 46.2299, 52.3069]],
  [[153.6341, 159.529, 171.0905], [49.2855, 52.3622, 58.6634]],
  [[190.8714, 197.3772, 210.0366], [55.2412, 58.4332, 64.996]],
  [[232.103, 239.2468, 253.2526], [61.2041, 64.504, 71.2525]],
  [[277.374, 285.1402, 300.2821], [67.1307, 70.5392, 77.4877]],
  [[326.5354, 334.9795, 351.215], [73.0563, 76.5734, 83.7105]],
];
