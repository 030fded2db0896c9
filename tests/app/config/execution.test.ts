import { expect, it } from 'vitest';
import { configuredInstruments, executionRules } from '../../../src/app/config/execution.ts';
import { ConfigSchema } from '../../../src/app/config/schema.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';

const trading = (settings: object) => ConfigSchema.parse({ trading: settings }).trading;

it('the defaults are the rules of a spot account that shares its capital evenly', () => {
  expect(executionRules(trading({}), 4)).toEqual({ ...SPOT_RULES, maxPositionPct: 25 });
});

it('settings reach the core', () => {
  const rules = executionRules(
    trading({ stopLossPct: 3, trailingStopPct: 4, maxPositionPct: 60, feeBps: 7 }),
    3,
  );
  expect(rules).toMatchObject({ stopLossPct: 3, feeBps: 7, maxPositionPct: 60, takeProfitPct: undefined });
  expect(rules.trailingStop).toMatchObject({ distancePct: 4, activationPct: 0, ratchet: 'next-bar' });
});

it('a stop written as a fraction is caught', () => {
  expect(() => trading({ stopLossPct: 0.02 })).toThrow(/write percent/);
});

it('instruments take the configured steps', () => {
  const [btc] = configuredInstruments(trading({ amountStep: 0.001 }), ['BTC/USDT']);
  expect(btc).toEqual({ symbol: 'BTC/USDT', amountStep: 0.001, priceTick: 0, minNotional: 5 });
});

it('a delisted pair is left after so many hours, or never', () => {
  expect(executionRules(trading({ delistedAfterHours: 72 }), 1).delistedAfterMs).toBe(72 * 3_600_000);
  expect(executionRules(trading({ delistedAfterHours: 0 }), 1).delistedAfterMs).toBeUndefined();
});
