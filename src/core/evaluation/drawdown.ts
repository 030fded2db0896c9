interface Drawdown {
  /** Lowest equity of the fall over its peak, less one: a fraction, negative. */
  readonly depth: number;
  /** Bars from the peak to its recovery, or to the end of the curve while it lasts. */
  readonly bars: number;
}

/** Every fall from a peak, in time order; `initial` is the first peak. */
export function drawdowns(equity: Float64Array, initial: number): readonly Drawdown[] {
  const found: Drawdown[] = [];
  let peak = initial;
  let peakAt = -1;
  let depth = 0;
  for (let i = 0; i < equity.length; i++) {
    if (equity[i] < peak) {
      depth = Math.min(depth, equity[i] / peak - 1);
      continue;
    }
    if (depth < 0) found.push({ depth, bars: i - peakAt });
    peak = equity[i];
    peakAt = i;
    depth = 0;
  }
  if (depth < 0) found.push({ depth, bars: equity.length - 1 - peakAt });
  return found;
}

/** Equity over the highest before it, less one, bar by bar: a fraction, 0 or negative. */
export function underwater(equity: Float64Array, initial: number): Float64Array {
  let peak = initial;
  return equity.map((value) => {
    peak = Math.max(peak, value);
    return value / peak - 1;
  });
}
