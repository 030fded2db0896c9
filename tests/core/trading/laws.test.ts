import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AccountRules, maintenanceOf } from '../../../src/core/trading/accounts/account-rules.ts';
import type { TradingEvent } from '../../../src/core/trading/events.ts';
import type { Market } from '../../../src/core/trading/market.ts';
import {
  createPortfolio,
  equity,
  grossExposure,
  type Portfolio,
} from '../../../src/core/trading/portfolio.ts';
import { placeOrders } from '../../../src/core/trading/orders/work.ts';
import { restore, snapshot } from '../../../src/core/trading/snapshot.ts';
import { stepBar } from '../../../src/core/trading/step.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { anyAmount, type Bar, marketOf } from './market-of.ts';
import { ordersAt, type Scenario, scenario } from './random-market.ts';

/** `npm run laws -- --cases 1000000` goes through a million cases, in rounds of other seeds. */
const runs = {
  numRuns: Number(process.env.LAW_RUNS ?? 700),
  seed: Number(process.env.LAW_SEED ?? 20260213),
};

/** To a billionth of what was turned over. */
function expectConserved(actual: number, expected: number, { turnoverQuote, rules }: Portfolio): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-9 * (rules.initialBalance + turnoverQuote));
}

const withoutTicks = (given: Scenario): Scenario => ({
  ...given,
  instruments: given.instruments.map((one) => ({ ...one, priceTick: 0 })),
});

const onSpot = (given: Scenario): Scenario => ({ ...given, rules: { ...given.rules, account: undefined } });

interface Outcome {
  readonly events: readonly (readonly TradingEvent[])[];
  readonly equity: readonly number[];
  readonly portfolio: Portfolio;
}

function play(given: Scenario, each?: (p: Portfolio) => void): Outcome {
  const { bars, targets, instruments, rules } = given;
  const market = marketOf(...bars);
  const portfolio = createPortfolio(instruments, rules);
  const events: (readonly TradingEvent[])[] = [];
  const curve: number[] = [];
  for (let row = 0; row < market.time.length; row++) {
    events.push(stepBar(portfolio, market, row, targets));
    placeOrders(portfolio, ordersAt(given, portfolio, row));
    curve.push(equity(portfolio));
    each?.(portfolio);
  }
  return { events, equity: curve, portfolio };
}

/** NaN and Infinity included. */
const bits = (portfolio: Portfolio): string => JSON.stringify(snapshot(portfolio));

