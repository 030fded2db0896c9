export interface AdaptiveConformal {
  /** Half width of the interval at each score from `warmUp` on; Infinity: everything, -1: nothing. */
  readonly widths: Float64Array;
  /** The miscoverage level used there. */
  readonly levels: Float64Array;
  /** After the last score. */
  readonly nextLevel: number;
  /** 1 where the score was inside. */
  readonly covered: Uint8Array;
  readonly coverage: number;
}

/**
 * Adaptive conformal inference (Gibbs & Candes 2021): intervals from the past scores |outcome - forecast| whose level
 * moves by `rate` after every outcome, so that coverage comes out right whatever the market does: it differs from
 * 1 - `miscoverage` by at most (max(miscoverage, 1 - miscoverage) + rate) / (rate * scores) (proposition 4.1). A
 * rate of 0 is split conformal prediction on all of the past.
 */
export function adaptiveConformal(
  scores: Float64Array,
  {
    miscoverage,
    rate,
    warmUp,
  }: { readonly miscoverage: number; readonly rate: number; readonly warmUp: number },
): AdaptiveConformal {
  const count = scores.length - warmUp;
  const widths = new Float64Array(count);
  const levels = new Float64Array(count);
  const covered = new Uint8Array(count);
  const past = Array.from(scores.subarray(0, warmUp)).sort((a, b) => a - b);
  let level = miscoverage;
  let hits = 0;
  for (let i = 0; i < count; i++) {
    const score = scores[warmUp + i];
    levels[i] = level;
    widths[i] = conformalWidth(past, level);
    covered[i] = score <= widths[i] ? 1 : 0;
    hits += covered[i];
    level += rate * (miscoverage - (1 - covered[i]));
    past.splice(rankOf(past, score), 0, score);
  }
  return { widths, levels, nextLevel: level, covered, coverage: hits / count };
}

/** The score that covers the next one with probability 1 - `level`: the ceil((n + 1)(1 - level))-th smallest. */
export function conformalWidth(sorted: readonly number[], level: number): number {
  if (level <= 0) return Infinity;
  if (level >= 1) return -1;
  const rank = Math.ceil((sorted.length + 1) * (1 - level));
  return rank > sorted.length ? Infinity : sorted[rank - 1];
}

function rankOf(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
