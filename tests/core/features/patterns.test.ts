import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { catalogue, computeFeatures } from '../../../src/core/features/catalogue.ts';
import { emptyCandles } from '../../../src/core/market/candles.ts';

type Bar = readonly [open: number, high: number, low: number, close: number];

/** Bars with a body of 1 and a range of 2: a tenth of it is slight, a fifth near. */
const BEFORE: readonly Bar[] = Array.from({ length: 14 }, (_, i) =>
  i % 2 === 0 ? [100, 101.5, 99.5, 101] : [101, 101.5, 99.5, 100],
);
const DOWN: readonly Bar[] = [
  [101, 101.2, 99.8, 100],
  [100, 100.2, 98.8, 99],
];
const UP: readonly Bar[] = [
  [99, 100.2, 98.8, 100],
  [100, 101.2, 99.8, 101],
];
const WHITE: Bar = [100, 101.2, 99.8, 101];
const BLACK: Bar = [101, 101.2, 99.8, 100];
const LONG_WHITE: Bar = [100, 102.2, 99.8, 102];
const LONG_BLACK: Bar = [102, 102.2, 99.8, 100];
const SOLDIERS: readonly Bar[] = [
  [100, 101.6, 99.9, 101.5],
  [101, 102.6, 100.9, 102.5],
  [102, 103.6, 101.9, 103.5],
];
const CROWS: readonly Bar[] = [
  [102.6, 103.9, 102.5, 103.8],
  [103.5, 103.6, 101.9, 102],
  [102.5, 102.6, 100.9, 101],
  [101.5, 101.6, 99.9, 100],
];

