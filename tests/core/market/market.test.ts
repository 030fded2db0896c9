import { describe, expect, it } from 'vitest';
import {
  candleFault,
  candlesBetween,
  type Candles,
  concatCandles,
  lowerBound,
} from '../../../src/core/market/candles.ts';
import { findGaps } from '../../../src/core/market/gaps.ts';
import { barOpen, barsPerYear, parseTimeframe } from '../../../src/core/market/timeframe.ts';

const HOUR = 3_600_000;

function candles(times: readonly number[]): Candles {
  const column = (value: number) => new Float64Array(times.length).fill(value);
  return {
    time: Float64Array.from(times),
    open: column(2),
    high: column(3),
    low: column(1),
    close: column(2),
    volume: column(0),
  };
}

describe('timeframes', () => {
  it('align bars to the epoch and count 365 days a year', () => {
    expect(barOpen(Date.UTC(2025, 0, 1, 7, 59), '4h')).toBe(Date.UTC(2025, 0, 1, 4));
    expect(barsPerYear('1h')).toBe(8760);
  });
  it('that are unknown are refused with the known ones', () => {
    expect(() => parseTimeframe('7h')).toThrow('Unknown timeframe "7h"');
  });
});

describe('gaps', () => {
  it('are the runs of bars between the first and the last that are not there', () => {
    const times = Float64Array.from([0, 1, 2, 5, 6, 8].map((hour) => hour * HOUR));
    expect(findGaps(times, '1h')).toEqual([
      { fromMs: 3 * HOUR, toMs: 4 * HOUR, bars: 2 },
      { fromMs: 7 * HOUR, toMs: 7 * HOUR, bars: 1 },
    ]);
  });
  it('do not exist in an empty or complete series', () => {
    expect(findGaps(new Float64Array(0), '1h')).toEqual([]);
    expect(findGaps(Float64Array.from([0, HOUR]), '1h')).toEqual([]);
  });
});

describe('candle columns', () => {
  it('are found by time, from inclusive, until exclusive', () => {
    const all = candles([1, 2, 4, 8]);
    expect(lowerBound(all.time, 3)).toBe(2);
    expect([...candlesBetween(all, 2, 8).time]).toEqual([2, 4]);
    expect([...concatCandles([candles([1]), candles([2, 3])]).time]).toEqual([1, 2, 3]);
  });

  it.each([
    ['close', NaN, /close is NaN/],
    ['open', 0, /open is 0/],
    ['high', 1.5, /high 1.5 is below/],
    ['low', 2.5, /low 2.5 is above/],
    ['volume', -1, /volume is -1/],
  ] as const)('with a bad %s of %d are named', (column, value, message) => {
    const bad = candles([1]);
    bad[column][0] = value;
    expect(candleFault(bad, 0)).toMatch(message);
    expect(candleFault(candles([1]), 0)).toBeUndefined();
  });
});
