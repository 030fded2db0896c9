import { type Candles, sliceCandles } from '../market/candles.ts';
import { type Timeframe, TIMEFRAME_MS } from '../market/timeframe.ts';

/**
 * The return that a decision at the close of row t can earn: from the open of bar t+1, where it is filled, to
 * the open of bar t+1+horizonBars, as a fraction. `NaN` where the last of these bars is not there yet or a bar in
 * between is missing: a position cannot be opened, nor a return be known, across a gap.
 */
export function forwardReturns(candles: Candles, timeframe: Timeframe, horizonBars: number): Float64Array {
  const { time, open } = candles;
  const span = (horizonBars + 1) * TIMEFRAME_MS[timeframe];
  const returns = new Float64Array(time.length).fill(NaN);
  for (let row = 0, end = 1 + horizonBars; end < time.length; row++, end++)
    if (time[end] - time[row] === span) returns[row] = open[end] / open[row + 1] - 1;
  return returns;
}

/** The same of rows [from, until) alone, however many bars there are. */
export const returnsWithin = (
  candles: Candles,
  of: {
    readonly timeframe: Timeframe;
    readonly horizonBars: number;
    readonly from: number;
    readonly until: number;
  },
): Float64Array => {
  const { timeframe, horizonBars, from, until } = of;
  const seen = sliceCandles(candles, from, Math.min(candles.time.length, until + 1 + horizonBars));
  return forwardReturns(seen, timeframe, horizonBars).subarray(0, until - from);
};

/** When the label of a bar that opened at `barTimeMs` is known: the open of the bar at which its return ends. */
export const labelEndMs = (barTimeMs: number, timeframe: Timeframe, horizonBars: number): number =>
  barTimeMs + (horizonBars + 1) * TIMEFRAME_MS[timeframe];

/**
 * Rows to train on: bars from `fromMs` on that have a label which ends at or before `untilMs`. What is left out
 * before `untilMs` is the purge: those returns would reach into the bars the model is tested on.
 */
export function labelledRows(
  candles: Candles,
  labels: Float64Array,
  range: {
    readonly timeframe: Timeframe;
    readonly horizonBars: number;
    readonly fromMs: number;
    readonly untilMs: number;
  },
): Int32Array {
  const { time } = candles;
  const rows: number[] = [];
  for (let row = 0; row < time.length; row++) {
    if (time[row] < range.fromMs || Number.isNaN(labels[row])) continue;
    if (labelEndMs(time[row], range.timeframe, range.horizonBars) > range.untilMs) break;
    rows.push(row);
  }
  return Int32Array.from(rows);
}
