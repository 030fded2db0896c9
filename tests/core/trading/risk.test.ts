import { describe, expect, it } from 'vitest';
import { emptyCandles } from '../../../src/core/market/candles.ts';
import type { PairSymbol } from '../../../src/core/market/symbol.ts';
import type { Market } from '../../../src/core/trading/market.ts';
import { createPortfolio, equity, type Portfolio } from '../../../src/core/trading/portfolio.ts';
import { allow, collar, createRiskState, observe } from '../../../src/core/trading/risk/gate.ts';
import { type ClosedTrade, lockedBy } from '../../../src/core/trading/risk/protections.ts';
import type { Protection, RiskRules } from '../../../src/core/trading/risk/rules.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { advance, setTarget } from '../../../src/core/trading/step.ts';

const HOUR = 3_600_000;
const BTC: PairSymbol = 'BTC/USDT';
const ETH: PairSymbol = 'ETH/USDT';

const OFF: RiskRules = {
  maxDrawdownPct: undefined,
  maxDailyLossPct: undefined,
  maxTradePct: undefined,
  maxOrdersPerMinute: undefined,
  priceCollarPct: undefined,
  minBalance: undefined,
  protections: [],
};

/** A closed trade of BTC whose exit lies in the bar of hour `hour`. */
const closed = (hour: number, profitPct: number, more: Partial<ClosedTrade> = {}): ClosedTrade => ({
  symbol: BTC,
  side: 'long',
  exit: 'target',
  exitTime: hour * HOUR,
  profitPct,
  ...more,
});
const stopped = (hour: number, profitPct = -2, more: Partial<ClosedTrade> = {}): ClosedTrade =>
  closed(hour, profitPct, { exit: 'stop-loss', ...more });

/** The hours from 0 to 30 at whose open an entry is locked. */
const lockedHours = (
  protection: Protection,
  trades: readonly ClosedTrade[],
  symbol: PairSymbol = BTC,
  side: 'long' | 'short' = 'long',
): readonly number[] =>
  Array.from({ length: 31 }, (_, hour) => hour).filter((hour) => {
    const known = trades.filter(({ exitTime }) => exitTime < hour * HOUR);
    const entry = { symbol, side, entryTime: hour * HOUR, barMs: HOUR };
    return lockedBy([protection], known, entry) !== undefined;
  });

describe("freqtrade's protections", () => {
  it('cooldown: a symbol rests for so many bars after each of its trades, whatever came of it', () => {
    const cooldown: Protection = { kind: 'cooldown', stopBars: 2 };
    const trades = [closed(5, 3), closed(12, -1)];
    expect(lockedHours(cooldown, trades)).toEqual([6, 7, 13, 14]);
    expect(lockedHours(cooldown, trades, ETH)).toEqual([]);
  });

  const guard: Protection = {
    kind: 'stop-loss-guard',
    lookbackBars: 6,
    tradeLimit: 2,
    stopBars: 3,
    requiredProfitPct: 0,
    onlyPerSymbol: false,
    onlyPerSide: false,
  };

  it.each<[string, Protection, readonly ClosedTrade[], PairSymbol, readonly number[]]>([
    ['two losing stops within the window stop everything', guard, [stopped(4), stopped(8)], ETH, [9, 10, 11]],
    ['two stops further apart stop nothing', guard, [stopped(4), stopped(10)], BTC, []],
    ['a stop in profit does not count', guard, [stopped(4), stopped(8, 1)], BTC, []],
    ['an exit by target does not count', guard, [stopped(4), closed(8, -2)], BTC, []],
    ['a trailing stop does', guard, [stopped(4), closed(8, -2, { exit: 'trailing-stop' })], BTC, [9, 10, 11]],
    [
      'per symbol: the stops of another symbol do not count',
      { ...guard, onlyPerSymbol: true },
      [stopped(4), stopped(8, -2, { symbol: ETH })],
      BTC,
      [],
    ],
    [
      'per side: the stops of short positions do not count',
      { ...guard, onlyPerSide: true },
      [stopped(4), stopped(8, -2, { side: 'short' })],
      BTC,
      [],
    ],
  ])('stop-loss guard: %s', (_, protection, trades, symbol, hours) => {
    expect(lockedHours(protection, trades, symbol)).toEqual(hours);
  });

  it('maximum drawdown: the deepest fall of the summed profits of all symbols', () => {
    const drawdown: Protection = {
      kind: 'max-drawdown',
      lookbackBars: 10,
      tradeLimit: 3,
      stopBars: 2,
      maxDrawdownPct: 5,
    };
    // Sums +4, +1, -2: a fall of 6 from the peak, seen from the third trade on.
    const trades = [closed(2, 4), closed(4, -3, { symbol: ETH }), closed(6, -3)];
    expect(lockedHours(drawdown, trades)).toEqual([7, 8]);
    expect(lockedHours({ ...drawdown, maxDrawdownPct: 6 }, trades)).toEqual([]);
    expect(lockedHours({ ...drawdown, tradeLimit: 4 }, trades)).toEqual([]);
  });

  it('low profit: a symbol whose trades together made too little', () => {
    const low: Protection = {
      kind: 'low-profit',
      lookbackBars: 10,
      tradeLimit: 2,
      stopBars: 4,
      requiredProfitPct: 1,
    };
    // 2 - 1.5 = 0.5 is less than 1; ETH alone has one trade only.
    const trades = [closed(2, 2), closed(5, -1.5), closed(6, -9, { symbol: ETH })];
    expect(lockedHours(low, trades)).toEqual([6, 7, 8, 9]);
    expect(lockedHours(low, trades, ETH)).toEqual([]);
    expect(lockedHours({ ...low, requiredProfitPct: 0.5 }, trades)).toEqual([]);
  });

  const single: Protection = {
    kind: 'low-profit',
    lookbackBars: 10,
    tradeLimit: 1,
    stopBars: 2,
    requiredProfitPct: 0,
  };

  it('trades that close in the same bar are judged together, whichever stands first', () => {
    // -3 alone would lock; with the +5 of the same bar they made 2.
    expect(lockedHours(single, [closed(4, -3), closed(4, 5)])).toEqual([]);
    expect(lockedHours(single, [closed(4, 5), closed(4, -3)])).toEqual([]);
    expect(lockedHours(single, [closed(4, -3), closed(5, 5)])).toEqual([5, 6]);
  });

  it('a trade that closes at the open of the entry is not known to it', () => {
    const entry = { symbol: BTC, side: 'long', entryTime: 5 * HOUR, barMs: HOUR } as const;
    expect(lockedBy([single], [closed(5, -3)], entry)).toBeUndefined();
    expect(lockedBy([single], [closed(4, -3)], entry)).toBe(single);
  });
});

