/** A dense matrix as rows. */
export type Matrix = readonly Float64Array[];

/** Lower triangle L with L L' = `matrix`, or `undefined` when that is not positive definite. */
export function cholesky(matrix: Matrix): Float64Array[] | undefined {
  const n = matrix.length;
  const lower = matrix.map(() => new Float64Array(n));
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i][j];
      for (let k = 0; k < j; k++) sum -= lower[i][k] * lower[j][k];
      if (i !== j) lower[i][j] = sum / lower[j][j];
      else if (sum > 1e-14 * Math.abs(matrix[i][i])) lower[i][i] = Math.sqrt(sum);
      else return undefined;
    }
  }
  return lower;
}

/** Inverse of a symmetric positive definite matrix, or `undefined` when it is not one. */
export function invert(matrix: Matrix): Float64Array[] | undefined {
  const lower = cholesky(matrix);
  if (lower === undefined) return undefined;
  const n = matrix.length;
  const inverse = matrix.map(() => new Float64Array(n));
  for (let column = 0; column < n; column++) {
    const unit = new Float64Array(n);
    unit[column] = 1;
    const solved = solveLower(lower, unit);
    for (let row = 0; row < n; row++) inverse[row][column] = solved[row];
  }
  return inverse;
}

/** x with L L' x = `right`. */
export function solveLower(lower: Matrix, right: Float64Array): Float64Array {
  const x = Float64Array.from(right);
  for (let i = 0; i < x.length; i++) {
    for (let k = 0; k < i; k++) x[i] -= lower[i][k] * x[k];
    x[i] /= lower[i][i];
  }
  for (let i = x.length - 1; i >= 0; i--) {
    for (let k = i + 1; k < x.length; k++) x[i] -= lower[k][i] * x[k];
    x[i] /= lower[i][i];
  }
  return x;
}

export interface Regression {
  readonly coefficients: Float64Array;
  readonly standardErrors: Float64Array;
  readonly residuals: Float64Array;
}

/**
 * Ordinary least squares of `y` on `columns` (add a column of ones for a constant), by the normal equations;
 * `undefined` when the columns are linearly dependent or as many as the rows.
 */
export function leastSquares(y: Float64Array, columns: readonly Float64Array[]): Regression | undefined {
  const rows = y.length;
  const k = columns.length;
  if (rows <= k) return undefined;
  const inverse = invert(gram(columns));
  if (inverse === undefined) return undefined;
  const moments = Float64Array.from(columns, (column) => dot(column, y));
  const coefficients = Float64Array.from(inverse, (row) => dot(row, moments));
  const residuals = Float64Array.from(y);
  for (let j = 0; j < k; j++) {
    const column = columns[j];
    const coefficient = coefficients[j];
    for (let i = 0; i < rows; i++) residuals[i] -= coefficient * column[i];
  }
  const variance = dot(residuals, residuals) / (rows - k);
  const standardErrors = Float64Array.from(inverse, (row, i) => Math.sqrt(variance * row[i]));
  return { coefficients, standardErrors, residuals };
}

/** All products of two of `columns`. */
export function gram(columns: readonly Float64Array[]): Float64Array[] {
  const products = columns.map(() => new Float64Array(columns.length));
  for (let i = 0; i < columns.length; i++)
    for (let j = 0; j <= i; j++) products[i][j] = products[j][i] = dot(columns[i], columns[j]);
  return products;
}

export function dot(a: Float64Array, b: Float64Array): number {
  // Four sums side by side: an addition need not wait for the one before it.
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 4 <= a.length; i += 4) {
    s0 += a[i] * b[i];
    s1 += a[i + 1] * b[i + 1];
    s2 += a[i + 2] * b[i + 2];
    s3 += a[i + 3] * b[i + 3];
  }
  for (; i < a.length; i++) s0 += a[i] * b[i];
  return s0 + s1 + (s2 + s3);
}
