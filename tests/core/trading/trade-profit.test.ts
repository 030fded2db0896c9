import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createPortfolio } from '../../../src/core/trading/portfolio.ts';
import { stepBar } from '../../../src/core/trading/step.ts';
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
  // Funding is not simulated, and entry and exit pay the same fee here.
  const covered = all.filter(({ feeClose, fundingFees }) => feeClose === FEE && fundingFees === 0);

  test('5 of the 19 cases need neither funding nor a second fee', () => {
    expect([all.length, covered.length]).toEqual([19, 5]);
  });

  test.each(covered)('short $isShort, closed at $closeRate', (golden) => {
    const flat = (price: number): Bar => [price, price, price, price];
    const market = marketOf([flat(OPEN_RATE), flat(OPEN_RATE), flat(golden.closeRate)]);
    // Sizes leave room for the fee: this capital buys exactly 30 units.
    const initialBalance = AMOUNT * OPEN_RATE * (1 + FEE);
    const rules = freeRules({ initialBalance, feeBps: FEE * 10_000, allowShort: true });
    const portfolio = createPortfolio([{ ...anyAmount(), amountStep: 1 }], rules);
    const targets = [Float64Array.of(golden.isShort ? -1 : 1, 0, NaN)];
    const events = [0, 1, 2].flatMap((row) => stepBar(portfolio, market, row, targets));
    const [trade] = events.filter((event) => event.kind === 'trade');
    expect(trade.baseAmount).toBe(AMOUNT);
    expect(trade.profitQuote).toBeCloseTo(golden.profit, 6);
    // Leverage multiplies the ratio, not the profit of the same amount.
    expect((trade.profitPct / 100) * golden.leverage).toBeCloseTo(golden.profitRatio, 6);
  });
});
