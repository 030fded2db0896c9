import { describe, expect, test } from 'vitest';
import type { Fill, TradingEvent } from '../../../src/core/trading/events.ts';
import type { Instrument } from '../../../src/core/trading/instrument.ts';
import type { Market } from '../../../src/core/trading/market.ts';
import { createPortfolio, equity, type Portfolio } from '../../../src/core/trading/portfolio.ts';
import type { ExecutionRules } from '../../../src/core/trading/rules.ts';
import { stepBar } from '../../../src/core/trading/step.ts';
import { anyAmount, type Bar, freeRules, HOUR_MS, marketOf, NO_BAR } from './market-of.ts';

const flat = (price: number, volume = 1000): Bar => [price, price, price, price, volume];
const hold = NaN;

interface Played {
  readonly events: readonly (readonly TradingEvent[])[];
  readonly fills: readonly Fill[];
  readonly portfolio: Portfolio;
}

function play(
  market: Market,
  targets: readonly (readonly number[])[],
  rules: ExecutionRules,
  instruments: readonly Instrument[] = market.candles.map((_, s) =>
    anyAmount(s === 0 ? 'BTC/USDT' : 'ETH/USDT'),
  ),
): Played {
  const portfolio = createPortfolio(instruments, rules);
  const columns = targets.map((column) => Float64Array.from(column));
  const events = Array.from(market.time, (_, row) => stepBar(portfolio, market, row, columns));
  return { events, fills: events.flat().filter((event) => event.kind === 'fill'), portfolio };
}

const reasons = (events: readonly TradingEvent[]): string[] =>
  events.flatMap((event) => (event.kind === 'rejected' ? [event.reason] : []));

describe('a decision at the close of bar 0', () => {
  const market = marketOf([flat(90), [100, 120, 95, 110], flat(110)]);

  test('fills at the open of bar 1, not before and not at its close', () => {
    const { events, portfolio } = play(market, [[1, hold, hold]], freeRules());
    expect(events[0]).toEqual([]);
    expect(events[1]).toMatchObject([
      { kind: 'fill', time: HOUR_MS, side: 'buy', price: 100, baseAmount: 100 },
    ]);
    expect(equity(portfolio)).toBe(11_000);
  });

  test('pays fee and slippage: a round trip at an unchanged price of 100 costs what it says', () => {
    const rules = freeRules({ feeBps: 10, slippageBps: 5 });
    const { events, fills, portfolio } = play(
      marketOf([flat(100), flat(100), flat(100)]),
      [[1, 0, hold]],
      rules,
    );
    const amount = 10_000 / 1.001 / 1.0005 / 100;
    expect(fills[0].price).toBeCloseTo(100.05, 10);
    expect(fills[0].baseAmount).toBeCloseTo(amount, 10);
    expect(fills[0].feeQuote).toBeCloseTo(amount * 0.10005, 10);
    expect(fills[1].price).toBeCloseTo(99.95, 10);
    const lost = amount * (100.05 * 1.001 - 99.95 * 0.999);
    expect(equity(portfolio)).toBeCloseTo(10_000 - lost, 8);
    expect(events[2]).toMatchObject([{ kind: 'fill' }, { kind: 'trade', exit: 'target', barsHeld: 1 }]);
    expect(portfolio.slippageQuote).toBeCloseTo(2 * amount * 0.05, 10);
  });

  test('is void when the next bar is missing: a row without a bar, or a clock that jumps', () => {
    const absent = play(marketOf([flat(100), NO_BAR, flat(200)]), [[1, hold, hold]], freeRules());
    expect(reasons(absent.events[1])).toEqual(['missing-bar']);
    expect(absent.fills).toEqual([]);

    const jump = { ...marketOf([flat(100), flat(200)]), time: Float64Array.of(0, 5 * HOUR_MS) };
    const late = play(jump, [[1, hold]], freeRules());
    expect(reasons(late.events[1])).toEqual(['missing-bar']);
    expect(late.fills).toEqual([]);
  });

  test('to sell short means flat on a spot market, and a short position where it is allowed', () => {
    const falling = marketOf([flat(100), flat(100), flat(80)]);
    expect(play(falling, [[-1, hold, hold]], freeRules()).fills).toEqual([]);
    const { portfolio } = play(falling, [[-1, hold, hold]], freeRules({ allowShort: true }));
    expect(portfolio.columns.amount[0]).toBe(-100);
    expect(equity(portfolio)).toBe(12_000);
  });
});

