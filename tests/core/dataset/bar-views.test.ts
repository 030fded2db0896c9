import { describe, expect, it } from 'vitest';
import { barsInside, barView, newestKnown, viewAt } from '../../../src/core/dataset/bar-views.ts';
import { type BarLength, closeOfBar, isMadeOf, openOfBar } from '../../../src/core/market/bar-length.ts';
import { sliceCandles } from '../../../src/core/market/candles.ts';
import { resampleCandles } from '../../../src/core/market/resample.ts';
import { walk } from '../../support/candles.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('weeks and months', () => {
  // 1 February 2024 is a Thursday, 2024 a leap year; Binance's weeks begin on Monday as well.
  it.each<[string, BarLength, number, number, number]>([
    ['a week', '1w', Date.UTC(2024, 1, 1, 15), Date.UTC(2024, 0, 29), Date.UTC(2024, 1, 5)],
    ['its first moment', '1w', Date.UTC(2024, 0, 29), Date.UTC(2024, 0, 29), Date.UTC(2024, 1, 5)],
    ['a week before the epoch', '1w', Date.UTC(1969, 11, 31), Date.UTC(1969, 11, 29), Date.UTC(1970, 0, 5)],
    ['a February of 29 days', '1M', Date.UTC(2024, 1, 29, 23), Date.UTC(2024, 1, 1), Date.UTC(2024, 2, 1)],
    ['a December', '1M', Date.UTC(2023, 11, 31), Date.UTC(2023, 11, 1), Date.UTC(2024, 0, 1)],
    ['a day', '1d', Date.UTC(2024, 1, 1, 15), Date.UTC(2024, 1, 1), Date.UTC(2024, 1, 2)],
  ])('%s', (_, length, at, open, close) => {
    expect(openOfBar(at, length)).toBe(open);
    expect(closeOfBar(open, length)).toBe(close);
  });

  it('are made of whole days, or not at all', () => {
    const days = walk(92, { startMs: Date.UTC(2024, 0, 15), timeframe: '1d' });
    const months = resampleCandles(days, '1d', '1M');
    // 15 January to 15 April: February and March are whole.
    expect([...months.time]).toEqual([Date.UTC(2024, 1, 1), Date.UTC(2024, 2, 1)]);
    const february = sliceCandles(days, 17, 46);
    expect(months.open[0]).toBe(february.open[0]);
    expect(months.close[0]).toBe(february.close[28]);
    expect(months.high[0]).toBe(Math.max(...february.high));
    expect(months.low[0]).toBe(Math.min(...february.low));
    expect(months.volume[0]).toBeCloseTo(
      february.volume.reduce((sum, one) => sum + one, 0),
      9,
    );
    expect([...resampleCandles(days, '1d', '1w').time].slice(0, 2)).toEqual([
      Date.UTC(2024, 0, 15),
      Date.UTC(2024, 0, 22),
    ]);
  });

  it('ten minutes do not make quarters of an hour', () => {
    expect(isMadeOf('15m', '10m')).toBe(false);
    expect(isMadeOf('1M', '10m')).toBe(true);
  });
});

describe.each<BarLength>(['1h', '4h', '1d', '1w', '1M'])('bars of %s made of hours', (length) => {
  const hours = walk(24 * 70, { startMs: Date.UTC(2024, 0, 1), seed: 3 });
  const view = barView(length, resampleCandles(hours, '1h', length));

  it('are, cut at any hour, those made of the hours that had closed by then: none looks ahead', () => {
    for (let rows = 1; rows <= hours.time.length; rows += 37) {
      const nowMs = hours.time[rows - 1] + HOUR;
      const then = barView(length, resampleCandles(sliceCandles(hours, 0, rows), '1h', length));
      expect(viewAt(view, nowMs)).toEqual(then);
    }
  });

  it('are known at their close and not a moment before', () => {
    const closes = hours.time.map((open) => open + HOUR);
    const newest = newestKnown(view, closes);
    closes.forEach((close, i) => {
      const row = newest[i];
      if (row >= 0) expect(view.known[row]).toBeLessThanOrEqual(close);
      if (row + 1 < view.known.length) expect(view.known[row + 1]).toBeGreaterThan(close);
    });
    expect(newestKnown(view, Float64Array.of(view.known[0] - 1, view.known[0]))).toEqual(
      Int32Array.of(-1, 0),
    );
  });

  it('span exactly the shorter bars inside them', () => {
    const inner = barView('1h', hours);
    for (let row = 0; row < view.known.length; row++) {
      const inside = barsInside(inner, view, row);
      expect(inside.time[0]).toBe(view.candles.time[row]);
      expect(inside.time[inside.time.length - 1] + HOUR).toBe(view.known[row]);
      expect(view.candles.high[row]).toBe(inside.high.reduce((most, one) => Math.max(most, one)));
      expect(view.candles.close[row]).toBe(inside.close[inside.close.length - 1]);
    }
  });
});

it('a hole in the hours leaves out every longer bar that it lies in, and no other', () => {
  const hours = walk(24 * 14, { startMs: Date.UTC(2024, 0, 1) });
  const holed = sliceCandles(hours, 0);
  const missing = 30;
  const time = holed.time.filter((_, row) => row !== missing);
  const without = Object.fromEntries(
    Object.entries(holed).map(([name, column]: [string, Float64Array]) => [
      name,
      column.filter((_, row) => row !== missing),
    ]),
  );
  expect(time).toHaveLength(24 * 14 - 1);
  const days = resampleCandles({ ...holed, ...without }, '1h', '1d');
  expect([...days.time].map((open) => (open - Date.UTC(2024, 0, 1)) / DAY)).toEqual([
    0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
  ]);
});
