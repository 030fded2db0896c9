import { describe, expect, test } from 'vitest';
import {
  maintenanceOf,
  type MarginAccount,
  type PerpetualAccount,
  tiersOf,
} from '../../../src/core/trading/accounts/account-rules.ts';
import { fundingColumns } from '../../../src/core/trading/accounts/funding.ts';
import { liquidationPrice } from '../../../src/core/trading/accounts/liquidate.ts';
import type { TradingEvent } from '../../../src/core/trading/events.ts';
import type { Market } from '../../../src/core/trading/market.ts';
import { createPortfolio, equity } from '../../../src/core/trading/portfolio.ts';
import type { ExecutionRules } from '../../../src/core/trading/rules.ts';
import { runBacktest } from '../../../src/core/trading/run.ts';
import { stepBar } from '../../../src/core/trading/step.ts';
import { anyAmount, type Bar, freeRules, HOUR_MS, marketOf } from './market-of.ts';

const flat = (price: number): Bar => [price, price, price, price];

const perpetual = (changes: Partial<PerpetualAccount> = {}): PerpetualAccount => ({
  kind: 'linear',
  marginMode: 'cross',
  leverage: 10,
  tiers: tiersOf([{ fromNotional: 0, ratePct: 1 }]),
  liquidationFeeBps: 0,
  funding: 'waived',
  ...changes,
});

/** All of the leverage on every target of 1. */
const leveraged = (account: PerpetualAccount | MarginAccount, changes: Partial<ExecutionRules> = {}) =>
  freeRules({
    account,
    allowShort: true,
    maxPositionPct: 100 * account.leverage,
    maxExposurePct: 100 * account.leverage,
    ...changes,
  });

function play(market: Market, targets: readonly number[], rules: ExecutionRules) {
  const portfolio = createPortfolio([anyAmount()], rules);
  const column = Float64Array.from({ length: market.time.length }, (_, row) => targets[row] ?? NaN);
  const events: TradingEvent[] = [];
  const curve = Array.from(market.time, (_, row) => {
    events.push(...stepBar(portfolio, market, row, [column]));
    return equity(portfolio);
  });
  return { portfolio, events, curve, fills: events.filter((event) => event.kind === 'fill') };
}

describe("Binance's published liquidation prices", () => {
  // The worked example of FAQ b3c689c1f50a44cabb3a84e663b81d93: two positions in one cross wallet.
  const wallet = 1_535_443.01;
  test.each([
    {
      symbol: 'ETHUSDT',
      others: -71_200.81144 - 56_354.57,
      amount: 3683.979,
      entryPrice: 1456.84,
      ratePct: 10,
      cum: 135_365,
      published: 1153.26,
    },
    {
      symbol: 'BTCUSDT',
      others: -356_512.508 - 448_192.89,
      amount: 109.488,
      entryPrice: 32_481.98,
      ratePct: 2.5,
      cum: 16_300,
      published: 26_316.89,
    },
  ])(
    '$symbol in USD-M cross margin: $published',
    ({ others, amount, entryPrice, ratePct, cum, published }) => {
      const tiers = [{ fromNotional: 0, ratePct, amount: cum }];
      const price = liquidationPrice(
        { kind: 'linear', tiers },
        { wallet: wallet + others, amount, entryPrice },
      );
      expect(price).toBeCloseTo(published, 2);
    },
  );

  test('COIN-M: 101 BTC, long 10 000 000 USD at 45 000: 33 599.40, as its calculator says', () => {
    // dev.binance.vision/t/6292; at that price the position is worth 297.6 BTC: 12.5 %, amount 11.605 BTC.
    const tiers = [{ fromNotional: 0, ratePct: 12.5, amount: 11.605 }];
    const price = liquidationPrice(
      { kind: 'inverse', tiers },
      { wallet: 101, amount: 10_000_000, entryPrice: 45_000 },
    );
    expect(price).toBeCloseTo(33_599.4, 1);
  });

  test('maintenance amounts follow from the rates: BTCUSD of FAQ ceccfcfb, level 5 is 50 BTC x 2.5 % + .56 BTC', () => {
    const tiers = tiersOf([
      { fromNotional: 0, ratePct: 0.4 },
      { fromNotional: 5, ratePct: 0.5 },
      { fromNotional: 10, ratePct: 1 },
      { fromNotional: 20, ratePct: 2.5 },
      { fromNotional: 50, ratePct: 5 },
    ]);
    expect(tiers[4].amount - tiers[3].amount).toBeCloseTo(50 * 0.025, 12);
    expect(maintenanceOf({ ...perpetual(), tiers }, 60)).toBeCloseTo(60 * 0.05 - tiers[4].amount, 12);
    // Continuous at the border.
    expect(maintenanceOf({ ...perpetual(), tiers }, 50)).toBeCloseTo(50 * 0.025 - tiers[3].amount, 12);
  });
});

