import { describe, expect, it } from 'vitest';
import { forwardReturns } from '../../../src/core/dataset/labels.ts';
import type { Panel } from '../../../src/core/dataset/panel.ts';
import { createRandom } from '../../../src/core/foundation/random.ts';
import type { Forecast } from '../../../src/core/forecast/model.ts';
import { parseSymbol } from '../../../src/core/market/symbol.ts';
import { decide } from '../../../src/lab/backtest/decide.ts';
import type { ForecastSource } from '../../../src/lab/backtest/sources.ts';
import { chooseStrategy } from '../../../src/core/strategy/registry.ts';
import { tradeCost } from '../../../src/core/trading/trade-cost.ts';
import { walk } from '../../support/candles.ts';

const HOUR = 3_600_000;
const BARS = 3000;
const START = Date.UTC(2025, 0, 1);
const at = (row: number): number => START + row * HOUR;
const symbol = parseSymbol('BTC/USDT');
const panel: Panel = {
  timeframe: '1h',
  series: [
    {
      symbol,
      candles: walk(BARS, { startMs: START }),
      features: { names: [], columns: [] },
    },
  ],
};
const random = createRandom(11);
const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

const stating = (expectedReturn: Float64Array): Forecast => ({
  symbol,
  horizonBars: 4,
  position: new Float64Array(BARS).fill(1),
  confidence: new Float64Array(BARS).fill(1),
  expectedReturn,
});
const truth = forwardReturns(panel.series[0].candles, '1h', 4);
const knowing = stating(truth.map((value) => (Number.isNaN(value) ? 0 : value)));
const guessing = stating(truth.map(() => 0.01 * normal()));

function source(forecast: Forecast, decisions: ForecastSource['decisions']): ForecastSource {
  return {
    panel: {
      ...panel,
      exchange: 'binance',
      firstTimeMs: at(0),
      untilMs: at(BARS),
      synthetic: true,
      fingerprint: 'x',
      manifests: [],
      inputs: [],
      doubts: [],
    },
    range: { fromMs: decisions[0].fromMs, untilMs: at(BARS) },
    decisions,
    ensemble: [forecast],
    members: [
      { id: 'ridge', kind: 'model', forecasts: [forecast] },
      { id: 'persistence', kind: 'baseline', forecasts: [guessing] },
    ],
    positionsOnly: ['persistence'],
    voters: ['ridge'],
    trainedBy: 'a test',
    weights: { ridge: 'hash' },
    otherSeeds: [],
    explanations: [],
    warnings: [],
    untrained: [],
    memberSeeds: {},
  };
}

const request = {
  ...chooseStrategy('cost-aware', {}),
  cost: tradeCost({ feeBps: 10, slippageBps: 5 }),
  allowShort: false,
};
const once = [{ fromMs: at(1000), measured: { fromMs: at(0), untilMs: at(1000) } }];
const opens = (forecast: Forecast): number => forecast.position.filter((target) => target > 0).length;

describe('a strategy that rests on skill', () => {
  it('trades what a forecaster with skill states, from the first decision on', () => {
    const { source: decided, edges } = decide(source(knowing, once), request);
    expect(edges['ridge']?.slope).toBeCloseTo(1, 6);
    const [forecast] = decided.members[0].forecasts;
    expect(opens(forecast)).toBeGreaterThan(20);
    expect(forecast.position.subarray(0, 1000).every(Number.isNaN)).toBe(true);
  });

  it('leaves a guesser flat, and baselines as they are', () => {
    const { source: decided, edges } = decide(source(guessing, once), request);
    expect(edges['ridge']?.low).toBeLessThan(0);
    expect(opens(decided.members[0].forecasts[0])).toBe(0);
    expect(opens(decided.ensemble[0])).toBe(0);
    expect(decided.members[1].forecasts[0]).toBe(guessing);
    expect(edges).not.toHaveProperty('persistence');
  });

  it('measures on labels that were known when the decisions began, and on none after', () => {
    const before = decide(source(knowing, once), request).edges['ridge'];
    // A decision at row r earns from r + 1 to r + 5: at row 995 that is known when bar 1000 opens, at 996 it is not.
    // Every statement from the first decision on, and those whose return reaches beyond it, may be anything.
    const other = knowing.expectedReturn?.map((value, row) => (row >= 1000 - 4 ? -value : value));
    const after = decide(source(stating(other ?? truth), once), request).edges['ridge'];
    expect(after?.slope).toBe(before?.slope);
    expect(after?.samples).toBe(before?.samples);
    expect(before?.samples).toBe(1000 - 4);
  });

  it('walking forward, each fold rests on the folds before it', () => {
    const folds = [1000, 2000].map((row) => ({
      fromMs: at(row),
      measured: { fromMs: at(1000), untilMs: at(row) },
    }));
    const [forecast] = decide(source(knowing, folds), request).source.members[0].forecasts;
    // The first fold has nothing to show yet: flat at its first bar, and no decision after it.
    expect([...forecast.position.subarray(1000, 2000)].filter((target) => !Number.isNaN(target))).toEqual([
      0,
    ]);
    expect(forecast.position.subarray(2000).some((target) => target > 0)).toBe(true);
  });

  it('another strategy or other parameters are another trial', () => {
    const weights = (params: Record<string, unknown>) =>
      JSON.stringify(
        decide(source(knowing, once), { ...request, ...chooseStrategy('cost-aware', params) }).source.weights,
      );
    expect(weights({ riskAversion: 5 })).not.toBe(weights({}));
  });
});

it('an agent that states positions alone trades on what its actions were worth, measured before', () => {
  const { expectedReturn: _, ...agent } = {
    ...knowing,
    position: truth.map((value) => Math.sign(value || 0)),
  };
  const { source: decided, edges } = decide(source(agent, once), request);
  expect(edges['ridge']?.low).toBeGreaterThan(0);
  expect(opens(decided.members[0].forecasts[0])).toBeGreaterThan(20);
  const contrary = { ...agent, position: agent.position.map((value) => -value) };
  const turned = decide(source(contrary, once), request);
  expect(turned.edges['ridge']?.high).toBeLessThan(0);
  expect(opens(turned.source.members[0].forecasts[0])).toBe(0);
});
