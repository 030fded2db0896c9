import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createPortfolio } from '../../../src/core/trading/portfolio.ts';
import type { OrderRequest } from '../../../src/core/trading/orders/order.ts';
import { placeOrders } from '../../../src/core/trading/orders/work.ts';
import { advance } from '../../../src/core/trading/step.ts';
import { anyAmount, type Bar, freeRules, marketOf } from './market-of.ts';

const file = new URL('../../golden/backtest/trade_profit.json', import.meta.url);

const Case = z.object({
  isShort: z.boolean(),
  leverage: z.number(),
  closeRate: z.number(),
  feeClose: z.number(),
  fundingFees: z.number(),
  profit: z.number(),
  profitRatio: z.number(),
});

const FEE = 0.0025;
const OPEN_RATE = 2;
const AMOUNT = 30;

describe("freqtrade's profit of one trade of 30 units", () => {
  const all = z.array(Case).parse(JSON.parse(readFileSync(file, 'utf8')));

  test('are 19', () => expect(all.length).toBe(19));

  test.each(all)(
    'short $isShort, leverage $leverage, closed at $closeRate, fee $feeClose, funding $fundingFees',
    (golden) => {
      const flat = (price: number): Bar => [price, price, price, price];
      const bars = marketOf([flat(OPEN_RATE), flat(OPEN_RATE), flat(OPEN_RATE), flat(golden.closeRate)]);
      const side = golden.isShort ? -1 : 1;
      // Due on the bar after the entry, at a rate that makes it what the case says; longs pay at a positive rate.
      const rate = (-side * golden.fundingFees) / (AMOUNT * OPEN_RATE);
      const funding = { atOpen: Float64Array.of(0, 0, rate, 0), inside: new Float64Array(4) };
      const market = { ...bars, funding: [funding] };
      const rules = freeRules({
        initialBalance: 1000,
        maxExposurePct: 100 * golden.leverage,
        allowShort: true,
        // A taker on the way in, a maker on the way out.
        feeTiers: [{ fromQuote: 0, takerBps: FEE * 10_000, makerBps: golden.feeClose * 10_000 }],
        takeProfitFill: 'touch',
        account: {
          kind: 'linear',
          marginMode: 'isolated',
          leverage: golden.leverage,
          tiers: [],
          liquidationFeeBps: 0,
          funding: 'series',
        },
      });
      const portfolio = createPortfolio([anyAmount()], rules);
      const way = { s: 0, baseAmount: AMOUNT } as const;
      const [into, out] = golden.isShort ? (['sell', 'buy'] as const) : (['buy', 'sell'] as const);
      const events = [0, 1, 2, 3].flatMap((row) => {
        const seen = advance(portfolio, market, row);
        if (row === 0) placeOrders(portfolio, [{ ...way, side: into, kind: { kind: 'market' } }]);
        if (row === 1) placeOrders(portfolio, exits(golden, out));
        return seen;
      });
      const [trade] = events.filter((event) => event.kind === 'trade');
      expect(trade.baseAmount).toBe(AMOUNT);
      expect(trade.profitQuote).toBeCloseTo(golden.profit, 5);
      // Leverage multiplies the ratio, not the profit of the same amount.
      expect((trade.profitPct / 100) * golden.leverage).toBeCloseTo(golden.profitRatio, 6);
    },
  );
});

/** A limit order at the closing price where that is better than the entry, else a stop there, as a maker pays or as a taker. */
function exits({ closeRate, isShort }: z.infer<typeof Case>, side: 'buy' | 'sell'): readonly OrderRequest[] {
  const gains = closeRate > OPEN_RATE !== isShort;
  const kind = gains
    ? ({ kind: 'limit', price: closeRate } as const)
    : ({ kind: 'stop', price: closeRate } as const);
  return [{ s: 0, side, baseAmount: AMOUNT, kind }];
}