describe('a linear perpetual', () => {
  test('that is added to was entered at the mean of what was paid: 50 coins at 100 and 25 at 200', () => {
    const single = leveraged(perpetual({ leverage: 1 }));
    const { portfolio, fills } = play(marketOf([flat(100), flat(100), flat(200)]), [0.5, 1], single);
    expect(fills.map(({ price, baseAmount }) => [price, baseAmount])).toEqual([
      [100, 50],
      [200, 25],
    ]);
    expect(portfolio.columns.entryPrice[0]).toBeCloseTo(10_000 / 75, 9);
  });

  test('gains by its leverage', () => {
    const { curve } = play(marketOf([flat(100), flat(100), flat(105)]), [1], leveraged(perpetual()));
    // 1 000 coins, ten times the equity: 5 % of 100 000.
    expect(curve[2]).toBeCloseTo(15_000, 8);
  });

  test.each([1, -1])(
    'side %d: is liquidated at the published formula inside the bar, and what is left stays',
    (side) => {
      const account = perpetual();
      const entry = { wallet: 10_000, amount: side * 1000, entryPrice: 100 };
      const expected = liquidationPrice(account, entry);
      const worst = side > 0 ? 80 : 120;
      const bar: Bar = side > 0 ? [100, 100, worst, 90] : [100, worst, 100, 110];
      const { fills, portfolio, events } = play(
        marketOf([flat(100), flat(100), bar, flat(100)]),
        [side],
        leveraged(account),
      );
      expect(fills[1]).toMatchObject({ cause: 'liquidation', baseAmount: 1000 });
      expect(fills[1].price).toBeCloseTo(expected, 8);
      // By hand, long: (10 000 - 100 000) / (1000 (.01 - 1)) = 90.909; short: 110 000 / 1010 = 108.911.
      expect(expected).toBeCloseTo(side > 0 ? 90.9091 : 108.9109, 4);
      expect(portfolio.cash).toBeCloseTo(1000 * expected * 0.01, 6);
      expect(events.some(({ kind }) => kind === 'ruin')).toBe(false);
    },
  );

  test('that opens beyond the bankruptcy price ruins the account, at zero and with its time', () => {
    const { events, curve, portfolio } = play(
      marketOf([flat(100), flat(100), flat(80), flat(100)]),
      [1, 1, 1, 1],
      leveraged(perpetual()),
    );
    expect(events.at(-1)).toMatchObject({ kind: 'ruin', time: 2 * HOUR_MS, shortfallQuote: 10_000 });
    expect(curve.slice(2)).toEqual([0, 0]);
    expect(portfolio.ruinedAt).toBe(2 * HOUR_MS);
  });

  test('pays the fee of its liquidation', () => {
    const account = perpetual({ liquidationFeeBps: 50 });
    const { portfolio } = play(marketOf([flat(100), flat(100), [100, 100, 80, 90]]), [1], leveraged(account));
    const price = 90_000 / 990;
    expect(portfolio.cash).toBeCloseTo(1000 * price * (0.01 - 0.005), 6);
    expect(portfolio.feesQuote).toBeCloseTo(1000 * price * 0.005, 6);
  });

  test('in isolated margin loses no more than the margin of the position', () => {
    // Half of the equity on it: 500 coins on a margin of 5 000, and a bar that opens beyond everything.
    const account = perpetual({ marginMode: 'isolated' });
    const { portfolio, events } = play(marketOf([flat(100), flat(100), flat(70)]), [0.5], leveraged(account));
    expect(portfolio.cash).toBeCloseTo(5_000, 8);
    expect(events.find(({ kind }) => kind === 'payment')).toMatchObject({
      reason: 'insurance',
      quote: 10_000,
    });
    // The same in cross margin takes all.
    expect(play(marketOf([flat(100), flat(100), flat(70)]), [0.5], leveraged(perpetual())).curve[2]).toBe(0);
  });

  test('in isolated margin is liquidated by its own margin, whatever else there is', () => {
    const account = perpetual({ marginMode: 'isolated' });
    const { fills } = play(marketOf([flat(100), flat(100), [100, 100, 85, 90]]), [0.5], leveraged(account));
    const expected = liquidationPrice(account, { wallet: 5_000, amount: 500, entryPrice: 100 });
    expect(fills[1].price).toBeCloseTo(expected, 8);
  });

  test('is judged by the mark price where there is one', () => {
    const bars = marketOf([flat(100), flat(100), [100, 100, 80, 100]]);
    const mark = marketOf([flat(100), flat(100), [100, 100, 95, 100]]).candles[0];
    const { fills } = play({ ...bars, mark: [mark] }, [1], leveraged(perpetual()));
    expect(fills).toHaveLength(1);
  });
});

