import { describe, expect, test } from 'vitest';
import type { Candles } from '../../../src/core/market/candles.ts';
import { withDetail } from '../../../src/core/trading/detail.ts';
import { createPortfolio } from '../../../src/core/trading/portfolio.ts';
import type { ExecutionRules } from '../../../src/core/trading/rules.ts';
import { stepBar } from '../../../src/core/trading/step.ts';
import { anyAmount, type Bar, exitsOf, freeRules, HOUR_MS, marketOf } from './market-of.ts';

const QUARTER = HOUR_MS / 4;
const flat = (price: number): Bar => [price, price, price, price];

/** Quarters of the hour from `fromMs` on. */
function quarters(bars: readonly Bar[], fromMs: number): Candles {
  const { candles } = marketOf(bars);
  return { ...candles[0], time: candles[0].time.map((_, i) => fromMs + i * QUARTER) };
}

/** Bought at 100 at the open of bar 1, whose range is 94 to 106, with stop 95 and target 105. */
function play(finer: Candles | undefined, rules: Partial<ExecutionRules> = {}) {
  const coarse = marketOf([flat(100), [100, 106, 94, 100], flat(100)]);
  const market = withDetail(coarse, [finer], QUARTER);
  const portfolio = createPortfolio([anyAmount()], freeRules({ stopLossPct: 5, takeProfitPct: 5, ...rules }));
  return [0, 1, 2].flatMap((row) =>
    stepBar(portfolio, market, row, [Float64Array.of(1, NaN, NaN)]).flatMap((event) =>
      event.kind === 'fill' ? [`${event.time / QUARTER} ${event.cause} @ ${event.price}`] : [],
    ),
  );
}

describe('stop and target in one bar', () => {
  const targetFirst: Bar[] = [
    [100, 102, 99, 101],
    [101, 106, 101, 104],
    [104, 104, 94, 96],
    [96, 100, 96, 100],
  ];

  test('without finer candles: the stop, the pessimistic choice', () => {
    expect(play(undefined)).toEqual(['4 target @ 100', '4 stop-loss @ 95']);
  });

  test('with them: whichever they reach first, at its time', () => {
    expect(play(quarters(targetFirst, HOUR_MS))).toEqual(['4 target @ 100', '5 take-profit @ 105']);
  });

  test('with only three of four of them: as without', () => {
    expect(play(quarters(targetFirst.slice(0, 3), HOUR_MS))).toEqual(['4 target @ 100', '4 stop-loss @ 95']);
  });

  test('a position is left a quarter after its entry where quarters are known', () => {
    const rules = { exits: exitsOf({ maxHeldMs: QUARTER }) };
    expect(play(quarters(targetFirst, HOUR_MS), rules)).toEqual(['4 target @ 100', '5 time-exit @ 101']);
  });
});
