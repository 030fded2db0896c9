import { expect, test } from 'vitest';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { termsLines } from '../../../src/app/cli/live-text.ts';
import { type LiveTerms, requireTradable } from '../../../src/app/workflows/live.ts';

const termsWith = (exchange: string, rules: Partial<LiveTerms['rules']>): LiveTerms => ({
  exchange,
  sandbox: false,
  host: undefined,
  account: 'test',
  timeframe: '1h',
  symbols: ['BTC/USDT'],
  rules: { ...SPOT_RULES, ...rules },
  risk: undefined,
  execution: { collarPct: 1, restMs: 0 },
  strategy: { id: 'own', params: {} },
  ensemble: { id: 'equal', params: {} },
});
const protection = (terms: LiveTerms): string | undefined =>
  termsLines(terms, 'run').find((line) => line.startsWith('Protection:'));

test.each([
  ['binance', {}, /no order rests on binance \(trading.stopLossPct is not set\)/],
  [
    'binance',
    { stopLossPct: 5 },
    /a stop rests on binance .* 5 % below its entry, which sells down to 1 % below that/,
  ],
  ['binance', { takeProfitPct: 8 }, /a target rests on binance .* 8 % above its entry\. No stop\./],
  [
    'binance',
    { stopLossPct: 5, takeProfitPct: 8 },
    /a stop and a target rest on binance as an OCO pair .* 5 % below its entry.* 8 % above its entry; it works when/,
  ],
  ['okx', { takeProfitPct: 8 }, /a target rests on okx/],
] as const)('on %s with %o it is said what rests', (exchange, rules, line) => {
  const terms = termsWith(exchange, rules);
  expect(() => requireTradable(terms)).not.toThrow();
  expect(protection(terms)).toMatch(line);
});

test('a stop is refused where none rests, with a target beside it or without', () => {
  for (const takeProfitPct of [undefined, 8])
    expect(() => requireTradable(termsWith('bybit', { stopLossPct: 5, takeProfitPct }))).toThrow(
      'trading.stopLossPct is 5, and no stop rests on bybit',
    );
});
