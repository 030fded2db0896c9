import { expect, it } from 'vitest';
import {
  configuredInstruments,
  executionRules,
  latencyBars,
  marketRules,
  pollIntervalMs,
  spotRules,
  trainingRules,
} from '../../../src/app/config/execution.ts';
import { ConfigSchema } from '../../../src/app/config/schema.ts';
import { MODELLED_IMPACT, SPOT_RULES } from '../../../src/core/trading/rules.ts';

const config = (trading: object, exits: object = {}) => ConfigSchema.parse({ trading, exits });

it('the defaults are the rules of a spot account that shares its capital evenly', () => {
  expect(executionRules(config({}), 4)).toEqual({
    ...SPOT_RULES,
    impact: MODELLED_IMPACT,
    maxPositionPct: 25,
  });
});

it('a stated slippage is a fixed one', () => {
  const rules = executionRules(config({ slippageBps: 3 }), 1);
  expect([rules.slippageBps, rules.impact]).toEqual([3, undefined]);
  expect(executionRules(config({ impactFactor: 0.5 }), 1).impact?.factor).toBe(0.5);
});

it('settings reach the core', () => {
  const rules = executionRules(
    config({ stopLossPct: 3, trailingStopPct: 4, maxPositionPct: 60, feeBps: 7 }),
    3,
  );
  expect(rules).toMatchObject({ stopLossPct: 3, feeBps: 7, maxPositionPct: 60, takeProfitPct: undefined });
  expect(rules.trailingStop).toMatchObject({ distancePct: 4, activationPct: 0, ratchet: 'next-bar' });
});

it('a stop written as a fraction is caught', () => {
  expect(() => config({ stopLossPct: 0.02 })).toThrow(/write percent/);
});

it('instruments take the configured steps', () => {
  const [btc] = configuredInstruments(config({ amountStep: 0.001 }).trading, ['BTC/USDT']);
  expect(btc).toEqual({ symbol: 'BTC/USDT', amountStep: 0.001, priceTick: 0, minNotional: 5 });
});

it('entries by orders and priorities reach the core; models are trained at the market', () => {
  const entry = { kind: 'limit', offsetPct: 0.3, parts: 3 };
  const settings = config({ entry, priority: ['SOL/USDT'] });
  expect(executionRules(settings, 2)).toMatchObject({
    entry: { ...entry, bars: 1, postOnly: false },
    priority: ['SOL/USDT'],
  });
  expect(trainingRules(settings, 2).entry).toBeUndefined();
  expect(() => marketRules(settings, 2)).toThrow('trading.entry.kind is "limit"');
  expect(marketRules(config({}), 2)).toEqual(executionRules(config({}), 2));
});

it('latency in milliseconds counts whole bars, rounded up', () => {
  const late = (trading: object): number => latencyBars(config(trading).trading, 60_000);
  expect([0, 1, 60_000, 60_001].map((latencyMs) => late({ latencyMs }))).toEqual([0, 1, 1, 2]);
  expect(late({ latencyMs: 250, latencyBars: 2 })).toBe(3);
});

it('the longest pause between polls may differ by timeframe', () => {
  const set = (paper: object) => ConfigSchema.parse({ paper });
  const given = set({ intervalSecondsOf: { '1d': 3600 } });
  expect(pollIntervalMs(given, '1d')).toBe(3_600_000);
  expect(pollIntervalMs(given, '1h')).toBe(60_000);
  expect(() => set({ intervalSecondsOf: { hourly: 5 } })).toThrow('not a timeframe');
});

it('a delisted pair is left after so many hours, or never', () => {
  expect(executionRules(config({ delistedAfterHours: 72 }), 1).delistedAfterMs).toBe(72 * 3_600_000);
  expect(executionRules(config({ delistedAfterHours: 0 }), 1).delistedAfterMs).toBeUndefined();
});

