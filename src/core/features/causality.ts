import type { FeatureTable } from '../dataset/panel.ts';
import type { Steps } from '../foundation/steps.ts';
import { type Candles, sliceCandles } from '../market/candles.ts';
import { type Timeframe, TIMEFRAME_MS } from '../market/timeframe.ts';
import { knownAt } from '../market/timed-series.ts';
import type { FeatureInputs } from './inputs.ts';
import type { Bar } from './kernels/indicators.ts';

/** A value that another view of the same past does not confirm. */
export interface Leak {
  readonly feature: string;
  readonly row: number;
  readonly value: number;
  /** What comes out when nothing after the row exists. */
  readonly expected: number;
}

const STEP_ROWS = 256;

/**
 * Proves on given candles and inputs that no feature depends on what was not known yet, bit for bit, in two ways:
 * every row against a stream that was fed the bars up to it and no further; and whole columns recomputed on
 * candles cut after each of `cuts` rows, and on what of the inputs was known when the last of them closed. The
 * first leak of each feature. In steps: a year of minutes takes a minute.
 */
export function* findLeaks(
  names: readonly string[],
  candles: Candles,
  by: {
    readonly timeframe: Timeframe;
    readonly inputs: FeatureInputs;
    readonly compute: (candles: Candles, inputs: FeatureInputs) => Steps<FeatureTable>;
    readonly stream: (inputs: FeatureInputs) => { push(bar: Bar): Float64Array };
    readonly cuts: readonly number[];
  },
): Steps<readonly Leak[]> {
  const { columns } = yield* by.compute(candles, by.inputs);
  const leaks = new Map<string, Leak>();
  const check = (index: number, row: number, expected: number): void => {
    const feature = names[index];
    const value = columns[index][row];
    if (!Object.is(value, expected) && !leaks.has(feature))
      leaks.set(feature, { feature, row, value, expected });
  };

  const stream = by.stream(by.inputs);
  const { time, open, high, low, close, volume } = candles;
  for (let row = 0; row < time.length; row++) {
    const values = stream.push({
      time: time[row],
      open: open[row],
      high: high[row],
      low: low[row],
      close: close[row],
      volume: volume[row],
    });
    for (let i = 0; i < names.length; i++) check(i, row, values[i]);
    if (row % STEP_ROWS === 0) yield;
  }
  for (const cut of by.cuts) {
    const closedMs = time[cut - 1] + TIMEFRAME_MS[by.timeframe];
    const part = (yield* by.compute(sliceCandles(candles, 0, cut), inputsAt(by.inputs, closedMs))).columns;
    for (let i = 0; i < names.length; i++) {
      for (let row = 0; row < cut; row++) check(i, row, part[i][row]);
      yield;
    }
  }
  return [...leaks.values()];
}

/** What was known of every input at `nowMs`. */
export const inputsAt = (inputs: FeatureInputs, nowMs: number): FeatureInputs =>
  Object.fromEntries(Object.entries(inputs).map(([name, series]) => [name, knownAt(series, nowMs)]));
