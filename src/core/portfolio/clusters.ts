import type { Matrix } from '../foundation/linear-algebra.ts';

/** Joins of clusters, nearest first. Clusters 0..n-1 are the assets, n + k is what join k made. */
export interface Join {
  readonly left: number;
  readonly right: number;
  readonly distance: number;
  readonly size: number;
}

export type Linkage = 'single' | 'ward';

/** Root of half of one less the correlation, in [0, 1] (Mantegna 1999). */
export const correlationDistance = (correlation: Matrix): Float64Array[] =>
  correlation.map((row) => row.map((value) => Math.sqrt(Math.min(1, Math.max(0, (1 - value) / 2)))));

/** Agglomerative clustering with Lance and Williams' updates; as scipy's `linkage` on the same distances. */
export function cluster(distances: Matrix, linkage: Linkage): readonly Join[] {
  const n = distances.length;
  const between = distances.map((row) => Float64Array.from(row));
  const id = Array.from({ length: n }, (_, i) => i);
  const size = new Array<number>(n).fill(1);
  let alive = id.slice();
  const joins: Join[] = [];
  for (let step = 0; step < n - 1; step++) {
    let [p, q, least] = [-1, -1, Infinity];
    for (const [at, i] of alive.entries())
      for (const j of alive.slice(at + 1)) if (between[i][j] < least) [p, q, least] = [i, j, between[i][j]];
    const [left, right] = [Math.min(id[p], id[q]), Math.max(id[p], id[q])];
    for (const k of alive) {
      if (k === p || k === q) continue;
      const [a, b] = [between[k][p], between[k][q]];
      const joined = linkage === 'single' ? Math.min(a, b) : ward(a, b, least, size[k], size[p], size[q]);
      between[k][p] = between[p][k] = joined;
    }
    size[p] += size[q];
    id[p] = n + step;
    alive = alive.filter((k) => k !== q);
    joins.push({ left, right, distance: least, size: size[p] });
  }
  return joins;
}

function ward(a: number, b: number, own: number, k: number, p: number, q: number): number {
  return Math.sqrt(((k + p) * a * a + (k + q) * b * b - k * own * own) / (k + p + q));
}

/** Assets under each cluster, in the order of the tree. */
export function leavesOf(joins: readonly Join[], assets: number): readonly (readonly number[])[] {
  const leaves: (readonly number[])[] = Array.from({ length: assets }, (_, i) => [i]);
  for (const { left, right } of joins) leaves.push([...leaves[left], ...leaves[right]]);
  return leaves;
}

/** The same tree with branches turned so that neighbours are as near as can be (Bar-Joseph, Gifford and Jaakkola 2001). */
export function optimalOrder(joins: readonly Join[], distances: Matrix): readonly number[] {
  const n = distances.length;
  const leaves = leavesOf(joins, n);
  // best[v] maps "l m" to the shortest path through cluster v from leaf l to leaf m.
  interface Path {
    readonly cost: number;
    readonly order: readonly number[];
  }
  const best = new Map<number, Map<number, Path>>();
  for (let i = 0; i < n; i++) best.set(i, new Map([[i * n + i, { cost: 0, order: [i] }]]));
  for (const [step, { left, right }] of joins.entries()) {
    const [paths, others] = [best.get(left), best.get(right)];
    if (paths === undefined || others === undefined) continue;
    const joined = new Map<number, Path>();
    for (const l of leaves[left])
      for (const r of leaves[right]) {
        let shortest: { cost: number; first: Path; second: Path } | undefined;
        for (const m of leaves[left]) {
          const first = paths.get(l * n + m);
          if (first === undefined) continue;
          for (const k of leaves[right]) {
            const second = others.get(k * n + r);
            if (second === undefined) continue;
            const cost = first.cost + distances[m][k] + second.cost;
            if (shortest === undefined || cost < shortest.cost) shortest = { cost, first, second };
          }
        }
        if (shortest === undefined) continue;
        const order = [...shortest.first.order, ...shortest.second.order];
        joined.set(l * n + r, { cost: shortest.cost, order });
        joined.set(r * n + l, { cost: shortest.cost, order: order.toReversed() });
      }
    best.set(n + step, joined);
    best.delete(left);
    best.delete(right);
  }
  const root = best.get(2 * n - 2);
  let found: Path | undefined;
  for (const path of root?.values() ?? []) if (found === undefined || path.cost < found.cost) found = path;
  return found?.order ?? [];
}

/** The clusters that are left when the tree is cut into `count`, in the order of their first assets' numbers in the tree. */
export function cut(joins: readonly Join[], assets: number, count: number): readonly (readonly number[])[] {
  const leaves = leavesOf(joins, assets);
  const roots = new Set(Array.from({ length: assets }, (_, i) => i));
  for (const [step, { left, right }] of joins.slice(0, assets - count).entries()) {
    roots.delete(left);
    roots.delete(right);
    roots.add(assets + step);
  }
  return [...roots].map((root) => leaves[root].toSorted((a, b) => a - b));
}

/** Number of clusters by the largest second difference of the dispersion within them (Yue, Wang and Wei 2009; as skfolio has it). */
export function bestClusterCount(joins: readonly Join[], distances: Matrix): number {
  const n = distances.length;
  if (n <= 2) return n;
  const most = Math.min(n, Math.max(8, Math.round(Math.sqrt(n))));
  const dispersion = Array.from({ length: most }, (_, k) =>
    cut(joins, n, k + 1).reduce((sum, members) => sum + meanDistance(distances, members), 0),
  );
  let [best, most2] = [2, -Infinity];
  for (let k = 0; k + 2 < most; k++) {
    const gap = dispersion[k + 2] + dispersion[k] - 2 * dispersion[k + 1];
    if (gap > most2) [best, most2] = [k + 2, gap];
  }
  return best;
}

function meanDistance(distances: Matrix, members: readonly number[]): number {
  if (members.length < 2) return 0;
  let sum = 0;
  for (const i of members) for (const j of members) if (i < j) sum += distances[i][j];
  return (2 * sum) / (members.length * (members.length - 1));
}
