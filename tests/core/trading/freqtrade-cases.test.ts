import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Cause, Trade } from '../../../src/core/trading/events.ts';
import { createPortfolio } from '../../../src/core/trading/portfolio.ts';
import { type ExecutionRules, withFreqtradeFills } from '../../../src/core/trading/rules.ts';
import { advance, setTarget } from '../../../src/core/trading/step.ts';
import { anyAmount, type Bar, exitsOf, freeRules, HOUR_MS, marketOf } from './market-of.ts';

const shared = new URL('../../golden/backtest/candle_cases.json', import.meta.url);

const Case = z.object({
  id: z.string(),
  comment: z.string().optional(),
  data: z.array(z.array(z.number())),
  stop_loss: z.number(),
  roi: z.record(z.string(), z.number()),
  profit_perc: z.number(),
  leverage: z.number().default(1),
  trailing_stop: z.boolean().default(false),
  trailing_stop_positive: z.number().optional(),
  trailing_stop_positive_offset: z.number().default(0),
  trades: z.array(
    z.object({
      exit_reason: z.enum(['EXIT_SIGNAL', 'STOP_LOSS', 'ROI', 'TRAILING_STOP_LOSS']),
      open_tick: z.number(),
      close_tick: z.number(),
      is_short: z.boolean().default(false),
    }),
  ),
});
type Case = z.infer<typeof Case>;

const REASONS: Readonly<Record<Cause, string>> = {
  target: 'EXIT_SIGNAL',
  order: 'EXIT_SIGNAL',
  'stop-loss': 'STOP_LOSS',
  'take-profit': 'ROI',
  'trailing-stop': 'TRAILING_STOP_LOSS',
  'break-even': 'STOP_LOSS',
  'time-exit': 'FORCE_EXIT',
  liquidation: 'LIQUIDATION',
  delisted: 'FORCE_EXIT',
};

/** Those of freqtrade's suite that are not in the shared file: trailing stops on the bar of the entry among them. */
const entryBarCases = z
  .array(Case)
  .parse(
    JSON.parse(
      readFileSync(new URL('../../golden/freqtrade-trailing-on-entry.json', import.meta.url), 'utf8'),
    ),
  );

test.each(entryBarCases)('freqtrade $id: $comment', (golden) => expectTrades(golden));

describe("freqtrade's published candle cases", () => {
  const cases = z.array(Case).parse(JSON.parse(readFileSync(shared, 'utf8')));

  test('are 32', () => expect(cases.length).toBe(32));

  test.each(cases)('$id', (golden) => expectTrades(golden));
});

function expectTrades(golden: Case): void {
  const trades = play(golden);
  expect(
    trades.map((trade) => ({
      exit_reason: REASONS[trade.exit],
      open_tick: trade.entryTime / HOUR_MS,
      close_tick: trade.exitTime / HOUR_MS,
      is_short: trade.side === 'short',
    })),
  ).toEqual(golden.trades);
  const profit = trades.reduce((sum, trade) => sum + (trade.profitPct / 100) * golden.leverage, 0);
  expect(Math.abs(profit - golden.profit_perc)).toBeLessThan(0.0005);
}

/** freqtrade signals say when to enter and when to leave; a row without one keeps what is held. */
function play(golden: Case): readonly Trade[] {
  const bars = golden.data.map((row): Bar => [row[1], row[2], row[3], row[4], row[5]]);
  const market = marketOf(bars);
  const portfolio = createPortfolio([anyAmount()], rulesOf(golden));
  const trades: Trade[] = [];
  golden.data.forEach((row, index) => {
    trades.push(...advance(portfolio, market, index).filter((event) => event.kind === 'trade'));
    const [enterLong, exitLong, enterShort = 0, exitShort = 0] = row.slice(6);
    const held = portfolio.columns.amount[0];
    if (held === 0 && enterLong === 1) setTarget(portfolio, 0, 1);
    if (held === 0 && enterShort === 1) setTarget(portfolio, 0, -1);
    if ((held > 0 && exitLong === 1) || (held < 0 && exitShort === 1)) setTarget(portfolio, 0, 0);
  });
  return trades;
}

/** Leverage multiplies a price move into profit, so a stop of x % of the stake is x / leverage of the price. */
function rulesOf(golden: Case): ExecutionRules {
  const stopLossPct = (-100 * golden.stop_loss) / golden.leverage;
  return withFreqtradeFills(
    freeRules({
      allowShort: true,
      stopLossPct,
      exits: exitsOf({
        timedTargets: Object.entries(golden.roi).map(([minutes, ratio]) => ({
          afterMs: Number(minutes) * 60_000,
          pct: (100 * ratio) / golden.leverage,
        })),
      }),
      trailingStop: golden.trailing_stop
        ? {
            distancePct:
              golden.trailing_stop_positive === undefined ? stopLossPct : 100 * golden.trailing_stop_positive,
            activationPct: 100 * golden.trailing_stop_positive_offset,
            from: 'extreme',
            ratchet: 'next-bar',
          }
        : undefined,
    }),
  );
}