/** An account of 10 000 in hourly bars, each at one price, driven by hand. */
function createDesk(rules: Partial<RiskRules>, execution: Partial<typeof SPOT_RULES> = {}) {
  const risk: RiskRules = { ...OFF, ...rules };
  const instruments = [BTC, ETH].map((symbol) => ({ symbol, amountStep: 0, priceTick: 0, minNotional: 0 }));
  const portfolio: Portfolio = createPortfolio(instruments, {
    ...SPOT_RULES,
    feeBps: 0,
    slippageBps: 0,
    maxPositionPct: 50,
    rebalanceBandPct: 0,
    ...execution,
  });
  const state = createRiskState(10_000);
  let hour = 0;
  return {
    portfolio,
    state,
    /** The next bar at these prices; what was placed before fills at its open. */
    bar: (...prices: (number | undefined)[]) => {
      const time = Float64Array.of(hour++ * HOUR);
      const candles = prices.map((price = NaN) => ({
        ...emptyCandles(1),
        time,
        open: Float64Array.of(price),
        high: Float64Array.of(price),
        low: Float64Array.of(price),
        close: Float64Array.of(price),
        volume: Float64Array.of(1),
      }));
      const market: Market = { time, barMs: HOUR, candles };
      const verdicts = collar(risk, portfolio, market, 0);
      observe(state, risk, portfolio, advance(portfolio, market, 0), HOUR);
      return verdicts;
    },
    place: (targets: readonly (number | null)[], fresh = [true, true]) => {
      const placed = allow(state, risk, portfolio, targets, { fresh, barMs: HOUR });
      placed.targets.forEach((target, s) => setTarget(portfolio, s, target ?? NaN));
      return placed;
    },
  };
}

