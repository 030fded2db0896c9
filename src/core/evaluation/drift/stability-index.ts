type Sample = Float64Array | Float32Array;

/**
 * Population stability index of two samples: sum over bins of (q - p) ln(q / p), the bins being quantiles of the first
 * (Siddiqi 2006, "Credit risk scorecards", where below .1 is stable and above .25 has shifted). Values that are not
 * finite make a bin of their own; empty bins count half a value. `undefined` where a sample has fewer than `bins` values.
 */
export function stabilityIndex(reference: Sample, current: Sample, bins = 10): number | undefined {
  if (reference.length < bins || current.length < bins) return undefined;
  const finite = reference.filter(Number.isFinite).sort();
  const edges: number[] = [];
  for (let b = 1; b < bins; b++) {
    const edge = finite[Math.floor((b * finite.length) / bins)];
    if (finite.length > 0 && edge !== edges.at(-1)) edges.push(edge);
  }
  const shares = (values: Sample): number[] => {
    const counts = new Array<number>(edges.length + 2).fill(0);
    for (const value of values) {
      if (!Number.isFinite(value)) counts[edges.length + 1]++;
      else counts[binOf(value, edges)]++;
    }
    return counts.map((count) => Math.max(count, 0.5) / values.length);
  };
  const before = shares(reference);
  const after = shares(current);
  let index = 0;
  for (const [b, p] of before.entries()) index += (after[b] - p) * Math.log(after[b] / p);
  return index;
}

/** Number of edges at or below the value. */
function binOf(value: number, edges: readonly number[]): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
