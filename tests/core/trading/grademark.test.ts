import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Trade } from '../../../src/core/trading/events.ts';
import { createPortfolio } from '../../../src/core/trading/portfolio.ts';
import { withRulesOf } from '../../../src/core/trading/presets.ts';
import type { ExecutionRules } from '../../../src/core/trading/rules.ts';
import { advance, setTarget } from '../../../src/core/trading/step.ts';
import { anyAmount, type Bar, freeRules, marketOf } from './market-of.ts';

const folder = new URL('../../golden/backtest/', import.meta.url);
const SMA_BARS = 30;
/** The published run read the dates as midnight in Queensland. */
const UTC_OFFSET_MS = 10 * 3_600_000;

const GoldenTrades = z.array(
  z.object({
    entryTime: z.string(),
    exitTime: z.string(),
    entryPrice: z.number(),
    exitPrice: z.number(),
    profit: z.number(),
    profitPct: z.number(),
    holdingPeriod: z.number(),
    exitReason: z.enum(['exit-rule', 'stop-loss', 'profit-target']),
  }),
);

const runs: readonly [file: string, rules: Partial<ExecutionRules>][] = [
  ['grademark_basic_strategy.json', {}],
  ['grademark_with_stop_loss.json', { stopLossPct: 1.5 }],
  ['grademark_with_profit_target.json', { takeProfitPct: 1 }],
  [
    'grademark_with_trailing_stop.json',
    { trailingStop: { distancePct: 3, activationPct: 0, from: 'extreme', ratchet: 'next-bar' } },
  ],
];

describe("Grademark's mean reversion on STW", () => {
  test.each(runs)('%s trade by trade', (file, changes) => {
    const expected = GoldenTrades.parse(JSON.parse(readFileSync(new URL(file, folder), 'utf8')));
    const trades = play(withRulesOf('grademark', freeRules(changes)));
    expect(trades.length).toBe(expected.length);
    trades.forEach((trade, i) => {
      const golden = expected[i];
      expect(new Date(trade.entryTime).toISOString()).toBe(golden.entryTime);
      expect(new Date(trade.exitTime).toISOString()).toBe(golden.exitTime);
      expect(trade.entryPrice).toBeCloseTo(golden.entryPrice, 9);
      expect(trade.exitPrice).toBeCloseTo(golden.exitPrice, 9);
      expect(trade.profitPct).toBeCloseTo(golden.profitPct, 9);
      expect(trade.profitQuote / trade.baseAmount).toBeCloseTo(golden.profit, 9);
      // Grademark counts the bars between entry and exit.
      expect(trade.barsHeld - 1).toBe(golden.holdingPeriod);
      expect(trade.exit).toBe(
        golden.exitReason === 'exit-rule'
          ? 'target'
          : golden.exitReason === 'profit-target'
            ? 'take-profit'
            : changes.trailingStop === undefined
              ? 'stop-loss'
              : 'trailing-stop',
      );
    });
  });
});

/** Enter below the 30-bar mean, leave above it; nothing is decided on the bar of an entry or of an exit. */
function play(rules: ExecutionRules): readonly Trade[] {
  const lines = readFileSync(new URL('grademark_STW.csv', folder), 'utf8').trim().split('\n').slice(1);
  const rows = lines.map((line) => line.split(','));
  const bars = rows.map((cells): Bar => [+cells[1], +cells[2], +cells[3], +cells[4], +cells[5]]);
  const time = Float64Array.from(rows, ([date]) => {
    const [day, month, year] = date.split('/').map(Number);
    return Date.UTC(year, month - 1, day) - UTC_OFFSET_MS;
  });
  const market = { ...marketOf(bars), time, barMs: Infinity };
  const close = market.candles[0].close;
  const portfolio = createPortfolio([anyAmount('STW/AUD')], rules);
  const trades: Trade[] = [];
  for (let row = 0; row < time.length; row++) {
    const events = advance(portfolio, market, row);
    trades.push(...events.filter((event) => event.kind === 'trade'));
    if (row < SMA_BARS - 1 || events.length > 0) continue;
    const mean = close.subarray(row - SMA_BARS + 1, row + 1).reduce((sum, x) => sum + x, 0) / SMA_BARS;
    const held = portfolio.columns.amount[0] > 0;
    if (!held && close[row] < mean) setTarget(portfolio, 0, 1);
    if (held && close[row] > mean) setTarget(portfolio, 0, 0);
  }
  return trades;
}