describe('an inverse perpetual', () => {
  // 1 coin at 100, three times over: a position of 300 dollars.
  const account = perpetual({ kind: 'inverse', leverage: 3 });
  const rules = leveraged(account, { initialBalance: 1 });

  test('counts in the coin: 300 dollars long from 100 to 120 gain 300 (1/100 - 1/120) coins', () => {
    const { curve, events } = play(
      marketOf([flat(100), flat(100), flat(120), flat(120)]),
      [1, NaN, 0],
      rules,
    );
    expect(curve[2]).toBeCloseTo(1 + 0.5, 12);
    const trade = events.find(({ kind }) => kind === 'trade');
    expect(trade).toMatchObject({ side: 'long', entryPrice: 100, exitPrice: 120, baseAmount: 300 });
    expect(trade).toMatchObject({ profitQuote: expect.closeTo(0.5, 12) as number });
  });

  test('that is added to was entered at the mean of its coins: 50 dollars at 100 and 200 at 200 are 1.5 coins', () => {
    const single = leveraged(perpetual({ kind: 'inverse', leverage: 1 }), { initialBalance: 1 });
    const { portfolio, fills } = play(marketOf([flat(100), flat(100), flat(200)]), [0.5, 1], single);
    // Half of a coin; at 200 equity is 1 + 50 (1/100 - 1/200) coins, worth 250 dollars.
    expect(fills.map(({ price, baseAmount }) => [price, +baseAmount.toFixed(9)])).toEqual([
      [100, 50],
      [200, 200],
    ]);
    expect(portfolio.columns.entryPrice[0]).toBeCloseTo(250 / 1.5, 9);
  });

  test('is liquidated at the published formula', () => {
    const { fills } = play(marketOf([flat(100), flat(100), [100, 100, 70, 80]]), [1], rules);
    const expected = liquidationPrice(account, { wallet: 1, amount: 300, entryPrice: 100 });
    // 300 (1 + .01) / (1 + 3) = 75.75.
    expect(expected).toBeCloseTo(75.75, 10);
    expect(fills[1]).toMatchObject({ cause: 'liquidation', price: expect.closeTo(expected, 8) as number });
  });

  test('has orders worth at least so much in quote currency, whatever they are in coins', () => {
    const least = { ...anyAmount(), minNotional: 250 };
    const causes = (share: number): readonly string[] => {
      const portfolio = createPortfolio([least], rules);
      const market = marketOf([flat(100), flat(100)]);
      return [0, 1].flatMap((row) =>
        stepBar(portfolio, market, row, [Float64Array.of(share, NaN)]).map((event) =>
          event.kind === 'rejected' ? event.reason : event.kind,
        ),
      );
    };
    // 300 dollars, which are 3 coins; 240 dollars are too few.
    expect(causes(1)).toEqual(['fill']);
    expect(causes(0.8)).toEqual(['below-min-notional']);
  });

  test('is closed where nothing is left of it, however far the price falls', () => {
    const { curve } = play(marketOf([flat(100), flat(100), flat(50)]), [1], rules);
    expect(curve[2]).toBe(0);
  });
});

