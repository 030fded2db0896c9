import { dot, type Matrix } from '../foundation/linear-algebra.ts';

/**
 * Long-only weights whose shares of the variance are `budgets` (default: equal; they sum to 1): the scaled minimum of
 * ½ x'Sx - b'log x, one coordinate after the other (Spinu 2013; Griveau-Billion, Richard and Roncalli 2013). Each step solves its
 * quadratic exactly, and the function is strictly convex: there is one answer. Ends when shares miss budgets by 1e-12 at most.
 */
export function riskParity(covariance: Matrix, budgets = equal(covariance.length)): Float64Array {
  const n = covariance.length;
  const x = Float64Array.from(covariance, (row, i) => Math.sqrt(budgets[i] / row[i]));
  // S x, kept up to date.
  const product = Float64Array.from(covariance, (row) => dot(row, x));
  for (let cycle = 0; cycle < 10_000; cycle++) {
    let worst = 0;
    for (let i = 0; i < n; i++) worst = Math.max(worst, Math.abs(x[i] * product[i] - budgets[i]));
    if (worst <= 1e-12) break;
    for (let i = 0; i < n; i++) {
      const variance = covariance[i][i];
      const others = product[i] - variance * x[i];
      const next = (-others + Math.sqrt(others * others + 4 * variance * budgets[i])) / (2 * variance);
      const change = next - x[i];
      x[i] = next;
      const row = covariance[i];
      for (let k = 0; k < n; k++) product[k] += change * row[k];
    }
    // Rounding gathers in running sums.
    if (cycle % 50 === 49) for (let i = 0; i < n; i++) product[i] = dot(covariance[i], x);
  }
  const total = x.reduce((sum, value) => sum + value, 0);
  return x.map((value) => value / total);
}

/** Weights as the inverse of each asset's volatility. */
export function inverseVolatility(covariance: Matrix): Float64Array {
  const raw = Float64Array.from(covariance, (row, i) => 1 / Math.sqrt(row[i]));
  const total = raw.reduce((sum, value) => sum + value, 0);
  return raw.map((value) => value / total);
}

const equal = (n: number): Float64Array => new Float64Array(n).fill(1 / n);