/** Patterns drawn by hand from TA-Lib's definitions: the newest bars, and what the feature says of the last. */
const CASES: readonly (readonly [name: string, bars: readonly Bar[], expected: number])[] = [
  ['doji', [[100, 101, 99, 100.15]], 1],
  ['doji', [[100, 101, 99, 100.3]], 0],
  ['dragonfly_doji', [[100, 100.1, 98, 100]], 1],
  ['dragonfly_doji', [[100, 102, 99.9, 100]], 0],
  ['gravestone_doji', [[100, 102, 99.9, 100]], 1],
  ['gravestone_doji', [[100, 100.1, 98, 100]], 0],
  ['hammer', [...DOWN, [99, 99.35, 98, 99.3]], 1],
  ['hammer', [...UP, [101, 101.35, 100, 101.3]], 0],
  ['hammer', [...DOWN, [99, 99.35, 98.8, 99.3]], 0],
  ['hanging_man', [...UP, [101, 101.35, 100, 101.3]], -1],
  ['hanging_man', [...DOWN, [99, 99.35, 98, 99.3]], 0],
  ['gapless_inverted_hammer', [...DOWN, [99, 100, 98.95, 99.3]], 1],
  ['gapless_inverted_hammer', [...UP, [101, 102, 100.95, 101.3]], 0],
  ['gapless_shooting_star', [...UP, [101, 102, 100.95, 101.3]], -1],
  ['gapless_shooting_star', [...DOWN, [99, 100, 98.95, 99.3]], 0],
  ['engulfing', [BLACK, [99.9, 101.6, 99.8, 101.5]], 1],
  ['engulfing', [WHITE, [101.1, 101.2, 99, 99.5]], -1],
  ['engulfing', [BLACK, [100.1, 101.6, 99.8, 101.5]], 0],
  ['engulfing', [WHITE, [99.9, 101.6, 99.8, 101.5]], 0],
  ['harami', [LONG_BLACK, [100.5, 101.2, 100.3, 101]], 1],
  ['harami', [LONG_WHITE, [101, 101.2, 100.3, 100.5]], -1],
  ['harami', [BLACK, [100.4, 100.7, 100.3, 100.6]], 0],
  ['gapless_piercing', [LONG_BLACK, [99.8, 101.5, 99.5, 101.2]], 1],
  ['gapless_piercing', [LONG_BLACK, [99.6, 101.5, 99.5, 100.9]], 0],
  ['gapless_dark_cloud', [LONG_WHITE, [102.2, 102.5, 100.5, 100.8]], -1],
  ['gapless_dark_cloud', [LONG_WHITE, [102.2, 102.5, 100.5, 101.1]], 0],
  ['gapless_morning_star', [LONG_BLACK, [99.8, 100, 99.3, 99.6], [99.7, 101.4, 99.6, 101.2]], 1],
  ['gapless_morning_star', [LONG_BLACK, [99.8, 100, 99.3, 99.6], [99.3, 100.6, 99.2, 100.5]], 0],
  ['gapless_evening_star', [LONG_WHITE, [102.2, 102.6, 102, 102.4], [102.3, 102.4, 100.5, 100.8]], -1],
  ['gapless_evening_star', [LONG_WHITE, [102.2, 102.6, 102, 102.4], [102.7, 102.8, 101.4, 101.5]], 0],
  ['three_soldiers', SOLDIERS, 1],
  ['three_soldiers', SOLDIERS.with(1, [100, 102.6, 99.9, 102.5]), 0],
  ['three_crows', CROWS, -1],
  ['three_crows', CROWS.with(3, [101.5, 101.6, 99, 100]), 0],
  ['three_crows', CROWS.slice(1), 0],
  ['marubozu', [[100, 102.02, 99.98, 102]], 1],
  ['marubozu', [[102, 102.02, 99.98, 100]], -1],
  ['marubozu', [[100, 102.3, 99.7, 102]], 0],
  ['spinning_top', [[100, 101, 99.4, 100.2]], 1],
  ['spinning_top', [[100.2, 101, 99.4, 100]], -1],
  ['spinning_top', [[100, 100.3, 99.4, 100.2]], 0],
  ['inside_bar', [WHITE, [100.2, 100.8, 99.9, 100.4]], 1],
  ['inside_bar', [WHITE, [100.2, 101.3, 99.9, 100.4]], 0],
  ['outside_bar', [WHITE, [100.5, 101.5, 99, 101]], 1],
  ['outside_bar', [WHITE, [100.5, 101.5, 99, 100]], -1],
  ['outside_bar', [WHITE, [100.5, 101.1, 99, 100]], 0],
  ['tweezer', [BLACK, [100, 101, 99.83, 100.8]], 1],
  ['tweezer', [WHITE, [101, 101.17, 100, 100.1]], -1],
  ['tweezer', [BLACK, [100, 101, 99.7, 100.8]], 0],
  // Long black, then white from below its close to above its middle: piercing, and nothing else that has a direction.
  ['pattern_balance', [LONG_BLACK, [99.8, 101.5, 99.5, 101.2]], 1],
  // A dark cloud.
  ['pattern_balance', [LONG_WHITE, [102.2, 102.5, 100.5, 100.8]], -1],
  ['pattern_balance', [[100, 100.1, 98, 100]], 0],
];

describe('candlestick patterns', () => {
  it.each(CASES)('%s after %j: %i', (name, bars, expected) => {
    const all = [...BEFORE, ...bars];
    const candles = emptyCandles(all.length);
    candles.time.set(all.map((_, i) => i * 36e5));
    for (const [i, column] of (['open', 'high', 'low', 'close'] as const).entries())
      candles[column].set(all.map((bar) => bar[i]));
    expect(computeFeatures([name], candles, '1h').columns[0].at(-1)).toBe(expected);
  });

  it('are all drawn here, present and absent', () => {
    const flags = catalogue.filter(({ group, unit }) => group === 'patterns' && unit === 'flag');
    for (const { name } of flags) {
      const expected = CASES.filter(([drawn]) => drawn === name).map(([, , value]) => value);
      expect(expected, name).toContain(0);
      expect(
        expected.some((value) => value !== 0),
        name,
      ).toBe(true);
    }
  });
});

