import type { MetaLabels } from './labels.ts';
import { invariant } from '../foundation/errors.ts';

/**
 * How a forecaster did on bars it was not fitted on: the regression of what happened on what it said, all symbols
 * together, and how its statements move from bar to bar.
 */
export interface Edge {
  /** Realised return per unit of stated return; 1 for an honest forecaster, 0 for one without skill. */
  readonly slope: number;
  /** Its standard error. */
  readonly error: number;
  /** 99 % interval of the slope. */
  readonly low: number;
  readonly high: number;
  /** Bars, all symbols together. */
  readonly samples: number;
  /** First-order autocorrelation of the stated returns. */
  readonly persistence: number;
  /** Standard deviation of the stated returns about zero, over the horizon, as a fraction. */
  readonly deviation: number;
  readonly horizonBars: number;
  /** When its side is right, where a strategy asks for that. */
  readonly labels?: MetaLabels | undefined;
}

/** One symbol's stated and realised returns, row by row; `NaN` where either is not known. */
export interface StatedReturns {
  readonly time: Float64Array;
  readonly stated: Float64Array;
  readonly realised: Float64Array;
}

/**
 * Half an interval of 99 %, in standard errors. Skill is measured anew at every fold and every training: at 95 % one of ten years
 * without any would show some at one of four looks, at 99 % one of fifty.
 */
const WIDTH = 2.576;
/** Fewer bars than this say nothing about skill. */
const LEAST_SAMPLES = 100;

/**
 * The regression through the origin of realised on stated returns. Its error allows for overlapping horizons and for
 * symbols that move together: scores are summed over the symbols of a bar, and their autocovariance counts up to the
 * horizon with falling weights (Newey & West 1987). `undefined` below 100 bars, or when nothing was ever stated.
 */
export function measureEdge(
  series: readonly StatedReturns[],
  { horizonBars, barMs }: { readonly horizonBars: number; readonly barMs: number },
): Edge | undefined {
  let [products, squares, samples] = [0, 0, 0];
  for (const one of series) {
    invariant(one.stated.length === one.realised.length, 'stated and realised returns stand side by side');
    for (let row = 0; row < one.stated.length; row++) {
      if (!isKnown(one, row)) continue;
      products += one.stated[row] * one.realised[row];
      squares += one.stated[row] ** 2;
      samples++;
    }
  }
  if (samples < LEAST_SAMPLES || squares === 0) return undefined;
  const slope = products / squares;
  const error = Math.sqrt(longRunVariance(scores(series, slope), horizonBars, barMs)) / squares;
  return {
    slope,
    error,
    low: slope - WIDTH * error,
    high: slope + WIDTH * error,
    samples,
    persistence: persistenceOf(series, barMs),
    deviation: Math.sqrt(squares / samples),
    horizonBars,
  };
}

/** What to multiply a stated return with: the slope, at most 1, and nothing unless its interval lies above zero. */
export const shrinkage = ({ slope, low }: Edge): number => (low > 0 ? Math.min(1, slope) : 0);

const isKnown = ({ stated, realised }: StatedReturns, row: number): boolean =>
  !Number.isNaN(stated[row]) && !Number.isNaN(realised[row]);

/** Sums of scores `stated * residual` over the symbols of each bar, bar by bar in order of time. */
function scores(
  series: readonly StatedReturns[],
  slope: number,
): { readonly time: Float64Array; readonly sums: Float64Array } {
  const most = series.reduce((rows, { time }) => rows + time.length, 0);
  const [time, sums] = [new Float64Array(most), new Float64Array(most)];
  const next = new Int32Array(series.length);
  let count = 0;
  for (;;) {
    let nowMs = Infinity;
    for (let s = 0; s < series.length; s++) {
      const one = series[s];
      while (next[s] < one.time.length && !isKnown(one, next[s])) next[s]++;
      if (next[s] < one.time.length && one.time[next[s]] < nowMs) nowMs = one.time[next[s]];
    }
    if (nowMs === Infinity) return { time: time.subarray(0, count), sums: sums.subarray(0, count) };
    let sum = 0;
    for (let s = 0; s < series.length; s++) {
      const one = series[s];
      if (one.time[next[s]] !== nowMs) continue;
      const stated = one.stated[next[s]];
      sum += stated * (one.realised[next[s]] - slope * stated);
      next[s]++;
    }
    time[count] = nowMs;
    sums[count++] = sum;
  }
}

function longRunVariance({ time, sums }: ReturnType<typeof scores>, lags: number, barMs: number): number {
  let total = 0;
  for (let i = 0; i < time.length; i++) {
    const score = sums[i];
    total += score * score;
    for (let lag = 1, k = i - 1; lag <= lags; lag++) {
      const at = time[i] - lag * barMs;
      while (k >= 0 && time[k] > at) k--;
      if (k < 0) break;
      if (time[k] === at) total += 2 * (1 - lag / (lags + 1)) * score * sums[k];
    }
  }
  return Math.max(0, total);
}

/** Correlation about zero of a stated return with that of the bar before, in [0, 0.999]. */
function persistenceOf(series: readonly StatedReturns[], barMs: number): number {
  let [products, squares] = [0, 0];
  for (const { time, stated } of series) {
    for (let row = 1; row < stated.length; row++) {
      if (time[row] - time[row - 1] !== barMs) continue;
      if (Number.isNaN(stated[row]) || Number.isNaN(stated[row - 1])) continue;
      products += stated[row] * stated[row - 1];
      squares += (stated[row] ** 2 + stated[row - 1] ** 2) / 2;
    }
  }
  return squares === 0 ? 0 : Math.min(0.999, Math.max(0, products / squares));
}