it('exits reach the core; without any there are none', () => {
  expect(executionRules(config({}, { atrBars: 20 }), 1).exits).toBeUndefined();
  const settings = {
    atrBars: 20,
    stopLossAtr: 2,
    breakEvenPct: 3,
    maxMinutes: 15,
    partialTargets: [{ atPct: 2, sharePct: 50 }],
    timedTargets: [{ afterMinutes: 60, pct: -100 }],
  };
  expect(executionRules(config({}, settings), 1).exits).toEqual({
    atrBars: 20,
    stopLossAtr: 2,
    takeProfitAtr: undefined,
    trailingStopAtr: undefined,
    breakEven: { triggerPct: 3, lockPct: 0 },
    maxBars: undefined,
    maxHeldMs: 900_000,
    partialTargets: [{ atPct: 2, sharePct: 50 }],
    timedTargets: [{ afterMs: 3_600_000, pct: -100 }],
  });
});

it.each([
  [
    {
      partialTargets: [
        { atPct: 4, sharePct: 50 },
        { atPct: 2, sharePct: 50 },
      ],
    },
    /in the order of atPct/,
  ],
  [
    {
      partialTargets: [
        { atPct: 2, sharePct: 60 },
        { atPct: 4, sharePct: 60 },
      ],
    },
    /more than 100 %/,
  ],
  [
    {
      timedTargets: [
        { afterMinutes: 9, pct: 1 },
        { afterMinutes: 5, pct: 1 },
      ],
    },
    /in the order of afterMinutes/,
  ],
])('%j is caught', (exits, message) => {
  expect(() => config({}, exits)).toThrow(message);
});

it('an account may be written as a word, and leverage bounds the exposure', () => {
  expect(executionRules(config({ account: 'margin' }), 1).account).toEqual({
    kind: 'margin',
    leverage: 1,
    liquidationFeeBps: 125,
    tiers: [{ fromNotional: 0, ratePct: 1, amount: 0 }],
    quoteInterestPct: 10,
    baseInterestPct: 10,
  });
  const account = {
    kind: 'perpetual',
    leverage: 3,
    contract: 'inverse',
    tiers: [
      { fromNotional: 0, ratePct: 0.4 },
      { fromNotional: 50_000, ratePct: 0.5 },
    ],
  };
  // Binance's table of BTCUSDT: from 50 000 on .5 % less 50.
  expect(executionRules(config({ account, maxExposurePct: 300 }), 1)).toMatchObject({
    maxExposurePct: 300,
    account: {
      kind: 'inverse',
      marginMode: 'cross',
      funding: 'series',
      tiers: [{ amount: 0 }, { ratePct: 0.5, amount: expect.closeTo(50, 9) as number }],
    },
  });
  expect(() => config({ account, maxExposurePct: 301 })).toThrow(
    /at most 300 with a perpetual account of leverage 3/,
  );
  expect(() => config({ maxPositionPct: 120 })).toThrow(/at most 100 with a spot account/);
  expect(() => config({ account: { kind: 'spot', leverage: 2 } })).toThrow(/leverage/);
});

it('what trades spot only refuses another account, and models learn without it', () => {
  const levered = config({ account: { kind: 'perpetual', leverage: 5 }, maxExposurePct: 500 });
  expect(() => spotRules(levered, 1, 'paper')).toThrow(
    '`paper` trades spot accounts; trading.account is perpetual.',
  );
  expect(spotRules(config({}), 2, 'paper')).toEqual(executionRules(config({}), 2));
  expect(trainingRules(levered, 1)).toMatchObject({
    account: undefined,
    maxExposurePct: 100,
    maxPositionPct: 100,
  });
});

it('fees have tiers, of which the first is counted with', () => {
  const feeTiers = [
    { fromQuote: 0, makerBps: 2, takerBps: 5 },
    { fromQuote: 1e6, makerBps: 1, takerBps: 4 },
  ];
  expect(executionRules(config({ feeTiers }), 1)).toMatchObject({ feeBps: 5, feeTiers });
  expect(() => config({ feeTiers: feeTiers.slice(1) })).toThrow(/the first tier begins at 0/);
});
