import { expect, it } from 'vitest';
import { type Candles, emptyCandles } from '../../../src/core/market/candles.ts';
import { findOddities, oddityLines } from '../../../src/core/market/plausible.ts';
import { seriesFault, seriesKind, type SeriesName } from '../../../src/core/market/series-kinds.ts';
import type { Timeframe } from '../../../src/core/market/timeframe.ts';
import { walk } from '../../support/candles.ts';

const START = Date.UTC(2024, 0, 1);
const HOUR = 3_600_000;

type Row = readonly [open: number, high: number, low: number, close: number];

function bars(rows: readonly Row[], stepMs = HOUR, startMs = START): Candles {
  const candles = emptyCandles(rows.length);
  rows.forEach(([open, high, low, close], row) => {
    candles.time[row] = startMs + row * stepMs;
    candles.open[row] = open;
    candles.high[row] = high;
    candles.low[row] = low;
    candles.close[row] = close;
    candles.volume[row] = row + 1;
  });
  return candles;
}

const told = (candles: Candles, timeframe: Timeframe = '1h') =>
  findOddities(candles, timeframe).map(({ verdict, what }) => `${verdict}: ${what}`);

const q: Row = [100, 101, 99, 100];

it('finds nothing odd about ordinary bars, nor about holes between them', () => {
  expect(told(walk(500, { startMs: START }))).toEqual([]);
  const holes = walk(500, { startMs: START });
  holes.time.set(holes.time.map((time, row) => time + (row > 250 ? 90 * HOUR : 0)));
  expect(told(holes)).toEqual([]);
});

it.each<[string, Row, string]>([
  [
    'a thousandfold open',
    [100_000, 101_000, 99_000, 100_000],
    'wrong: its open 100000 is 1000 times the last close 100: a redenomination or other units, by 1000',
  ],
  [
    'an open of a thousandth',
    [0.1, 0.11, 0.09, 0.1],
    'wrong: its open 0.1 is 1/1000 of the last close 100: a redenomination or other units, by 1000',
  ],
  [
    'an open 250 times higher',
    [25_000, 25_000, 25_000, 25_000],
    'wrong: its open 25000 is 250 times the last close 100: another coin or other units',
  ],
  [
    'an open 5 times higher',
    [500, 500, 500, 500],
    'doubtful: its open 500 is 5 times the last close 100: a jump, a wrong tick or other units',
  ],
  [
    'a wick of a million times the price',
    [100, 1e8, 99, 100],
    'wrong: its high 100000000 is 1000000 times away from open and close: a wrong tick',
  ],
  [
    'the wick of Ether on GDAX, 21 June 2017: 319 to 0.10',
    [100, 101, 100 / 3190, 100],
    `doubtful: its low ${100 / 3190} is 3190 times away from open and close: a wrong tick`,
  ],
  [
    'a close of a tenth',
    [100, 101, 10, 10],
    'doubtful: its close 10 is 1/10 of its open 100: a collapse, a listing or a change of units',
  ],
  [
    'a price that no pair has',
    [100, 1e13, 99, 100],
    'wrong: its prices (99 to 10000000000000) are none that any pair has',
  ],
])('%s', (_, row, what) => {
  expect(told(bars([q, row]))).toEqual([what]);
});

it('leaves alone what stays below the bounds: 4.9 times', () => {
  expect(told(bars([q, [490, 490, 490, 490]]))).toEqual([]);
  expect(told(bars([[100, 489, 21, 100]]))).toEqual([]);
});

it.each<[string, number, Timeframe, string]>([
  [
    'daily bars as hourly',
    24 * HOUR,
    '1h',
    '29 of 29 bars from here on are 1d apart: not bars of 1h but of 1d',
  ],
  ['hourly bars as minutes', HOUR, '1m', '29 of 29 bars from here on are 1h apart: not bars of 1m but of 1h'],
  [
    'ten minutes as five',
    600_000,
    '5m',
    '29 of 29 bars from here on are 10m apart: not bars of 5m but of 10m',
  ],
])('%s', (_, step, timeframe, what) => {
  const series = bars(
    Array.from({ length: 30 }, () => q),
    step,
  );
  expect(told(series, timeframe)).toEqual([`wrong: ${what}`]);
});

it('an illiquid pair that lacks two bars in three at random is no longer timeframe', () => {
  const sparse = walk(300, { startMs: START });
  let at = START;
  sparse.time.forEach((_, row) => {
    sparse.time[row] = at;
    at += HOUR * (1 + ((row * 7919) % 5));
  });
  expect(told(sparse)).toEqual([]);
});

it('a bar of 1970 is named, and what follows is still looked at', () => {
  const series = bars([q, q, [100_000, 100_000, 100_000, 100_000]]);
  series.time[0] = 0;
  expect(told(series)).toEqual([
    'wrong: it lies before 2009-01-03, when there was no coin: a missing or misread time',
    'wrong: its open 100000 is 1000 times the last close 100: a redenomination or other units, by 1000',
  ]);
});

it('a feed that hung is ten equal bars, volume included', () => {
  const hung = bars(Array.from({ length: 14 }, () => q));
  hung.volume.fill(7, 2, 12);
  expect(told(hung)).toEqual(['doubtful: it comes 10 times in a row, volume included: a feed that hung']);
  hung.volume[11] = 8;
  expect(told(hung)).toEqual([]);
});

it('tells the first few and how many more', () => {
  const jumps = bars(Array.from({ length: 8 }, (_, row): Row => (row % 2 === 0 ? q : [900, 900, 900, 900])));
  const lines = oddityLines(findOddities(jumps, '1h'), 2);
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^bar of 2024-01-01T01:00:00.000Z: its open 900/);
  expect(lines[2]).toBe('... and 5 more such bars');
});

it.each<[SeriesName, readonly number[], string | undefined]>([
  ['fear-greed', [100], undefined],
  ['fear-greed', [2000], 'value is 2000, expected 0 to 100'],
  ['fear-greed', [-5], 'value is -5, expected 0 to 100'],
  ['funding', [-0.03], undefined],
  ['funding', [5], 'rate is 5, expected -1 to 1'],
  ['open-interest', [-1], 'amount is -1, expected 0 or more'],
  ['spx', [0], 'close is 0, expected a positive number'],
  ['vix', [82.69], undefined],
  ['vix', [0.2], 'close is 0.2, expected 1 to 1000'],
])('%s of %j: %s', (name, values, fault) => {
  expect(seriesFault(seriesKind(name), START, values)).toBe(fault);
});

it('a coin has no funding rate before there were coins; an index may be older', () => {
  expect(seriesFault(seriesKind('funding'), 0, [0.0001])).toMatch(/before 2009-01-03/);
  expect(seriesFault(seriesKind('spx'), Date.UTC(1928, 0, 3), [17.76])).toBeUndefined();
});