describe('exchange rules', () => {
  const market = marketOf([flat(30), flat(30), flat(30)]);
  const small = freeRules({ initialBalance: 100 });

  test('round amounts down to the step', () => {
    const { fills } = play(market, [[1, hold, hold]], small, [{ ...anyAmount(), amountStep: 0.25 }]);
    expect(fills.map(({ baseAmount }) => baseAmount)).toEqual([3.25]);
  });

  test('reject what is below one step or below the least value, with the reason', () => {
    const coarse = play(market, [[1, hold, hold]], small, [{ ...anyAmount(), amountStep: 5 }]);
    expect(reasons(coarse.events[1])).toEqual(['below-amount-step']);
    const worth = play(market, [[0.3, hold, hold]], small, [{ ...anyAmount(), minNotional: 50 }]);
    expect(reasons(worth.events[1])).toEqual(['below-min-notional']);
    expect([...coarse.fills, ...worth.fills]).toEqual([]);
  });

  test('let through what is exactly the least value', () => {
    const exact = play(marketOf([flat(25), flat(25)]), [[0.5, hold]], freeRules({ initialBalance: 100 }), [
      { ...anyAmount(), minNotional: 50 },
    ]);
    expect(exact.fills.map(({ baseAmount }) => baseAmount)).toEqual([2]);
  });

  test('never keep a position from being closed', () => {
    const crash = marketOf([flat(30), flat(30), flat(1), flat(1)]);
    const { portfolio } = play(crash, [[1, hold, 0, hold]], small, [{ ...anyAmount(), minNotional: 50 }]);
    expect(portfolio.columns.amount[0]).toBe(0);
  });
});

