import { describe, expect, test } from 'vitest';
import { corwinSchultz } from '../../../src/core/trading/liquidity.ts';
import { createPortfolio } from '../../../src/core/trading/portfolio.ts';
import { type ImpactRules, MODELLED_IMPACT } from '../../../src/core/trading/rules.ts';
import { stepBar } from '../../../src/core/trading/step.ts';
import { tradeCost, tradeCosts } from '../../../src/core/trading/trade-cost.ts';
import { anyAmount, type Bar, freeRules, marketOf } from './market-of.ts';

const flat = (price: number, volume = 1000): Bar => [price, price, price, price, volume];

function play(
  bars: readonly Bar[],
  targets: readonly number[],
  impact: Partial<ImpactRules>,
  stopLossPct?: number,
) {
  const market = marketOf(bars);
  const rules = freeRules({ impact: { ...MODELLED_IMPACT, ...impact }, stopLossPct });
  const portfolio = createPortfolio([anyAmount()], rules);
  const column = Float64Array.from({ length: bars.length }, (_, row) => targets[row] ?? NaN);
  const events = bars.map((_, row) => stepBar(portfolio, market, row, [column]));
  return { events, fills: events.flat().filter((event) => event.kind === 'fill'), rules, market };
}

describe("Corwin and Schultz's spread", () => {
  test('of a price that only bounces between bid and ask is that spread, exactly', () => {
    // Highs at the ask and lows at the bid of an unmoved price: the formula collapses to the spread.
    for (const spread of [0.0001, 0.002, 0.05]) {
      const [ask, bid] = [100 * (1 + spread / 2), 100 * (1 - spread / 2)];
      expect(corwinSchultz(ask, bid, ask, bid)).toBeCloseTo(spread, 12);
    }
  });

  test('is negative where the price moved more over two bars than within them', () => {
    expect(corwinSchultz(101, 100, 103, 102)).toBeLessThan(0);
  });
});

describe('slippage by the model', () => {
  // Log returns of +-1 % and volume 1000: deviation .01 a bar, known after bar 2.
  const up = 100 * Math.exp(0.01);
  const moving: Bar[] = [flat(100), flat(up), flat(100)];

  test('is the square-root law: 1 x .01 x sqrt(100 / 1000) for an order of 100 of a volume of 1000', () => {
    const { fills } = play([...moving, flat(100)], [NaN, NaN, 1], {
      maxHalfSpreadBps: 0,
      participationPct: 100,
    });
    const [{ baseAmount, price, slippageQuote }] = fills;
    const rate = 0.01 * Math.sqrt(baseAmount / 1000);
    expect(price).toBeCloseTo(100 * (1 + rate), 10);
    expect(slippageQuote).toBeCloseTo(100 * rate * baseAmount, 8);
    // The order leaves room for its own cost: all cash less that of the largest order the rules allow.
    expect(baseAmount).toBeCloseTo(10_000 / 100 / (1 + 0.01 * Math.sqrt(0.1)), 8);
  });

  test('adds half the spread, at most so much', () => {
    const bounce: Bar[] = Array.from({ length: 4 }, (): Bar => [100, 100.02, 99.98, 100, 1e9]);
    const still = play(bounce, [NaN, NaN, 1], {});
    expect(still.fills[0].price).toBeCloseTo(100 * (1 + 0.0002), 9);
    const capped = play(bounce, [NaN, NaN, 1], { maxHalfSpreadBps: 1 });
    expect(capped.fills[0].price).toBeCloseTo(100 * (1 + 0.0001), 9);
  });

  test('charges the widest half spread while nothing is known', () => {
    expect(play([flat(100), flat(100)], [1], {}).fills[0].price).toBeCloseTo(100.05, 10);
  });

  test('is charged on stops too', () => {
    const { fills } = play(
      [...moving, [100, 100, 90, 95, 1000]],
      [NaN, NaN, 1],
      { maxHalfSpreadBps: 0, participationPct: 100 },
      5,
    );
    expect(fills[1].cause).toBe('stop-loss');
    expect(fills[1].price / (fills[0].price * 0.95)).toBeCloseTo(
      1 - 0.01 * Math.sqrt(fills[1].baseAmount / 1000),
      10,
    );
  });

  test('takes at most its share of the mean volume of the bars before, and carries the rest on', () => {
    // 5 % of 1000, whatever the volume of the bars it fills on; these move the mean for the bars after them.
    const { fills, events } = play([flat(100), flat(100), flat(100, 1e9), flat(100), flat(100)], [NaN, 1], {
      participationPct: 5,
      windowBars: 2,
      maxHalfSpreadBps: 0,
    });
    expect(fills.map(({ time, baseAmount }) => [time / 3_600_000, baseAmount])).toEqual([
      [2, 50],
      [3, 50],
    ]);
    expect(events[2].at(-1)).toMatchObject({ kind: 'rejected', reason: 'volume-share', baseAmount: 50 });
  });

  test('of an order ten times as large is the root of ten times as dear', () => {
    const { market, rules } = play([...moving, flat(100)], [], { maxHalfSpreadBps: 0 });
    const [candles] = market.candles;
    const one = tradeCosts(candles, rules, 1_000)[2];
    expect(tradeCosts(candles, rules, 10_000)[2] / one).toBeCloseTo(Math.sqrt(10), 10);
    expect(one).toBeCloseTo(0.01 * Math.sqrt(10 / 1000), 12);
  });
});

test('an order a million times the volume is charged half of its value, never more', () => {
  const up = 100 * Math.exp(0.01);
  const bars = [flat(100, 1e-6), flat(up, 1e-6), flat(100, 1e-6), flat(100, 1e-6)];
  const [candles] = marketOf(bars).candles;
  expect(tradeCosts(candles, freeRules({ impact: MODELLED_IMPACT }), 1e9)[2]).toBe(0.5);
});

test('a decision that sees no market expects fee and rate, or fee and the widest half spread', () => {
  expect(tradeCost({ feeBps: 10, slippageBps: 5 })).toBeCloseTo(1.001 * 1.0005 - 1, 12);
  expect(
    tradeCost({ feeBps: 10, slippageBps: 5, impact: { ...MODELLED_IMPACT, maxHalfSpreadBps: 8 } }),
  ).toBeCloseTo(1.001 * 1.0008 - 1, 12);
});
