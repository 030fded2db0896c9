import { describe, expect, it } from 'vitest';
import { rankCorrelation } from '../../../src/core/evaluation/rank-correlation.ts';
import { scoreForecasts } from '../../../src/learning/validation/score.ts';
import { wilson } from '../../../src/core/evaluation/direction.ts';
import { candlesOf, HOUR } from '../../core/dataset/series.ts';

describe('the rank correlation', () => {
  it('is that of the ranks, ties at their mean', () => {
    // Kendall & Gibbons' way by hand: ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4 give 4.5 / sqrt(4.5 * 5).
    expect(rankCorrelation([1, 5, 5, 9], [10, 30, 20, 90])).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 15);
    expect(rankCorrelation([1, 2, 3], [8, 4, 2])).toBeCloseTo(-1, 15);
  });

  it('is not defined when one side never varies', () => {
    expect(rankCorrelation([1, 1, 1], [1, 2, 3])).toBeUndefined();
  });
});

describe("Wilson's interval", () => {
  it('matches the published example of 81 of 263', () => {
    // Newcombe 1998, Two-sided confidence intervals for the single proportion, table I, method 3: 0.2553 .. 0.3662.
    const [low, high] = wilson(81 / 263, 263);
    expect(low).toBeCloseTo(25.53, 2);
    expect(high).toBeCloseTo(36.62, 2);
  });
});

describe('the score of forecasts', () => {
  //                      decided at row:  0    1    2    3    4
  const candles = candlesOf([100, 100, 110, 99, 99, 198]);
  const panel = {
    timeframe: '1h',
    series: [{ symbol: 'BTC/USDT', candles, features: { names: [], columns: [] } }],
  } as const;
  const costs = { feeBps: 0, slippageBps: 0 };
  const forecast = (position: readonly number[]) => ({
    symbol: 'BTC/USDT' as const,
    horizonBars: 1,
    position: Float64Array.from(position),
    confidence: Float64Array.from(position, Math.abs),
  });

  it('counts the positions whose sign the next return had', () => {
    // Returns from the next open: row 0 +10 %, row 1 -10 %, row 2 0, row 3 +100 %.
    const score = scoreForecasts(
      panel,
      [forecast([1, 1, -1, 1, NaN, NaN])],
      { fromMs: 0, untilMs: 6 * HOUR },
      costs,
    );
    expect(score).toMatchObject({ samples: 3, unmoved: 1 });
    // Right, wrong, left out, right.
    expect(score.directionalAccuracyPct).toBeCloseTo(200 / 3, 10);
  });

  it('adds up to 100 % for opposite positions, however many bars do not move', () => {
    const ties = candlesOf([100, 100, 100, 101, 101, 101, 100, 100, 101, 101, 101, 101]);
    const still = { ...panel, series: [{ ...panel.series[0], candles: ties }] };
    const span = { fromMs: 0, untilMs: 12 * HOUR };
    const signs = [1, -1, 1, 1, -1, 1, -1, -1, 1, 1, NaN, NaN];
    const rate = (positions: readonly number[]): number =>
      scoreForecasts(still, [forecast(positions)], span, costs).directionalAccuracyPct ?? NaN;
    expect(rate(signs) + rate(signs.map((sign) => -sign))).toBeCloseTo(100, 10);
  });

  it('has no hit rate on a price that never moves', () => {
    const still = { ...panel, series: [{ ...panel.series[0], candles: candlesOf(Array(6).fill(100)) }] };
    const score = scoreForecasts(
      still,
      [forecast([1, 1, 1, 1, 1, 1])],
      { fromMs: 0, untilMs: 6 * HOUR },
      costs,
    );
    expect(score).toMatchObject({ samples: 0, unmoved: 4 });
    expect(score.directionalAccuracyPct).toBeUndefined();
  });

  it('looks at no label that ends after the span, and at no bar before it', () => {
    const span = { fromMs: HOUR, untilMs: 5 * HOUR };
    const score = scoreForecasts(panel, [forecast([1, -1, 0, 1, 1, 1])], span, costs);
    // Row 1 (-10 %, right) and row 3 (+100 %, right); row 2 is flat. The label of row 4 would end outside.
    expect(score).toMatchObject({ samples: 2, directionalAccuracyPct: 100 });
  });

  it('earns what the next opens allow, after fee and slippage on both sides', () => {
    const paid = { feeBps: 100, slippageBps: 0 };
    const held = scoreForecasts(
      panel,
      [forecast([1, 1, 0, 0, 0, 0])],
      { fromMs: 0, untilMs: 6 * HOUR },
      paid,
    );
    // Buys at the open of bar 1 (100), sells at the open of bar 3 (99): 99 of 100 invested, 1 % fee each way.
    const invested = 1 / 1.01;
    expect(held.netReturnPct).toBeCloseTo(100 * (invested * 0.99 * 0.99 - 1), 6);
    expect(held.fills).toBe(2);
  });
});
