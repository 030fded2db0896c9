/** A half-open stretch of time in epoch milliseconds: `fromMs <= t < untilMs`. */
export interface TimeRange {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Sorted, disjoint, non-touching ranges that cover the same times. */
export function unionRanges(ranges: readonly TimeRange[]): readonly TimeRange[] {
  const sorted = ranges
    .filter((range) => range.fromMs < range.untilMs)
    .toSorted((a, b) => a.fromMs - b.fromMs);
  const union: TimeRange[] = [];
  for (const range of sorted) {
    const last = union.at(-1);
    if (last !== undefined && range.fromMs <= last.untilMs) {
      union[union.length - 1] = {
        fromMs: last.fromMs,
        untilMs: Math.max(last.untilMs, range.untilMs),
      };
    } else {
      union.push(range);
    }
  }
  return union;
}

/** The parts of `range` outside every one of `taken`, in order. */
export function subtractRanges(range: TimeRange, taken: readonly TimeRange[]): readonly TimeRange[] {
  const left: TimeRange[] = [];
  let fromMs = range.fromMs;
  for (const hole of unionRanges(taken)) {
    if (hole.untilMs <= fromMs) continue;
    if (hole.fromMs >= range.untilMs) break;
    if (hole.fromMs > fromMs) left.push({ fromMs, untilMs: hole.fromMs });
    fromMs = hole.untilMs;
  }
  if (fromMs < range.untilMs) left.push({ fromMs, untilMs: range.untilMs });
  return left;
}