describe('whatever the bars, the decisions and the rules', () => {
  test('cash and positions follow from fills, payments and interest alone, to 1e-9', () => {
    fc.assert(
      fc.property(scenario, (given) => {
        const { events, portfolio } = play(given);
        const fills = events.flat().filter((event) => event.kind === 'fill');
        const inverse = given.rules.account?.kind === 'inverse';
        const sign = { buy: 1, sell: -1 };
        const paid = events.flat().reduce((sum, e) => sum + (e.kind === 'payment' ? e.quote : 0), 0);
        const writtenOff = events
          .flat()
          .reduce((sum, e) => sum + (e.kind === 'ruin' ? e.shortfallQuote : 0), 0);
        const cash = fills.reduce(
          (sum, fill) =>
            sum -
            sign[fill.side] * fill.baseAmount * (inverse ? -1 / fill.price : fill.price) -
            fill.feeQuote,
          given.rules.initialBalance + paid + writtenOff - portfolio.interestQuote,
        );
        expectConserved(portfolio.cash, cash, portfolio);
        given.instruments.forEach(({ symbol }, s) => {
          const own = fills.filter((fill) => fill.symbol === symbol);
          const held = own.reduce((sum, fill) => sum + sign[fill.side] * fill.baseAmount, 0);
          const turned = own.reduce((sum, fill) => sum + fill.baseAmount, 0);
          expect(Math.abs(portfolio.columns.amount[s] - held)).toBeLessThanOrEqual(1e-9 * turned);
        });
        const fees = fills.reduce((sum, fill) => sum + fill.feeQuote, 0);
        expectConserved(portfolio.feesQuote, fees, portfolio);
      }),
      runs,
    );
  });

  test('equity is the start plus the profit of closed trades plus what the open ones are worth, to 1e-9', () => {
    fc.assert(
      fc.property(scenario, (given) => {
        const { events, portfolio } = play(given);
        const inverse = given.rules.account?.kind === 'inverse';
        const closed = events.flat().reduce((sum, e) => {
          if (e.kind === 'trade') return sum + e.profitQuote;
          if (e.kind === 'payment') return sum + e.quote;
          return e.kind === 'ruin' ? sum + e.shortfallQuote : sum;
        }, -portfolio.interestQuote);
        const c = portfolio.columns;
        const open = Array.from(c.amount, (amount, s) => {
          if (amount === 0) return 0;
          const side = Math.sign(amount) * (inverse ? -1 : 1);
          const fees = c.openedFees[s] + c.closedFees[s];
          const worth = amount * (inverse ? -1 / c.mark[s] : c.mark[s]);
          return side * (c.closedQuote[s] - c.openedQuote[s]) - fees + worth;
        }).reduce((sum, x) => sum + x, 0);
        expectConserved(equity(portfolio), given.rules.initialBalance + closed + open, portfolio);
      }),
      runs,
    );
  });

  test('a leveraged account that holds something stands above its maintenance margin at every close', () => {
    fc.assert(
      fc.property(scenario, (given) => {
        const { account } = given.rules;
        if (account === undefined || (account.kind !== 'margin' && account.marginMode === 'isolated')) return;
        const inverse = account.kind === 'inverse';
        play(given, (portfolio) => {
          const { amount, mark } = portfolio.columns;
          const needed = Array.from(amount, (held, s) =>
            held === 0 ? 0 : maintenanceOf(account, Math.abs(held) * (inverse ? 1 / mark[s] : mark[s])),
          ).reduce((sum, one) => sum + one, 0);
          if (amount.some((held) => held !== 0)) expect(equity(portfolio)).toBeGreaterThan(needed);
          else expect(portfolio.cash).toBeGreaterThanOrEqual(0);
        });
      }),
      runs,
    );
  });

  test('twice the capital in a market twice as deep does everything twice', () => {
    const twice = (account: AccountRules | undefined): AccountRules | undefined =>
      account && {
        ...account,
        tiers: account.tiers.map((tier) => ({
          ...tier,
          fromNotional: 2 * tier.fromNotional,
          amount: 2 * tier.amount,
        })),
      };
    fc.assert(
      fc.property(scenario, (drawn) => {
        const instruments = drawn.instruments.map((one) => ({ ...one, amountStep: 0, minNotional: 0 }));
        const given = { ...drawn, instruments };
        const { rules } = given;
        const doubled: Scenario = {
          ...given,
          bars: given.bars.map((bars) =>
            bars.map(([o, h, l, c, v]) => [o, h, l, c, 2 * (v ?? NaN)] as const),
          ),
          rules: { ...rules, initialBalance: 2 * rules.initialBalance, account: twice(rules.account) },
        };
        expect(play(doubled).equity).toEqual(play(given).equity.map((worth) => 2 * worth));
      }),
      runs,
    );
  });

  test('at a price that never moves, trading for free leaves the start', () => {
    fc.assert(
      fc.property(scenario, (given) => {
        const still = given.bars.map((bars) => bars.map(() => [100, 100, 100, 100, 1e9] as const));
        const free = { feeBps: 0, slippageBps: 0, impact: undefined, account: undefined };
        const { equity: curve } = play({ ...given, bars: still, rules: { ...given.rules, ...free } });
        for (const worth of curve) expect(worth / given.rules.initialBalance).toBeCloseTo(1, 9);
      }),
      runs,
    );
  });

  test('the order of the symbols does not matter where cash pays for all of them', () => {
    fc.assert(
      fc.property(scenario, (drawn) => {
        const rules = {
          ...drawn.rules,
          impact: undefined,
          account: undefined,
          rebalanceBandPct: 0,
          maxPositionPct: 20,
        };
        const instruments = drawn.instruments.map((one) => ({ ...one, amountStep: 0, minNotional: 0 }));
        const given = { ...drawn, rules, instruments, orders: [] };
        const turned = {
          ...given,
          bars: given.bars.toReversed(),
          targets: given.targets.toReversed(),
          instruments: instruments.toReversed(),
        };
        const other = play(turned).equity;
        const { equity: worth, portfolio } = play(given);
        worth.forEach((one, i) => expectConserved(other[i], one, portfolio));
      }),
      runs,
    );
  });

  test('no fee is negative, and without slippage every fill lies inside its bar, or at the last close where there is none', () => {
    fc.assert(
      fc.property(scenario, (given) => {
        const market = marketOf(...given.bars);
        play(given).events.forEach((events, row) => {
          for (const fill of events) {
            if (fill.kind !== 'fill') continue;
            expect(fill.feeQuote).toBeGreaterThanOrEqual(0);
            const s = given.instruments.findIndex(({ symbol }) => symbol === fill.symbol);
            const { low, high, close } = market.candles[s];
            // Of an amount next to nothing the division says nothing.
            if (fill.baseAmount < 1e-9) continue;
            // What is left when slippage is taken off is a price that the bar had.
            const sign = fill.side === 'buy' ? 1 : -1;
            const slipped = (sign * fill.slippageQuote) / fill.baseAmount;
            const inverse = given.rules.account?.kind === 'inverse';
            const reference = inverse ? 1 / (1 / fill.price + slipped) : fill.price - slipped;
            if (Number.isNaN(close[row])) {
              // Only what is left for good is sold without a bar: a delisted symbol, or all of an account that is ruined.
              expect(['delisted', 'liquidation']).toContain(fill.cause);
              const last = close.slice(0, row).findLast((price) => !Number.isNaN(price)) ?? NaN;
              expect(reference / last).toBeCloseTo(1, 9);
              continue;
            }
            expect(reference).toBeGreaterThanOrEqual(low[row] * (1 - 1e-9));
            expect(reference).toBeLessThanOrEqual(high[row] * (1 + 1e-9));
          }
        });
      }),
      runs,
    );
  });

  test('amounts are multiples of the step', () => {
    fc.assert(
      fc.property(scenario, (given) => {
        for (const fill of play(given).events.flat()) {
          if (fill.kind !== 'fill') continue;
          const step = given.instruments.find(({ symbol }) => symbol === fill.symbol)?.amountStep ?? 0;
          const steps = step > 0 ? fill.baseAmount / step : 0;
          expect(Math.abs(steps - Math.round(steps))).toBeLessThan(1e-6 + 1e-15 * steps);
        }
      }),
      runs,
    );
  });

  test('a spot account never owes: no cash and no position below zero', () => {
    fc.assert(
      fc.property(scenario, (given) => {
        play({ ...given, rules: { ...given.rules, allowShort: false, account: undefined } }, (portfolio) => {
          const { initialBalance } = portfolio.rules;
          expect(portfolio.cash).toBeGreaterThanOrEqual(-1e-9 * (initialBalance + portfolio.turnoverQuote));
          for (const amount of portfolio.columns.amount) expect(amount).toBeGreaterThanOrEqual(0);
        });
      }),
      runs,
    );
  });

  test('from flat, the exposure limit holds at the prices orders fill at', () => {
    const first = (column: Float64Array): Float64Array =>
      column.map((target, row) => (row === 0 ? target : NaN));
    fc.assert(
      fc.property(scenario, (given) => {
        // Bars that do not move after their open, and decisions on the first bar only.
        const bars = given.bars.map((all) =>
          all.map(([open, , , , v]) => [open, open, open, open, v ?? NaN] as const),
        );
        const targets = given.targets.map(first);
        let filled = false;
        play({ ...onSpot(given), bars, targets, orders: [] }, (portfolio) => {
          if (filled || portfolio.events?.length === 0) return;
          filled = true;
          const share = grossExposure(portfolio) / equity(portfolio);
          // Slippage and fees shrink the equity below the positions they bought.
          expect(share).toBeLessThanOrEqual((given.rules.maxExposurePct / 100) * 1.006 + 1e-9);
        });
      }),
      runs,
    );
  });

  test('reversing a position keeps to the exposure limit, whatever closing it costs', () => {
    const costs = fc.record({
      feeBps: fc.constantFrom(0, 10, 40, 100),
      slippageBps: fc.constantFrom(0, 15, 80),
    });
    const limit = fc.constantFrom(50, 80, 100);
    fc.assert(
      fc.property(costs, limit, fc.constantFrom(1, -1), (paid, maxExposurePct, side) => {
        const rules = { ...SPOT_RULES, ...paid, maxExposurePct, allowShort: true };
        const still = Array.from({ length: 4 }, (): Bar => [100, 100, 100, 100]);
        const portfolio = createPortfolio([anyAmount()], rules);
        const market = marketOf(still);
        const targets = [Float64Array.of(side, -side, NaN, NaN)];
        for (let row = 0; row < 4; row++) stepBar(portfolio, market, row, targets);
        expect(Math.sign(portfolio.columns.amount[0])).toBe(-side);
        expect(grossExposure(portfolio) / equity(portfolio)).toBeLessThanOrEqual(
          maxExposurePct / 100 + 1e-12,
        );
      }),
      runs,
    );
  });

  test('stopping after any bar and restoring from JSON changes no bit', () => {
    fc.assert(
      fc.property(scenario, fc.nat(), (given, cut) => {
        const market = marketOf(...given.bars);
        const whole = play(given);
        const stopAt = cut % market.time.length;
        let portfolio = createPortfolio(given.instruments, given.rules);
        const events: (readonly TradingEvent[])[] = [];
        for (let row = 0; row < market.time.length; row++) {
          events.push(stepBar(portfolio, market, row, given.targets));
          placeOrders(portfolio, ordersAt(given, portfolio, row));
          if (row !== stopAt) continue;
          const saved = JSON.parse(JSON.stringify(snapshot(portfolio))) as ReturnType<typeof snapshot>;
          portfolio = restore(saved, given.instruments, given.rules);
        }
        expect(bits(portfolio)).toBe(bits(whole.portfolio));
        expect(events).toEqual(whole.events);
      }),
      runs,
    );
  });

  test('the run on a prefix is the prefix of the run', () => {
    fc.assert(
      fc.property(scenario, fc.nat(), (given, cut) => {
        const whole = play(given);
        const length = 1 + (cut % whole.equity.length);
        const part = play({ ...given, bars: given.bars.map((bars) => bars.slice(0, length)) });
        expect(part.equity).toEqual(whole.equity.slice(0, length));
        expect(part.events).toEqual(whole.events.slice(0, length));
      }),
      runs,
    );
  });

  test('bars fed one at a time, as a live feed does, leave the same state', () => {
    fc.assert(
      fc.property(scenario, (given) => {
        const market = marketOf(...given.bars);
        const live = createPortfolio(given.instruments, given.rules);
        for (let row = 0; row < market.time.length; row++) {
          const targets = given.targets.map((column) => column.subarray(row, row + 1));
          stepBar(live, onlyRow(market, row), 0, targets);
          placeOrders(live, ordersAt(given, live, row));
        }
        expect(bits(live)).toBe(bits(play(given).portfolio));
      }),
      runs,
    );
  });

  test('prices and capital in a unit 1024 times smaller give the same trades', () => {
    fc.assert(
      fc.property(scenario.map(onSpot).map(withoutTicks), (given) => {
        const k = 1024;
        const scaled: Scenario = {
          ...given,
          bars: given.bars.map((bars) =>
            bars.map(([o, h, l, c, volume]) => [o * k, h * k, l * k, c * k, volume ?? NaN] as const),
          ),
          instruments: given.instruments.map((one) => ({ ...one, minNotional: one.minNotional * k })),
          rules: { ...given.rules, initialBalance: given.rules.initialBalance * k },
        };
        const plain = play(given).equity.map((value) => value * k);
        // Powers of two scale exactly; decimal ticks do not, so there are none here.
        expect(play(scaled).equity).toEqual(plain);
      }),
      runs,
    );
  });
});

function onlyRow(market: Market, row: number): Market {
  const one = (column: Float64Array): Float64Array => column.slice(row, row + 1);
  return {
    time: one(market.time),
    barMs: market.barMs,
    candles: market.candles.map(({ time, open, high, low, close, volume }) => ({
      time: one(time),
      open: one(open),
      high: one(high),
      low: one(low),
      close: one(close),
      volume: one(volume),
    })),
  };
}