describe('limits', () => {
  test('symbols that together want more than all share the capital alike', () => {
    const market = marketOf([flat(100), flat(100)], [flat(10), flat(10)]);
    const both = play(
      market,
      [
        [1, hold],
        [1, hold],
      ],
      freeRules(),
    );
    expect(Array.from(both.portfolio.columns.amount)).toEqual([50, 500]);
    const half = play(
      market,
      [
        [1, hold],
        [1, hold],
      ],
      freeRules({ maxExposurePct: 50 }),
    );
    expect(Array.from(half.portfolio.columns.amount)).toEqual([25, 250]);
    const capped = play(
      market,
      [
        [1, hold],
        [0, hold],
      ],
      freeRules({ maxPositionPct: 30 }),
    );
    expect(Array.from(capped.portfolio.columns.amount)).toEqual([30, 0]);
  });

  test('a symbol without an opinion keeps what it holds, and the others get the rest', () => {
    const market = marketOf([flat(100), flat(100), flat(100)], [flat(10), flat(10), flat(10)]);
    const { portfolio } = play(
      market,
      [
        [0.6, hold, hold],
        [hold, 1, hold],
      ],
      freeRules(),
    );
    expect(Array.from(portfolio.columns.amount)).toEqual([60, 400]);
  });

  test('a sale pays for a purchase at the same open', () => {
    const market = marketOf([flat(100), flat(100), flat(100)], [flat(10), flat(10), flat(10)]);
    const { fills } = play(
      market,
      [
        [0, 1, hold],
        [1, 0, hold],
      ],
      freeRules(),
    );
    expect(fills.map(({ side, symbol }) => `${side} ${symbol}`)).toEqual([
      'buy ETH/USDT',
      'sell ETH/USDT',
      'buy BTC/USDT',
    ]);
  });

  test('changes inside the band do not trade, closing always does', () => {
    const market = marketOf([flat(100), flat(100), flat(100), flat(100)]);
    const rules = freeRules({ rebalanceBandPct: 5 });
    const { fills } = play(market, [[0.5, 0.54, 0, hold]], rules);
    expect(fills.map(({ side, baseAmount }) => [side, baseAmount])).toEqual([
      ['buy', 50],
      ['sell', 50],
    ]);
    expect(play(market, [[0.04, hold, hold, hold]], rules).fills).toEqual([]);
    // Bought for 6 % of the equity, worth 3 % after the fall: closing it is a change inside the band.
    const fallen = marketOf([flat(100), flat(100), flat(50), flat(50)]);
    expect(play(fallen, [[0.06, hold, 0, hold]], rules).fills.map(({ baseAmount }) => baseAmount)).toEqual([
      6, 6,
    ]);
  });

  test('an order takes no more than its share of the volume, the rest waits for the next bar', () => {
    const market = marketOf([flat(100), flat(100, 60), flat(100, 60), flat(100, 600)]);
    const { fills, events } = play(market, [[1, hold, hold, hold]], freeRules({ maxVolumeSharePct: 50 }));
    expect(fills.map(({ baseAmount }) => baseAmount)).toEqual([30, 30, 40]);
    expect(reasons(events.flat())).toEqual(['volume-share', 'volume-share']);
  });

  test('a stop that the volume cannot take goes on at the next open and does not come back', () => {
    const market = marketOf([
      flat(100),
      flat(100, 1e6),
      [100, 100, 80, 85, 60],
      flat(85, 1e6),
      flat(85, 1e6),
    ]);
    const rules = freeRules({ maxVolumeSharePct: 50, stopLossPct: 10 });
    const { fills } = play(market, [[1, 1, 1, 1, 1]], rules);
    expect(fills.map(({ cause, price, baseAmount }) => [cause, price, baseAmount])).toEqual([
      ['target', 100, 100],
      ['stop-loss', 90, 30],
      ['target', 85, 70],
    ]);
  });
});

