import type { FeatureTable } from '../dataset/panel.ts';
import { type Candles, sliceCandles } from '../market/candles.ts';
import type { Bar } from './kernels/indicators.ts';

/** A value that another view of the same past does not confirm. */
export interface Leak {
  readonly feature: string;
  readonly row: number;
  readonly value: number;
  /** What comes out when nothing after the row exists. */
  readonly expected: number;
}

/**
 * Proves on given candles that no feature depends on a later bar, bit for bit, in two ways: every row against a
 * stream that was fed the bars up to it and no further; and whole columns recomputed on candles cut after each
 * of `cuts` rows. The first leak of each feature.
 */
export function findLeaks(
  names: readonly string[],
  candles: Candles,
  by: {
    readonly compute: (candles: Candles) => FeatureTable;
    readonly stream: () => { push(bar: Bar): Float64Array };
    readonly cuts: readonly number[];
  },
): readonly Leak[] {
  const { columns } = by.compute(candles);
  const leaks = new Map<string, Leak>();
  const check = (index: number, row: number, expected: number): void => {
    const feature = names[index];
    const value = columns[index][row];
    if (!Object.is(value, expected) && !leaks.has(feature))
      leaks.set(feature, { feature, row, value, expected });
  };

  const stream = by.stream();
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
  }
  for (const cut of by.cuts) {
    const part = by.compute(sliceCandles(candles, 0, cut)).columns;
    for (let i = 0; i < names.length; i++) for (let row = 0; row < cut; row++) check(i, row, part[i][row]);
  }
  return [...leaks.values()];
}
