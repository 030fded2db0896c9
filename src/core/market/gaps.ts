import { type Timeframe, TIMEFRAME_MS } from './timeframe.ts';

/** A run of bars that should exist and do not: open times of the first and last missing bar, epoch ms. */
export interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
  readonly bars: number;
}

/** Runs of missing bars between the first and the last of sorted bar open `times`. */
export function findGaps(times: Float64Array, timeframe: Timeframe): readonly Gap[] {
  const step = TIMEFRAME_MS[timeframe];
  const gaps: Gap[] = [];
  for (let i = 1; i < times.length; i++) {
    const bars = Math.round((times[i] - times[i - 1]) / step) - 1;
    if (bars > 0) gaps.push({ fromMs: times[i - 1] + step, toMs: times[i] - step, bars });
  }
  return gaps;
}
