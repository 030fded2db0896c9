import { cholesky, type Matrix } from '../foundation/linear-algebra.ts';

export interface Eigen {
  /** Ascending. */
  readonly values: Float64Array;
  /** `vectors[k]` belongs to `values[k]`; of length 1. */
  readonly vectors: readonly Float64Array[];
}

/** Eigenvalues and vectors of a symmetric matrix by cyclic Jacobi rotations (Golub and Van Loan 2013, 8.5). */
export function eigenSymmetric(matrix: Matrix): Eigen {
  const n = matrix.length;
  const a = matrix.map((row) => Float64Array.from(row));
  const v = Array.from({ length: n }, (_, i) => {
    const row = new Float64Array(n);
    row[i] = 1;
    return row;
  });
  for (let sweep = 0; sweep < 60; sweep++) {
    let [off, diagonal] = [0, 0];
    for (let i = 0; i < n; i++) {
      diagonal += a[i][i] * a[i][i];
      for (let j = 0; j < i; j++) off += a[i][j] * a[i][j];
    }
    if (off <= 1e-32 * (diagonal + off)) break;
    for (let p = 0; p < n - 1; p++) for (let q = p + 1; q < n; q++) rotate(a, v, p, q);
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[i][i] - a[j][j]);
  return {
    values: Float64Array.from(order, (i) => a[i][i]),
    // The rows of `v` are the vectors: rotations were applied to rows.
    vectors: order.map((i) => v[i]),
  };
}

function rotate(a: readonly Float64Array[], v: readonly Float64Array[], p: number, q: number): void {
  const apq = a[p][q];
  if (apq === 0) return;
  const theta = (a[q][q] - a[p][p]) / (2 * apq);
  const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  const n = a.length;
  const [rowP, rowQ] = [a[p], a[q]];
  for (let k = 0; k < n; k++) {
    const [x, y] = [rowP[k], rowQ[k]];
    rowP[k] = c * x - s * y;
    rowQ[k] = s * x + c * y;
  }
  for (let k = 0; k < n; k++) {
    const row = a[k];
    const [x, y] = [row[p], row[q]];
    row[p] = c * x - s * y;
    row[q] = s * x + c * y;
  }
  const [vectorP, vectorQ] = [v[p], v[q]];
  for (let k = 0; k < n; k++) {
    const [x, y] = [vectorP[k], vectorQ[k]];
    vectorP[k] = c * x - s * y;
    vectorQ[k] = s * x + c * y;
  }
}

/** Sum of `values[k]` times the outer product of vector k with itself. */
export function compose(values: ArrayLike<number>, vectors: readonly Float64Array[]): Float64Array[] {
  const n = vectors[0].length;
  const matrix = Array.from({ length: n }, () => new Float64Array(n));
  for (let k = 0; k < vectors.length; k++) {
    const vector = vectors[k];
    for (let i = 0; i < n; i++) {
      const scaled = values[k] * vector[i];
      for (let j = 0; j <= i; j++) matrix[i][j] += scaled * vector[j];
    }
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) matrix[j][i] = matrix[i][j];
  return matrix;
}

export interface Repaired {
  readonly matrix: Matrix;
  /** What was wrong, as a clause for people; `undefined`: nothing was. */
  readonly repair: string | undefined;
}

/** Smallest eigenvalue that is kept, of the largest one: solvers need a matrix that is clearly positive definite. */
const LEAST_EIGENVALUE = 1e-9;

/**
 * A covariance that solvers can use: as it is when it is positive definite, else with its small and negative eigenvalues
 * raised (spectral clipping, Higham 1988), and with what was done said.
 */
export function positiveDefinite(matrix: Matrix): Repaired {
  const scale = meanDiagonal(matrix);
  const shifted = matrix.map((row, i) => {
    const copy = Float64Array.from(row);
    copy[i] -= LEAST_EIGENVALUE * scale;
    return copy;
  });
  if (cholesky(shifted) !== undefined) return { matrix, repair: undefined };
  const { values, vectors } = eigenSymmetric(matrix);
  const least = LEAST_EIGENVALUE * Math.max(values[values.length - 1], scale);
  const low = values.filter((value) => value < 10 * least).length;
  const repaired = compose(
    values.map((value) => Math.max(value, 10 * least)),
    vectors,
  );
  const kind = values[0] < -least ? 'not positive semi-definite' : 'singular';
  return {
    matrix: repaired,
    repair: `the covariance was ${kind} (smallest eigenvalue ${values[0].toExponential(2)}); ${low} of its ${values.length} eigenvalues were raised`,
  };
}

const meanDiagonal = (matrix: Matrix): number =>
  matrix.reduce((sum, row, i) => sum + Math.abs(row[i]), 0) / matrix.length;
