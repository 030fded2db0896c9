import { dot, type Matrix } from '../foundation/linear-algebra.ts';
import {
  bestClusterCount,
  cluster,
  correlationDistance,
  cut,
  type Join,
  leavesOf,
  optimalOrder,
} from './clusters.ts';
import { correlationOf, type ReturnColumns, sampleCovariance } from './covariance.ts';

/**
 * Hierarchical risk parity (Lopez de Prado 2016): assets in the order of the tree, halved again and again, each half weighted by
 * the inverse of its variance. `single`: as published and in PyPortfolioOpt. `ward`: with branches turned so that neighbours are near, as in
 * skfolio.
 */
export function hierarchicalRiskParity(
  covariance: Matrix,
  linkage: 'single' | 'ward' = 'ward',
): Float64Array {
  const n = covariance.length;
  const weights = new Float64Array(n).fill(1);
  if (n === 1) return weights;
  const distances = correlationDistance(correlationOf(covariance));
  const joins = cluster(distances, linkage);
  const order =
    linkage === 'ward' && n <= 64 ? optimalOrder(joins, distances) : leavesOf(joins, n)[2 * n - 2];
  let parts = [order];
  while (parts.length > 0) {
    const halves = parts
      .filter((part) => part.length > 1)
      .map((part) => {
        const middle = Math.floor(part.length / 2);
        return [part.slice(0, middle), part.slice(middle)] as const;
      });
    for (const [left, right] of halves) {
      const [a, b] = [clusterVariance(covariance, left), clusterVariance(covariance, right)];
      for (const i of left) weights[i] *= b / (a + b);
      for (const i of right) weights[i] *= a / (a + b);
    }
    parts = halves.flat();
  }
  return weights;
}

/**
 * Hierarchical equal risk contribution (Raffinot 2018): the tree is cut where its clusters fall apart, every split above the cut
 * divides by the inverse of risk, and inside a cluster assets weigh by the inverse of their variance.
 */
export function hierarchicalEqualRisk(covariance: Matrix): Float64Array {
  const n = covariance.length;
  if (n === 1) return new Float64Array([1]);
  const { joins, clusters } = clustersOf(covariance);
  const weights = new Float64Array(n);
  const risks = clusters.map((members) => {
    const own = inverseVariance(covariance, members);
    for (const [at, i] of members.entries()) weights[i] = own[at];
    return clusterVariance(covariance, members);
  });
  const shares = new Float64Array(clusters.length).fill(1);
  const leaves = leavesOf(joins, n);
  for (let step = joins.length - 1; step >= n - clusters.length; step--) {
    const { left, right } = joins[step];
    const under = (node: number): readonly number[] =>
      [...clusters.keys()].filter((c) => clusters[c].every((i) => leaves[node].includes(i)));
    const [a, b] = [under(left), under(right)];
    const sum = (side: readonly number[]): number => side.reduce((total, c) => total + risks[c], 0);
    const [riskA, riskB] = [sum(a), sum(b)];
    for (const c of a) shares[c] *= riskB / (riskA + riskB);
    for (const c of b) shares[c] *= riskA / (riskA + riskB);
  }
  for (const [c, members] of clusters.entries()) for (const i of members) weights[i] *= shares[c];
  return weights;
}

/**
 * Nested clusters (Lopez de Prado 2019): `optimise` inside each cluster, then between them, on what the clusters returned in `folds`
 * folds whose weights were found without them (skfolio's way; it keeps the clusters' overfitting out of the second stage).
 */
export function nestedClusters(
  returns: ReturnColumns,
  optimise: (covariance: Float64Array[]) => Float64Array,
  folds = 5,
): Float64Array {
  const n = returns.length;
  const rows = returns[0].length;
  const { clusters } = clustersOf(sampleCovariance(returns));
  const inside = (members: readonly number[], columns: ReturnColumns): Float64Array =>
    members.length === 1 ? new Float64Array([1]) : optimise(sampleCovariance(members.map((i) => columns[i])));
  const inner = clusters.map((members) => inside(members, returns));
  const fromRow = (fold: number): number => fold * Math.floor(rows / folds) + Math.min(fold, rows % folds);
  const combined = clusters.map((members) => {
    if (members.length === 1) return returns[members[0]];
    const column = new Float64Array(rows);
    for (let fold = 0; fold < folds; fold++) {
      const [from, until] = [fromRow(fold), fromRow(fold + 1)];
      const rest = returns.map((own) =>
        Float64Array.from([...own.subarray(0, from), ...own.subarray(until)]),
      );
      const weights = inside(members, rest);
      for (let t = from; t < until; t++)
        for (const [at, i] of members.entries()) column[t] += weights[at] * returns[i][t];
    }
    return column;
  });
  const outer = clusters.length === 1 ? new Float64Array([1]) : optimise(sampleCovariance(combined));
  const weights = new Float64Array(n);
  for (const [c, members] of clusters.entries())
    for (const [at, i] of members.entries()) weights[i] = outer[c] * inner[c][at];
  return weights;
}

function clustersOf(covariance: Matrix): {
  readonly joins: readonly Join[];
  readonly clusters: readonly (readonly number[])[];
} {
  const distances = correlationDistance(correlationOf(covariance));
  const joins = cluster(distances, 'ward');
  return { joins, clusters: cut(joins, covariance.length, bestClusterCount(joins, distances)) };
}

function inverseVariance(covariance: Matrix, members: readonly number[]): Float64Array {
  const raw = Float64Array.from(members, (i) => 1 / covariance[i][i]);
  const total = raw.reduce((sum, value) => sum + value, 0);
  return raw.map((value) => value / total);
}

/** Of the inverse-variance portfolio of the members. */
function clusterVariance(covariance: Matrix, members: readonly number[]): number {
  const weights = inverseVariance(covariance, members);
  return weights.reduce(
    (sum, weight, at) =>
      sum +
      weight *
        dot(
          weights,
          Float64Array.from(members, (j) => covariance[members[at]][j]),
        ),
    0,
  );
}
