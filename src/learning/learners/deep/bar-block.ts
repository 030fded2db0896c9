import { lowerBound } from '../../../core/market/candles.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../../core/market/timeframe.ts';
import { CALENDAR_INPUTS, calendarOf, type InputLayout, type SeriesInputs } from './inputs.ts';

/**
 * Windows that end at consecutive bars of one series, as their bars: every bar once, where windows side by side
 * would repeat it `lookBack` times.
 */
export interface BarBlock {
  readonly feeds: Readonly<Record<string, Float32Array | Int32Array>>;
  /** Puts in the windows that end at the bars `first`, `first + 1`, ... since the epoch; zeros for bars that are missing. */
  fill(series: SeriesInputs, first: number): void;
}

/**
 * Shapes of a block of `windows` windows of one branch: `bars` [windows + lookBack - 1, features], `calendar` of these and
 * of the bars to come [bars + futureBars, calendar inputs], and `symbol` [1].
 */
export function barBlockSpec(windows: number, { branches: [branch], futureBars }: InputLayout) {
  const bars = windows + branch.lookBack - 1;
  return {
    bars: { shape: [bars, branch.features.length], type: 'float32' as const },
    calendar: { shape: [bars + futureBars, CALENDAR_INPUTS.length], type: 'float32' as const },
    symbol: { shape: [1], type: 'int32' as const },
  };
}

export function barBlock(windows: number, layout: InputLayout, timeframe: Timeframe): BarBlock {
  const { lookBack, features } = layout.branches[0];
  const [width, duration] = [features.length, TIMEFRAME_MS[timeframe]];
  const count = windows + lookBack - 1;
  const bars = new Float32Array(count * width);
  const calendar = new Float32Array((count + layout.futureBars) * CALENDAR_INPUTS.length);
  const symbol = new Int32Array(1);
  const calendarAt = calendarOf(timeframe);
  return {
    feeds: { bars, calendar, symbol },
    fill({ time, symbolIndex, branches: [{ values }] }, first) {
      const start = first - lookBack + 1;
      symbol[0] = symbolIndex;
      for (let bar = 0; bar < count + layout.futureBars; bar++)
        calendar.set(calendarAt(start + bar), bar * CALENDAR_INPUTS.length);
      bars.fill(0);
      for (let row = lowerBound(time, start * duration); row < time.length; row++) {
        const bar = time[row] / duration - start;
        if (bar >= count) break;
        bars.set(values.subarray(row * width, (row + 1) * width), bar * width);
      }
      // Of features that are still warming up: no complete window has such a bar.
      for (let i = 0; i < bars.length; i++) if (Number.isNaN(bars[i])) bars[i] = 0;
    },
  };
}
