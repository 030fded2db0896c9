import type { Steps } from '../foundation/steps.ts';
import { ranks } from './rank-correlation.ts';

/** Features that say much the same; indices of the columns they were made of. */
export interface FeatureCluster {
  readonly members: readonly number[];
  /** The member that resembles the others most. */
  readonly medoid: number;
}

/**
 * Groups columns by what they have in common: average-linkage clustering (Sokal & Michener 1958) on the distance
 * 1 - |Spearman's rank correlation|. Clusters are merged while their mean distance is at most `1 - sameAbove`. In the
 * order of their first members. Columns hold no `NaN`; one that never varies is alone.
 */
export function* clusterSteps(
  columns: readonly Float64Array[],
  sameAbove: number,
): Steps<readonly FeatureCluster[]> {
  const resemblance = yield* absoluteRankCorrelations(columns);
  const count = columns.length;
  const distance = resemblance.map((row) => row.map((value) => 1 - value));
  const members = columns.map((_, i) => [i]);
  const alive = new Set(columns.keys());
  for (;;) {
    yield;
    let [left, right, nearest] = [-1, -1, Infinity];
    for (const i of alive)
      for (const j of alive)
        if (j > i && distance[i][j] < nearest) [left, right, nearest] = [i, j, distance[i][j]];
    if (nearest > 1 - sameAbove) break;
    const [a, b] = [members[left].length, members[right].length];
    for (let k = 0; k < count; k++) {
      const mean = (a * distance[left][k] + b * distance[right][k]) / (a + b);
      distance[left][k] = distance[k][left] = mean;
    }
    members[left].push(...members[right]);
    alive.delete(right);
  }
  return [...alive].map((index) => {
    const own = members[index].toSorted((i, j) => i - j);
    const likeness = own.map((i) => own.reduce((sum, j) => sum + resemblance[i][j], 0));
    return { members: own, medoid: own[likeness.indexOf(Math.max(...likeness))] };
  });
}

/** |Spearman's rank correlation| of every pair of columns; 0 where one never varies. */
function* absoluteRankCorrelations(columns: readonly Float64Array[]): Steps<Float64Array[]> {
  const standard: Float64Array[] = [];
  for (const column of columns) {
    yield;
    const rank = ranks(column);
    const middle = (column.length + 1) / 2;
    const length = Math.sqrt(rank.reduce((sum, value) => sum + (value - middle) ** 2, 0));
    standard.push(rank.map((value) => (length === 0 ? 0 : (value - middle) / length)));
  }
  const result = columns.map(() => new Float64Array(columns.length));
  for (let i = 0; i < columns.length; i++) {
    yield;
    result[i][i] = 1;
    for (let j = 0; j < i; j++) {
      const [x, y] = [standard[i], standard[j]];
      let product = 0;
      for (let row = 0; row < x.length; row++) product += x[row] * y[row];
      result[i][j] = result[j][i] = Math.min(1, Math.abs(product));
    }
  }
  return result;
}
