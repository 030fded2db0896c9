import { randomCandles } from './random-candles.ts';

/*
 * What definitions are written out with, over whole windows of one seeded series: no running sums, no queues, and nothing
 * shared with the kernels.
 */

export type At = (t: number) => number;
export type Numbers = ArrayLike<number>;

/** Four-hour bars: a day is six. */
export const DAY = 6;
export const candles = randomCandles(700, 21, '4h');
export const { time, open, high, low, close, volume } = candles;
export const rows = [...close.keys()];

export const series = (at: At): number[] => rows.map(at);
export const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
/** The last `n` values up to row t. */
export const last = (values: Numbers, n: number, t: number): number[] =>
  range(t - n + 1, t + 1).map((i) => values[i]);
export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
export const mean = (values: readonly number[]): number => sum(values) / values.length;
export const moment = (values: readonly number[], power: number): number =>
  mean(values.map((value) => (value - mean(values)) ** power));
export const deviation = (values: readonly number[]): number =>
  Math.sqrt((moment(values, 2) * values.length) / (values.length - 1));
export const score = (values: readonly number[]): number =>
  deviation(values) === 0 ? 0 : ((values.at(-1) ?? NaN) - mean(values)) / deviation(values);
export const correlation = (x: readonly number[], y: readonly number[]): number =>
  mean(x.map((value, i) => (value - mean(x)) * (y[i] - mean(y)))) / Math.sqrt(moment(x, 2) * moment(y, 2));
export const or = (value: number, neutral: number): number => (Number.isFinite(value) ? value : neutral);
export const product = (...columns: readonly Numbers[]): number[] =>
  series((t) => columns.reduce((total, column) => total * column[t], 1));

/** Exponential mean of `values` from the first known one on: weight 2 / (n + 1), the first value a simple mean. */
export function ema(values: Numbers, n: number, weight = 2 / (n + 1)): number[] {
  const first = rows.find((t) => !Number.isNaN(values[t])) ?? NaN;
  const smooth: number[] = [];
  for (const t of rows) {
    if (t < first + n - 1) smooth.push(NaN);
    else if (t === first + n - 1) smooth.push(mean(last(values, n, t)));
    else smooth.push(weight * values[t] + (1 - weight) * smooth[t - 1]);
  }
  return smooth;
}
export const wilder = (values: Numbers, n: number): number[] => ema(values, n, 1 / n);
export const sma = (values: Numbers, n: number): number[] => series((t) => mean(last(values, n, t)));

export const change = series((t) => close[t] - close[t - 1]);
export const gain = change.map((value) => Math.max(0, value));
export const loss = change.map((value) => Math.max(0, -value));
export const move = series((t) => close[t] / close[t - 1] - 1);
export const log = series((t) => Math.log(close[t] / close[t - 1]));
export const squares = log.map((value) => value ** 2);
export const typical = series((t) => (high[t] + low[t] + close[t]) / 3);
export const middle = series((t) => (high[t] + low[t]) / 2);
export const width = series((t) => (high[t] - low[t]) / close[t]);
export const trueRange = series((t) =>
  Math.max(high[t] - low[t], Math.abs(high[t] - close[t - 1]), Math.abs(low[t] - close[t - 1])),
);
export const highest = (n: number, t: number): number => Math.max(...last(high, n, t));
export const lowest = (n: number, t: number): number => Math.min(...last(low, n, t));
export const back =
  (n: number): At =>
  (t) =>
    close[t] / close[t - n] - 1;
/** Place of x in [low, high]; one half where they are the same. */
export const place = (x: number, bottom: number, top: number): number =>
  or((x - bottom) / (top - bottom), 0.5);

/** When bar t closes. */
export function closes(t: number): Date {
  return new Date(time[t] + 4 * 36e5);
}

export function named<Key>(keys: readonly Key[], make: (key: Key) => Record<string, At>): Record<string, At> {
  return Object.assign({}, ...keys.map(make)) as Record<string, At>;
}
