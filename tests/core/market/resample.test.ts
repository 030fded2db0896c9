import { describe, expect, it } from 'vitest';
import { type Candles, sliceCandles } from '../../../src/core/market/candles.ts';
import { resampleCandles } from '../../../src/core/market/resample.ts';

const HOUR = 3_600_000;

/** Hourly bars that open at the given hours; each bar's prices and volume tell its hour apart. */
const hours = (opened: readonly number[]): Candles => ({
  time: Float64Array.from(opened, (hour) => hour * HOUR),
  open: Float64Array.from(opened, (hour) => 100 + hour),
  high: Float64Array.from(opened, (hour) => 200 + (hour % 3)),
  low: Float64Array.from(opened, (hour) => 50 - (hour % 3)),
  close: Float64Array.from(opened, (hour) => 101 + hour),
  volume: Float64Array.from(opened, () => 2),
});

const range = (from: number, until: number): number[] =>
  Array.from({ length: until - from }, (_, i) => from + i);

const opened = (candles: Candles): number[] => Array.from(candles.time, (time) => time / HOUR);

describe('bars of a longer timeframe', () => {
  it('open with their first part, close with their last, and span and sum all of them', () => {
    const made = resampleCandles(hours(range(0, 8)), '1h', '4h');
    expect(opened(made)).toEqual([0, 4]);
    expect([...made.open]).toEqual([100, 104]);
    expect([...made.high]).toEqual([202, 202]);
    expect([...made.low]).toEqual([48, 48]);
    expect([...made.close]).toEqual([104, 108]);
    expect([...made.volume]).toEqual([8, 8]);
  });

  it.each([
    ['has not closed yet', range(0, 7), [0]],
    ['started before the first part there is', range(1, 8), [4]],
    ['lacks a part in the middle', [0, 1, 3, 4, 5, 6, 7, 8], [4]],
    ['lacks its first part', [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11], [0, 8]],
    ['lacks its last part', [0, 1, 2, 4, 5, 6, 7], [4]],
  ])('are left out where one %s', (_, parts, expected) => {
    expect(opened(resampleCandles(hours(parts), '1h', '4h'))).toEqual(expected);
  });

  it('do not change when later parts arrive', () => {
    const all = hours(range(0, 60));
    const made = resampleCandles(all, '1h', '1d');
    for (let rows = 0; rows <= 60; rows++) {
      const known = resampleCandles(sliceCandles(all, 0, rows), '1h', '1d');
      expect(known).toEqual(sliceCandles(made, 0, Math.floor(rows / 24)));
    }
  });
});
