import { dot, gram, invert, type Matrix } from '../../core/foundation/linear-algebra.ts';

/**
 * Weights of forecasters from what they stated and what came true: `stated[m][i]` beside `realised[i]`, none of them
 * `NaN`. All are fitted on rows that no forecaster was fitted on.
 */

/** Weights of at least zero that sum to 1 with the least squared error (blending; scipy's SLSQP gives the same). */
export function simplexLeastSquares(stated: readonly Float64Array[], realised: Float64Array): Float64Array {
  const moments = stated.map((column) => dot(column, realised));
  return simplexMinimum(gram(stated), Float64Array.from(moments));
}

/**
 * Weights that sum to 1 with the least variance of the combined error (Bates & Granger 1969, The Combination of
 * Forecasts; the full covariance of errors as in Granger & Ramanathan 1984), `constrained` to at least zero. Falls back
 * to equal weights where the covariance cannot be inverted.
 */
export function batesGranger(
  stated: readonly Float64Array[],
  realised: Float64Array,
  { constrained }: { readonly constrained: boolean },
): Float64Array {
  const covariance = covarianceOf(stated.map((column) => column.map((value, i) => value - realised[i])));
  if (constrained) return simplexMinimum(covariance, new Float64Array(stated.length));
  const inverse = invert(covariance);
  if (inverse === undefined) return new Float64Array(stated.length).fill(1 / stated.length);
  const sums = Float64Array.from(inverse, (row) => row.reduce((sum, value) => sum + value, 0));
  const total = sums.reduce((sum, value) => sum + value, 0);
  return sums.map((value) => value / total);
}

/** Weights in proportion to one over the mean squared error (Bates & Granger 1969 with uncorrelated errors). */
export function inverseSquaredError(stated: readonly Float64Array[], realised: Float64Array): Float64Array {
  const inverse = Float64Array.from(stated, (column) => 1 / squaredError(column, realised));
  const total = inverse.reduce((sum, value) => sum + value, 0);
  return inverse.map((value) => value / total);
}

/**
 * Greedy forward selection with replacement: each round takes the forecaster whose inclusion gives the mean of all taken so
 * far the least squared error; the weight is how often it was taken (Caruana et al. 2004, Ensemble Selection from Libraries
 * of Models).
 */
export function caruana(
  stated: readonly Float64Array[],
  realised: Float64Array,
  rounds: number,
): { readonly weights: Float64Array; readonly taken: readonly number[] } {
  const sum = new Float64Array(realised.length);
  const taken: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    let [best, least] = [0, Infinity];
    for (const [m, column] of stated.entries()) {
      let error = 0;
      for (let i = 0; i < sum.length; i++) error += ((sum[i] + column[i]) / round - realised[i]) ** 2;
      if (error < least) [best, least] = [m, error];
    }
    taken.push(best);
    for (let i = 0; i < sum.length; i++) sum[i] += stated[best][i];
  }
  const weights = new Float64Array(stated.length);
  for (const m of taken) weights[m] += 1 / rounds;
  return { weights, taken };
}

/** Coefficients with the least squared error plus `penalty` times their squared distance from equal weights. */
export function ridgeStack(
  stated: readonly Float64Array[],
  realised: Float64Array,
  penalty: number,
): Float64Array {
  const n = stated.length;
  const products = gram(stated);
  const scale = (penalty * products.reduce((sum, row, m) => sum + row[m], 0)) / n;
  const moments = Float64Array.from(stated, (column) => dot(column, realised) + scale / n);
  for (let m = 0; m < n; m++) products[m][m] += scale;
  const inverse = invert(products);
  return inverse === undefined
    ? new Float64Array(n).fill(1 / n)
    : Float64Array.from(inverse, (row) => dot(row, moments));
}

export const squaredError = (stated: Float64Array, realised: Float64Array): number =>
  stated.reduce((sum, value, i) => sum + (value - realised[i]) ** 2, 0) / stated.length;

function covarianceOf(columns: readonly Float64Array[]): Float64Array[] {
  const centred = columns.map((column) => {
    const mean = column.reduce((sum, value) => sum + value, 0) / column.length;
    return column.map((value) => value - mean);
  });
  return gram(centred).map((row) => row.map((value) => value / columns[0].length));
}

/** The w >= 0 with sum 1 that minimises w'Qw / 2 - c'w: active set after Lawson & Hanson 1974, chapter 23. */
function simplexMinimum(quadratic: Matrix, linear: Float64Array): Float64Array {
  const n = linear.length;
  // Forecasters that say the same leave no unique minimum: a touch of the identity picks the even one.
  const touch = (1e-12 * quadratic.reduce((sum, row, m) => sum + row[m], 0)) / n + 1e-300;
  const q = quadratic.map((row, m) => row.map((value, k) => (m === k ? value + touch : value)));
  const tolerance = 1e-10 * Math.max(...q.map((row, m) => row[m]), 1e-300);
  let weights = new Float64Array(n).fill(1 / n);
  let support = Array.from({ length: n }, (_, m) => m);
  for (let round = 0; round < 50 * n; round++) {
    const goal = minimumOn(support, q, linear);
    const falling = support.filter((m) => goal[m] < 0);
    if (falling.length > 0) {
      const share = Math.min(...falling.map((m) => weights[m] / (weights[m] - goal[m])));
      const from = weights;
      weights = from.map((value, m) => value + share * (goal[m] - value));
      const dropped = falling.find((m) => from[m] / (from[m] - goal[m]) === share);
      support = support.filter((m) => m !== dropped && weights[m] > 0);
      for (let m = 0; m < n; m++) if (!support.includes(m)) weights[m] = 0;
      continue;
    }
    weights = goal;
    const slope = q.map((row, m) => dot(row, weights) - linear[m]);
    const level = slope[support[0]];
    const outside = slope.flatMap((value, m) =>
      !support.includes(m) && value < level - tolerance ? [{ m, value }] : [],
    );
    if (outside.length === 0) break;
    support = [...support, outside.toSorted((a, b) => a.value - b.value)[0].m].toSorted((a, b) => a - b);
  }
  return weights;
}

/** The minimum with sum 1 and no other limit, over some of the weights; the others are 0. */
function minimumOn(support: readonly number[], q: Matrix, linear: Float64Array): Float64Array<ArrayBuffer> {
  const inverse = invert(support.map((m) => Float64Array.from(support, (k) => q[m][k])));
  const weights = new Float64Array(linear.length);
  if (inverse === undefined) {
    for (const m of support) weights[m] = 1 / support.length;
    return weights;
  }
  const free = Float64Array.from(inverse, (row) =>
    row.reduce((sum, value, k) => sum + value * linear[support[k]], 0),
  );
  const even = Float64Array.from(inverse, (row) => row.reduce((sum, value) => sum + value, 0));
  const total = (column: Float64Array): number => column.reduce((sum, value) => sum + value, 0);
  const lift = (1 - total(free)) / total(even);
  support.forEach((m, k) => (weights[m] = free[k] + lift * even[k]));
  return weights;
}