/** Integer prices with gaps, the stop of SAR(.02, .2) on the first of them and what patterns TA-Lib finds on each. */
const TALIB = readFileSync(new URL('../../golden/talib/candlesticks.csv', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .slice(2)
  .map((line) => line.split(','))
  .map(([gap, body, upper, lower, sar, patterns]) => ({
    bar: [gap, body, upper, lower].map(Number),
    sar: sar === '' ? undefined : Number(sar),
    patterns: patterns.split(' ').filter((name) => name !== ''),
  }));

describe('against TA-Lib, on bars with gaps', () => {
  const candles = emptyCandles(TALIB.length);
  let previous = 20_000;
  TALIB.forEach(({ bar: [gap, body, upper, lower] }, row) => {
    const open = previous + gap;
    previous = open + body;
    candles.time[row] = row * 36e5;
    candles.open[row] = open;
    candles.close[row] = previous;
    candles.high[row] = Math.max(open, previous) + upper;
    candles.low[row] = Math.min(open, previous) - lower;
  });
  const found = (name: string): number[] =>
    [...computeFeatures([name], candles, '1h').columns[0].entries()].flatMap(([row, value]) =>
      Number.isNaN(value) || value === 0 ? [] : [row * value],
    );
  /** Rows at which TA-Lib finds a pattern, negative where it is bearish, once ours has warmed up. */
  const theirs = (name: string): number[] =>
    TALIB.flatMap(({ patterns }, row) =>
      row < 13 ? [] : patterns.includes(name) ? [row] : patterns.includes(`-${name}`) ? [-row] : [],
    );
  const names = [...new Set(TALIB.flatMap(({ patterns }) => patterns.map((name) => name.replace('-', ''))))];
  const ours = new Set(catalogue.map(({ name }) => name));

  it('which has seventeen patterns', () => {
    expect(names.length).toBe(17);
  });

  it.each(names.filter((name) => ours.has(name)))(
    '%s is found where TA-Lib finds it and nowhere else',
    (name) => {
      expect(theirs(name).length).toBeGreaterThan(8);
      expect(found(name)).toEqual(theirs(name));
    },
  );

  it.each(names.filter((name) => !ours.has(name)))(
    '%s, which asks for a gap, is a gapless_%s too',
    (name) => {
      expect(theirs(name).length).toBeGreaterThan(8);
      expect(found(`gapless_${name}`)).toEqual(expect.arrayContaining(theirs(name)));
    },
  );

  it('the parabolic stop is the same on every bar', () => {
    const [distance] = computeFeatures(['parabolic_distance'], candles, '1h').columns;
    expect(distance[0]).toBeNaN();
    for (const [row, { sar }] of TALIB.entries())
      if (sar !== undefined)
        expect(candles.close[row] / (1 + distance[row]), `row ${row}`).toBeCloseTo(sar, 8);
  });
});

it('turns the parabolic stop on an exact touch, from the first low on, by hand', () => {
  const candles = emptyCandles(6);
  candles.time.set([0, 1, 2, 3, 4, 5].map((row) => row * 36e5));
  // The rise begins at the first low, 9, moves by .02 (11 - 9) to 9.04 and is touched there by the third bar.
  candles.high.set([10, 11, 11, 10, 10, 10]);
  candles.low.set([9, 10, 9.04, 9.5, 9.5, 9.5]);
  candles.close.fill(10);
  const [distance] = computeFeatures(['parabolic_distance'], candles, '1h').columns;
  const stops = [...distance].map((value) => 10 / (1 + value));
  // Then the stop is the highest high, 11, and stays there while it is one of the two highs before.
  for (const [row, stop] of [NaN, 9, 11, 11, 11, 11 - 0.02 * 1.96].entries())
    if (row === 0) expect(stops[0]).toBeNaN();
    else expect(stops[row]).toBeCloseTo(stop, 12);
});