describe('the limits above a strategy', () => {
  it('all off, they change nothing', () => {
    const desk = createDesk({});
    desk.bar(100, 50);
    expect(desk.place([1, 0.5])).toEqual({ targets: [1, 0.5], verdicts: [] });
  });

  it('drawdown: at the limit everything is closed, and nothing is opened again', () => {
    const desk = createDesk({ maxDrawdownPct: 10 });
    desk.bar(100, 50);
    desk.place([1, null]);
    desk.bar(100, 50);
    // 5 000 in BTC: at 80.2 equity is 9 010, a loss of 9.9 %; at 80 it is 9 000, the limit.
    desk.bar(80.2, 50);
    expect(desk.place([1, null]).targets).toEqual([1, null]);
    desk.bar(80, 50);
    expect(desk.place([1, null])).toEqual({
      targets: [0, 0],
      verdicts: [{ symbol: BTC, rule: 'drawdown-kill-switch', wanted: 1, allowed: 0 }],
    });
    desk.bar(80, 50);
    expect(desk.portfolio.columns.amount[0]).toBe(0);
    desk.bar(500, 50);
    expect(desk.place([1, 1]).targets).toEqual([0, 0]);
  });

  it('daily loss: counted from the end of the UTC day before, and forgotten with the day', () => {
    const desk = createDesk({ maxDailyLossPct: 2 });
    desk.bar(100, 50);
    desk.place([1, null]);
    for (let hour = 1; hour < 24; hour++) desk.bar(100, 50);
    // The second day: 5 000 in BTC at 96 makes 9 800, a loss of 2 %.
    desk.bar(96, 50);
    expect(desk.place([0.5, 1])).toEqual({
      targets: [0.5, null],
      verdicts: [{ symbol: ETH, rule: 'daily-loss', wanted: 1, allowed: undefined }],
    });
    for (let hour = 25; hour < 48; hour++) desk.bar(96, 50);
    desk.bar(96, 50);
    expect(desk.place([null, 1]).targets).toEqual([null, 1]);
  });

  it('trade size: one decision adds at most that share of equity', () => {
    const desk = createDesk({ maxTradePct: 20 });
    desk.bar(100, 50);
    // A target of 1 is 50 % of equity; 20 % of it are a target of 0.4.
    expect(desk.place([1, null])).toEqual({
      targets: [0.4, null],
      verdicts: [{ symbol: BTC, rule: 'trade-size', wanted: 1, allowed: 0.4 }],
    });
    desk.bar(100, 50);
    expect(desk.place([1, null]).targets[0]).toBeCloseTo(0.8, 12);
  });

  it('orders per minute: later symbols wait; closing never does', () => {
    const desk = createDesk({ maxOrdersPerMinute: 1 });
    desk.bar(100, 50);
    expect(desk.place([1, 1])).toEqual({
      targets: [1, null],
      verdicts: [{ symbol: ETH, rule: 'orders-per-minute', wanted: 1, allowed: undefined }],
    });
    desk.bar(100, 50);
    expect(desk.place([0, 1])).toEqual({ targets: [0, 1], verdicts: [] });
  });

  it('price collar: nothing is opened at an open too far from the close; closing is', () => {
    const desk = createDesk({ priceCollarPct: 5 });
    desk.bar(100, 50);
    desk.place([1, 1]);
    expect(desk.bar(106, 50)).toEqual([{ symbol: BTC, rule: 'price-collar', wanted: 1, allowed: undefined }]);
    expect([...desk.portfolio.columns.amount]).toEqual([0, 100]);
    desk.place([null, 0]);
    expect(desk.bar(106, 40)).toEqual([]);
    expect([...desk.portfolio.columns.amount]).toEqual([0, 0]);
  });

  it('minimum balance: purchases leave that much cash', () => {
    const desk = createDesk({ minBalance: 7000 });
    desk.bar(100, 50);
    // 3 000 of the 10 000 may be spent: 0.6 of the 5 000 that a target of 1 means, and nothing for the second.
    expect(desk.place([1, 1])).toEqual({
      targets: [0.6, null],
      verdicts: [
        { symbol: BTC, rule: 'minimum-balance', wanted: 1, allowed: 0.6 },
        { symbol: ETH, rule: 'minimum-balance', wanted: 1, allowed: undefined },
      ],
    });
    desk.bar(100, 50);
    expect(desk.portfolio.cash).toBeCloseTo(7000, 9);
  });

  it('stale forecast: nothing is opened in a symbol that has no bar', () => {
    const desk = createDesk({});
    desk.bar(100, undefined);
    expect(desk.place([1, 1], [true, false])).toEqual({
      targets: [1, null],
      verdicts: [{ symbol: ETH, rule: 'stale-forecast', wanted: 1, allowed: undefined }],
    });
  });

  it('a protection refuses the turn to the other side and lets go of what is held', () => {
    const desk = createDesk({ maxDailyLossPct: 1 }, { allowShort: true });
    desk.bar(100, 50);
    desk.place([1, null]);
    desk.bar(100, 50);
    desk.bar(97, 50);
    expect(desk.place([-1, null])).toEqual({
      targets: [0, null],
      verdicts: [{ symbol: BTC, rule: 'daily-loss', wanted: -1, allowed: 0 }],
    });
    desk.bar(97, 50);
    expect(equity(desk.portfolio)).toBe(desk.portfolio.cash);
  });
});
