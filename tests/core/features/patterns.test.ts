import { describe, expect, it } from 'vitest';
import { catalogue, computeFeatures } from '../../../src/core/features/catalogue.ts';
import { emptyCandles } from '../../../src/core/market/candles.ts';

type Bar = readonly [open: number, high: number, low: number, close: number];

/** Bars with a body of 1 and shadows of a half, up and down in turn: the usual body is 1. */
const BEFORE: readonly Bar[] = Array.from({ length: 12 }, (_, i) =>
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

/** Patterns drawn by hand after Nison 1991: the newest bars, and what the feature says of the last. */
const CASES: readonly (readonly [name: string, bars: readonly Bar[], expected: number])[] = [
  ['doji', [[100, 101, 99, 100.15]], 1],
  ['doji', [[100, 101, 99, 100.3]], 0],
  ['dragonfly_doji', [[100, 100.1, 98, 100]], 1],
  ['dragonfly_doji', [[100, 102, 99.9, 100]], 0],
  ['gravestone_doji', [[100, 102, 99.9, 100]], 1],
  ['gravestone_doji', [[100, 100.1, 98, 100]], 0],
  ['hammer', [...DOWN, [99, 99.35, 98, 99.3]], 1],
  ['hammer', [...UP, [99, 99.35, 98, 99.3]], 0],
  ['hammer', [...DOWN, [99, 99.35, 98.5, 99.3]], 0],
  ['hanging_man', [...UP, [101, 101.35, 100, 101.3]], -1],
  ['hanging_man', [...DOWN, [101, 101.35, 100, 101.3]], 0],
  ['inverted_hammer', [...DOWN, [99, 100, 98.95, 99.3]], 1],
  ['inverted_hammer', [...UP, [99, 100, 98.95, 99.3]], 0],
  ['shooting_star', [...UP, [101, 102, 100.95, 101.3]], -1],
  ['shooting_star', [...DOWN, [101, 102, 100.95, 101.3]], 0],
  ['engulfing', [BLACK, [99.9, 101.6, 99.8, 101.5]], 1],
  ['engulfing', [WHITE, [101.1, 101.2, 99, 99.5]], -1],
  ['engulfing', [BLACK, [100.1, 101.6, 99.8, 101.5]], 0],
  ['engulfing', [WHITE, [99.9, 101.6, 99.8, 101.5]], 0],
  ['harami', [LONG_BLACK, [100.5, 101.2, 100.3, 101]], 1],
  ['harami', [LONG_WHITE, [101, 101.2, 100.3, 100.5]], -1],
  ['harami', [BLACK, [100.4, 100.7, 100.3, 100.6]], 0],
  ['piercing', [LONG_BLACK, [99.8, 101.5, 99.5, 101.2]], 1],
  ['piercing', [LONG_BLACK, [99.8, 101.5, 99.5, 100.9]], 0],
  ['dark_cloud', [LONG_WHITE, [102.2, 102.5, 100.5, 100.8]], -1],
  ['dark_cloud', [LONG_WHITE, [102.2, 102.5, 100.5, 101.1]], 0],
  ['morning_star', [LONG_BLACK, [99.8, 100, 99.3, 99.6], [99.7, 101.4, 99.6, 101.2]], 1],
  ['morning_star', [LONG_BLACK, [99.8, 100, 99.3, 99.6], [99.7, 101.4, 99.6, 100.9]], 0],
  ['evening_star', [LONG_WHITE, [102.2, 102.6, 102, 102.4], [102.3, 102.4, 100.5, 100.8]], -1],
  ['evening_star', [LONG_WHITE, [102.2, 102.6, 102, 102.4], [102.3, 102.4, 100.5, 101.1]], 0],
  [
    'three_soldiers',
    [
      [100, 101.6, 99.9, 101.5],
      [101, 102.6, 100.9, 102.5],
      [102, 103.6, 101.9, 103.5],
    ],
    1,
  ],
  [
    'three_soldiers',
    [
      [100, 101.6, 99.9, 101.5],
      [101.6, 102.6, 100.9, 102.5],
      [102, 103.6, 101.9, 103.5],
    ],
    0,
  ],
  [
    'three_crows',
    [
      [103.5, 103.6, 101.9, 102],
      [102.5, 102.6, 100.9, 101],
      [101.5, 101.6, 99.9, 100],
    ],
    -1,
  ],
  [
    'three_crows',
    [
      [103.5, 103.6, 101.9, 102],
      [102.5, 102.6, 100.9, 101],
      [101.5, 101.6, 99, 100],
    ],
    0,
  ],
  ['marubozu', [[100, 102.02, 99.98, 102]], 1],
  ['marubozu', [[102, 102.02, 99.98, 100]], -1],
  ['marubozu', [[100, 102.2, 99.8, 102]], 0],
  ['spinning_top', [[100, 101, 99.4, 100.2]], 1],
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