describe('protective exits of a position bought at 100', () => {
  const enter = [1, hold, hold, hold];
  const exitOf = (bar: Bar, changes: Partial<ExecutionRules>, instrument = anyAmount()) =>
    play(marketOf([flat(100), flat(100), bar, flat(100)]), [enter], freeRules(changes), [instrument])
      .fills.slice(1)
      .map(({ cause, price }) => [cause, price]);

  test('a stop fills at its level, or at the open that gapped past it', () => {
    expect(exitOf([99, 99, 94, 96], { stopLossPct: 5 })).toEqual([['stop-loss', 95]]);
    expect(exitOf([92, 97, 91, 96], { stopLossPct: 5 })).toEqual([['stop-loss', 92]]);
    expect(exitOf([92, 97, 91, 96], { stopLossPct: 5, gapFill: 'level-if-touched' })).toEqual([
      ['stop-loss', 95],
    ]);
  });

  test('a stop slips, a target does not', () => {
    const slips = { slippageBps: 100, stopLossPct: 5, takeProfitPct: 5 };
    // The entry slips to 101.
    expect(exitOf([100, 100, 90, 95], slips)[0][1]).toBeCloseTo(101 * 0.95 * 0.99, 10);
    expect(exitOf([100, 110, 100, 105], slips)[0][1]).toBeCloseTo(101 * 1.05, 10);
  });

  test('a target fills at its level, or better at the open that gapped past it', () => {
    expect(exitOf([101, 106, 101, 104], { takeProfitPct: 5 })).toEqual([['take-profit', 105]]);
    expect(exitOf([107, 108, 104, 104], { takeProfitPct: 5 })).toEqual([['take-profit', 107]]);
  });

  test('a target that is only touched fills when a touch is said to be enough', () => {
    const touched: Bar = [101, 105, 101, 104];
    expect(exitOf(touched, { takeProfitPct: 5 })).toEqual([]);
    expect(exitOf(touched, { takeProfitPct: 5, takeProfitFill: 'touch' })).toEqual([['take-profit', 105]]);
  });

  test.each([
    ['stop-first', [100, 106, 94, 100], 'stop-loss'],
    ['target-first', [100, 106, 94, 100], 'take-profit'],
    ['nearest-first', [101, 106, 94, 100], 'take-profit'],
    ['nearest-first', [98, 106, 94, 100], 'stop-loss'],
    // What the bar opens beyond came first under any order.
    ['stop-first', [107, 108, 94, 100], 'take-profit'],
    ['target-first', [93, 108, 92, 100], 'stop-loss'],
  ] as const)('a bar that reaches both, %s, %j: %s', (intrabarOrder, bar, cause) => {
    expect(exitOf([...bar], { stopLossPct: 5, takeProfitPct: 5, intrabarOrder })[0][0]).toBe(cause);
  });

  test('levels lie on the price grid, on the side that costs', () => {
    const instrument = { ...anyAmount(), priceTick: 0.5 };
    expect(exitOf([99, 99, 90, 96], { stopLossPct: 3.3 }, instrument)).toEqual([['stop-loss', 96.5]]);
    expect(exitOf([101, 109, 101, 104], { takeProfitPct: 3.3 }, instrument)).toEqual([
      ['take-profit', 103.5],
    ]);
  });

  test('a trailing stop moves with the best bar before, or within the bar when told so', () => {
    const trailing = (ratchet: 'next-bar' | 'same-bar') => ({
      trailingStop: { distancePct: 10, activationPct: 0, from: 'extreme' as const, ratchet },
    });
    const spike: Bar = [100, 120, 105, 110];
    expect(exitOf(spike, trailing('next-bar'))).toEqual([['trailing-stop', 100]]); // bar 3 opens at 100, below 108
    expect(exitOf(spike, trailing('same-bar'))).toEqual([['trailing-stop', 108]]);
  });

  test('after a stop the side stays closed until a new signal, or not', () => {
    const bars = [flat(100), flat(100), [100, 100, 90, 90], flat(90), flat(90), flat(90)] as const;
    const targets = [[1, 1, 1, 1, 0, 1]];
    const count = (reentry: ExecutionRules['reentry']) =>
      play(
        marketOf([...bars, flat(90)]),
        [[...targets[0], hold]],
        freeRules({ stopLossPct: 5, reentry }),
      ).fills.map(({ time, side }) => `${side} ${time / HOUR_MS}`);
    expect(count('new-signal')).toEqual(['buy 1', 'sell 2', 'buy 6']);
    expect(count('next-bar')).toEqual(['buy 1', 'sell 2', 'buy 3', 'sell 5', 'buy 6']);
  });

  test('a short position is protected the other way round', () => {
    const market = marketOf([flat(100), flat(100), [100, 106, 99, 101], flat(101)]);
    const { fills } = play(market, [[-1, hold, hold, hold]], freeRules({ allowShort: true, stopLossPct: 5 }));
    expect(fills.map(({ side, cause, price }) => [side, cause, price])).toEqual([
      ['sell', 'target', 100],
      ['buy', 'stop-loss', 105],
    ]);
  });
});

test('a held symbol without a bar is valued at its last close', () => {
  const market = marketOf([flat(100), flat(100), flat(110), NO_BAR, flat(90)]);
  const portfolio = createPortfolio([anyAmount()], freeRules());
  const targets = [Float64Array.of(1, hold, hold, hold, hold)];
  const curve = Array.from(market.time, (_, row) => {
    stepBar(portfolio, market, row, targets);
    return equity(portfolio);
  });
  expect(curve).toEqual([10_000, 10_000, 11_000, 11_000, 9_000]);
});

test('a turn from long to short closes one trade and begins another', () => {
  const market = marketOf([flat(100), flat(100), flat(100), flat(100)]);
  const { events, portfolio } = play(market, [[1, -1, hold, hold]], freeRules({ allowShort: true }));
  expect(events[2].map((event) => event.kind)).toEqual(['fill', 'trade', 'fill']);
  expect(portfolio.columns.amount[0]).toBe(-100);
});
