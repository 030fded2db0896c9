/** How many of several strategies are different bets. */
export interface EffectiveTrials {
  readonly clusters: number;
  /** Mean silhouette of the partition, in [-1, 1]; below 0.25 there is none to speak of, and every trial counts. */
  readonly silhouette: number;
}

/** Kaufman & Rousseeuw 1990, table 4: up to here "no substantial structure". */
const LEAST_STRUCTURE = 0.25;

/**
 * The effective number of trials (Lopez de Prado & Lewis 2019): returns are clustered on the distance
 * sqrt((1 - correlation) / 2), and the number of clusters is the one with the best mean over deviation of the silhouettes.
 * Their partitions come from k-means with random starts; these from average linkage, which needs no chance. Columns of
 * one length; `correlation(i, j)` is undefined where two trials share no time, which counts as uncorrelated.
 */
export function effectiveTrials(
  count: number,
  correlation: (i: number, j: number) => number | undefined,
): EffectiveTrials {
  if (count < 2) return { clusters: count, silhouette: 0 };
  const distance = Array.from({ length: count }, () => new Float64Array(count));
  for (let i = 0; i < count; i++)
    for (let j = 0; j < i; j++) {
      const rho = Math.max(-1, Math.min(1, correlation(i, j) ?? 0));
      distance[i][j] = distance[j][i] = Math.sqrt((1 - rho) / 2);
    }
  let best = { quality: -Infinity, clusters: count, silhouette: 0 };
  for (const members of partitions(distance)) {
    const kept = members.length;
    if (kept === count) continue;
    if (kept === 1) break;
    const widths = silhouettes(distance, members);
    const centre = widths.reduce((sum, width) => sum + width, 0) / count;
    const spread = Math.sqrt(widths.reduce((sum, width) => sum + (width - centre) ** 2, 0) / count);
    const quality = centre / (spread + 1e-12);
    if (centre > LEAST_STRUCTURE && quality > best.quality)
      best = { quality, clusters: kept, silhouette: centre };
  }
  if (best.silhouette === 0) return sameBet(distance, count);
  return { clusters: best.clusters, silhouette: best.silhouette };
}

/** Without structure every trial is its own bet, except for copies; trials that are all alike are one. */
function sameBet(distance: readonly Float64Array[], count: number): EffectiveTrials {
  const firsts = distance.filter((row, i) => !row.subarray(0, i).some((value) => value < COPY));
  return { clusters: Math.max(1, Math.min(count, firsts.length)), silhouette: 0 };
}

/** A correlation above .98: the same bet. */
const COPY = 0.1;

/** Average linkage from every item alone to all together: the clusters after each merger. */
function* partitions(distance: readonly Float64Array[]): Generator<readonly (readonly number[])[]> {
  const between = distance.map((row) => row.slice());
  let members = distance.map((_, i) => ({ at: i, own: [i] }));
  yield members.map(({ own }) => own);
  while (members.length > 1) {
    let [left, right, nearest] = [0, 1, Infinity];
    for (let i = 0; i < members.length; i++)
      for (let j = i + 1; j < members.length; j++) {
        const value = between[members[i].at][members[j].at];
        if (value < nearest) [left, right, nearest] = [i, j, value];
      }
    const [a, b] = [members[left], members[right]];
    for (const { at } of members) {
      const mean =
        (a.own.length * between[a.at][at] + b.own.length * between[b.at][at]) / (a.own.length + b.own.length);
      between[a.at][at] = between[at][a.at] = mean;
    }
    const merged = { at: a.at, own: [...a.own, ...b.own] };
    members = members.filter((_, i) => i !== left && i !== right);
    members.push(merged);
    yield members.map(({ own }) => own);
  }
}

/** Rousseeuw 1987: how much nearer each item is to its own cluster than to the next; 0 for one that is alone. */
function silhouettes(
  distance: readonly Float64Array[],
  members: readonly (readonly number[])[],
): Float64Array {
  const widths = new Float64Array(distance.length);
  const meanTo = (item: number, cluster: readonly number[]): number =>
    cluster.reduce((sum, other) => sum + distance[item][other], 0);
  for (const own of members) {
    if (own.length === 1) continue;
    for (const item of own) {
      const inside = meanTo(item, own) / (own.length - 1);
      let outside = Infinity;
      for (const other of members)
        if (other !== own) outside = Math.min(outside, meanTo(item, other) / other.length);
      const larger = Math.max(inside, outside);
      widths[item] = larger > 0 ? (outside - inside) / larger : 0;
    }
  }
  return widths;
}