describe('funding', () => {
  const hours = (bars: number): Market => marketOf(Array.from({ length: bars }, () => flat(100)));
  const series = (at: readonly number[], rate: readonly number[]) => ({
    symbol: 'BTC/USDT',
    time: Float64Array.from(at, (hour) => hour * HOUR_MS),
    rate: Float64Array.from(rate),
  });

  test('is paid by longs at a positive rate on what was held before the open, and received by shorts', () => {
    const market = hours(17);
    const columns = fundingColumns(market, series([0, 8, 16], [0.01, 0.0001, 0.0002]));
    for (const side of [1, -1]) {
      const account = perpetual({ leverage: 1, funding: 'series' });
      const { portfolio, events } = play({ ...market, funding: [columns] }, [NaN, side], leveraged(account));
      // 100 coins worth 10 000 from bar 2 on: 1 and 2 are due, not the 100 of bar 0.
      expect(portfolio.fundingQuote).toBeCloseTo(-side * 3, 10);
      expect(events.filter(({ kind }) => kind === 'payment')).toHaveLength(2);
    }
  });

  test('inside a longer bar is due on what is held at its close', () => {
    const market = {
      ...marketOf([flat(100), flat(100)]),
      barMs: 24 * HOUR_MS,
      time: Float64Array.of(0, 24 * HOUR_MS),
    };
    const columns = fundingColumns(market, series([0, 8, 16, 24, 32, 40], [1, 2, 4, 8, 16, 32]));
    expect([...columns.atOpen, ...columns.inside]).toEqual([1, 8, 6, 48]);
  });

  test.each([
    ['in the middle', [0, 8, 24], '1970-01-01T16:00'],
    ['at the start', [16, 24], '1970-01-01T00:00'],
    ['at the end', [0, 8], '1970-01-01T16:00'],
    ['at the end, where it was due four hours before', [0, 8], '1970-01-01T16:00', 20],
    ['at the end, where it was due at the open of the last bar', [0, 8], '1970-01-01T16:00', 17],
  ])('missing %s is an error that says when', (_, at, when, bars = 30) => {
    expect(() =>
      fundingColumns(
        hours(bars),
        series(
          at,
          at.map(() => 0),
        ),
      ),
    ).toThrow(when);
  });

  test('that is not due before the last bar is over is not missing', () => {
    expect(() => fundingColumns(hours(16), series([0, 8], [0, 0]))).not.toThrow();
  });

  test('is an error without a series, unless it is waived by name', () => {
    const market = hours(3);
    const task = { market, targets: [Float64Array.of(1, NaN, NaN)], instruments: [anyAmount()] };
    const run = (funding: 'series' | 'waived') =>
      runBacktest({ ...task, rules: leveraged(perpetual({ funding })) });
    expect(() => run('series')).toThrow('funding rates of BTC/USDT are not known');
    expect(run('waived').fills).toHaveLength(1);
  });
});

describe('a margin account', () => {
  const account: MarginAccount = {
    kind: 'margin',
    leverage: 2,
    tiers: tiersOf([{ fromNotional: 0, ratePct: 10 }]),
    liquidationFeeBps: 0,
    quoteInterestPct: 8.76,
    baseInterestPct: 17.52,
  };

  test('pays interest for what it borrowed, by the hour: 10 000 at 8.76 % a year cost .01 an hour per 1 000', () => {
    const bars = Array.from({ length: 5 }, () => flat(100));
    const long = play(marketOf(bars), [1], leveraged(account));
    // 200 coins for 20 000, of which 10 000 are borrowed, over three hours of bars after the one of the purchase.
    expect(long.portfolio.interestQuote).toBeCloseTo(3 * 0.1, 4);
    const short = play(marketOf(bars), [-1], leveraged(account));
    expect(short.portfolio.interestQuote).toBeCloseTo(3 * 0.4, 4);
  });

  test('is liquidated where its equity falls to the maintenance margin', () => {
    const { fills } = play(
      marketOf([flat(100), flat(100), [100, 100, 40, 60]]),
      [1],
      leveraged({ ...account, quoteInterestPct: 0 }),
    );
    // 200 p - 10 000 = .1 x 200 p at p = 10 000 / 180.
    expect(fills[1]).toMatchObject({
      cause: 'liquidation',
      price: expect.closeTo(10_000 / 180, 8) as number,
    });
  });
});
