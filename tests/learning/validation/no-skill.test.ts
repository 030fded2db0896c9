import { describe, expect, it } from 'vitest';
import type { Forecast } from '../../../src/core/forecast/model.ts';
import { noSkill } from '../../../src/learning/validation/no-skill.ts';
import { candlesOf, HOUR } from '../../core/dataset/series.ts';

/** Closes by hand: each bar opens at the close before it, so the move decided at row r is close[r + 1] / close[r]. */
const MOVES = [1, 1, -1, 1, -1, 1, 1, -1, 1, 1];
const BARS = 60;
const closes = Array.from({ length: BARS }).reduce<number[]>(
  (sofar, _, row) => [...sofar, (sofar.at(-1) ?? 100) + MOVES[row % MOVES.length]],
  [],
);
const panel = {
  timeframe: '1h',
  series: [{ symbol: 'BTC/USDT', candles: candlesOf(closes), features: { names: [], columns: [] } }],
} as const;
const span = { fromMs: 0, untilMs: BARS * HOUR };
const learned = { kind: 'classical' } as const;

const forecast = (
  position: (row: number) => number,
  more: { probabilityUp?: (row: number) => number; expectedReturn?: (row: number) => number } = {},
): Forecast => {
  const column = (of: (row: number) => number) => Float64Array.from({ length: BARS }, (_, row) => of(row));
  return {
    symbol: 'BTC/USDT',
    horizonBars: 1,
    position: column(position),
    confidence: column(() => 0.5),
    ...(more.probabilityUp && { probabilityUp: column(more.probabilityUp) }),
    ...(more.expectedReturn && { expectedReturn: column(more.expectedReturn) }),
  };
};
const judge = (
  one: Forecast,
  kind: 'classical' | 'agent' | 'rule' | 'baseline' = 'classical',
  within = span,
) => noSkill({ kind }, panel, [one], within);

describe('a model without skill', () => {
  it('states one probability on all validation bars, whatever it holds', () => {
    const one = forecast((row) => Math.sign(row % 3) - (row % 2), { probabilityUp: () => 0.53 });
    expect(judge(one)).toBe('it states one and the same probability on all 60 validation bars');
    // What single precision makes of one number.
    const noisy = forecast(() => 0, { probabilityUp: (row) => 0.53 + (row % 2) * 6e-8 });
    expect(judge(noisy)).toContain('one and the same probability');
    const returns = forecast(() => 0, { expectedReturn: () => 0.001 });
    expect(judge(returns)).toContain('one and the same expected return');
  });

  it('states a probability of its own for every symbol, and nothing else', () => {
    const two = {
      ...panel,
      series: [panel.series[0], { ...panel.series[0], symbol: 'ETH/USDT' }],
    } as const;
    const steady = (value: number) => forecast(() => 0, { probabilityUp: () => value });
    expect(noSkill(learned, two, [steady(0.4), steady(0.6)], span)).toContain('on all 120 validation bars');
    const moving = forecast(() => 0, { probabilityUp: (row) => 0.5 + row / 1000 });
    expect(noSkill(learned, two, [steady(0.4), moving], span)).toBeUndefined();
  });

  it('holds one direction and is right as often as the market went there', () => {
    // Seven of ten moves are up. Of the 58 bars whose next return is known by the end, rows 0 .. 57 look at moves
    // 2 .. 59: the 60 moves less the first two ups, 42 - 2 = 40 ups of 58.
    expect(judge(forecast(() => 1))).toBe(
      'it holds long only, and is right as often as the market rose: 69.0 %',
    );
    expect(judge(forecast(() => -0.5))).toBe(
      'it holds short only, and is right as often as the market fell: 31.0 %',
    );
  });

  it('is not one that chose its bars, that held both directions, or that was asked too little', () => {
    const up = (row: number): boolean => MOVES[(row + 2) % MOVES.length] > 0;
    expect(judge(forecast((row) => (up(row) ? 1 : 0)))).toBeUndefined();
    expect(judge(forecast((row) => (row === 30 ? -1 : 1)))).toBeUndefined();
    const short = { fromMs: 0, untilMs: 20 * HOUR };
    expect(
      judge(
        forecast(() => 1),
        'classical',
        short,
      ),
    ).toBeUndefined();
    expect(
      judge(
        forecast(() => 1),
        'classical',
        { fromMs: 0, untilMs: 21 * HOUR },
      ),
    ).toContain('long only');
    const steady = forecast((row) => (row % 2) - 0.5, { probabilityUp: () => 0.5 });
    expect(judge(steady, 'classical', { fromMs: 0, untilMs: 19 * HOUR })).toBeUndefined();
    expect(judge(steady, 'classical', { fromMs: 0, untilMs: 20 * HOUR })).toContain('one and the same');
  });

  it('is an agent that never trades, but not a belief that was never strong enough', () => {
    expect(
      judge(
        forecast(() => 0),
        'agent',
      ),
    ).toBe('it never takes a position on 58 validation bars');
    expect(
      judge(
        forecast((row) => (row === 9 ? 1 : 0)),
        'agent',
      ),
    ).toBeUndefined();
    expect(judge(forecast(() => 0, { probabilityUp: (row) => 0.5 + row / 1e4 }))).toBeUndefined();
  });

  it('is nobody who was never asked, and no rule or baseline, which learn nothing', () => {
    expect(judge(forecast(() => NaN, { probabilityUp: () => NaN }))).toBeUndefined();
    expect(
      judge(
        forecast(() => 1),
        'rule',
      ),
    ).toBeUndefined();
    expect(
      judge(
        forecast(() => 1),
        'baseline',
      ),
    ).toBeUndefined();
  });

  it('is judged on the bars of the span alone', () => {
    const late = { fromMs: 30 * HOUR, untilMs: BARS * HOUR };
    const changing = forecast(() => 1, { probabilityUp: (row) => (row < 30 ? row / 100 : 0.6) });
    expect(judge(changing, 'classical', late)).toContain('on all 30 validation bars');
    expect(judge(changing)).toContain('long only');
  });
});
