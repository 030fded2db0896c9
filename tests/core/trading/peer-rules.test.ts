import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createPortfolio } from '../../../src/core/trading/portfolio.ts';
import { type RulesOf, withRulesOf } from '../../../src/core/trading/presets.ts';
import { advance, setTarget } from '../../../src/core/trading/step.ts';
import { anyAmount, type Bar, freeRules, HOUR_MS, marketOf } from './market-of.ts';

/** Entry bar, exit bar, entry price, exit price. */
const Trades = z.array(z.tuple([z.number(), z.number(), z.number(), z.number()]));
const golden = z
  .object({
    rule: z.string(),
    bars: z.array(z.tuple([z.number(), z.number(), z.number(), z.number()])),
    'backtesting.py 0.6.6': Trades,
    'backtrader 1.9.78.123': Trades,
    'vectorbt 1.0.0': Trades,
  })
  .parse(JSON.parse(readFileSync(new URL('../../golden/backtest/peer_rules.json', import.meta.url), 'utf8')));

/** The file's rule: in at the close of bars i % 17 = 3 when flat, out at i % 17 = 12. */
function play(system: RulesOf): z.output<typeof Trades> {
  const bars = golden.bars.map(([o, h, l, c]): Bar => [o, h, l, c]);
  const market = marketOf(bars);
  const portfolio = createPortfolio(
    [anyAmount()],
    withRulesOf(system, freeRules({ stopLossPct: 2, takeProfitPct: 3 })),
  );
  return bars.flatMap((_, row) => {
    const trades = advance(portfolio, market, row).filter((event) => event.kind === 'trade');
    const held = portfolio.columns.amount[0] > 0;
    if (row % 17 === 3 && !held) setTarget(portfolio, 0, 1);
    if (row % 17 === 12 && held) setTarget(portfolio, 0, 0);
    return trades.map(({ entryTime, exitTime, entryPrice, exitPrice }): [number, number, number, number] => [
      entryTime / HOUR_MS,
      exitTime / HOUR_MS,
      entryPrice,
      exitPrice,
    ]);
  });
}

test.each([
  ['backtesting.py', 'backtesting.py 0.6.6'],
  ['backtrader', 'backtrader 1.9.78.123'],
  ['vectorbt', 'vectorbt 1.0.0'],
] as const)('the rules of %s make the trades that %s made', (system, key) => {
  const expected = golden[key];
  const own = play(system);
  expect(own.length).toBe(expected.length);
  own.forEach((trade, i) => trade.forEach((value, k) => expect(value).toBeCloseTo(expected[i][k], 8)));
});

test('systems differ where it matters: stop and target on the bar of the entry', () => {
  expect(play('vectorbt')).not.toEqual(play('backtesting.py'));
});
