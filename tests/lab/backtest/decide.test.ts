import { describe, expect, it } from 'vitest';
import { forwardReturns } from '../../../src/core/dataset/labels.ts';
import type { Panel } from '../../../src/core/dataset/panel.ts';
import { createRandom } from '../../../src/core/foundation/random.ts';
import type { Forecast } from '../../../src/core/forecast/model.ts';
import { parseSymbol } from '../../../src/core/market/symbol.ts';
import { decide } from '../../../src/lab/backtest/decide.ts';
import type { ForecastSource } from '../../../src/lab/backtest/sources.ts';
import { decidePaths, measureSkill } from '../../../src/core/strategy/decide.ts';
import { chooseStrategy } from '../../../src/core/strategy/registry.ts';
import { MODELLED_IMPACT, SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { tradeCost, tradeCosts, tradeCostsFrom } from '../../../src/core/trading/trade-cost.ts';
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
      lengths: [],
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

describe('what a trade costs', () => {
  it('is expected of each symbol as the bars before the decisions tell', () => {
    const rules = { ...SPOT_RULES, impact: { ...MODELLED_IMPACT, maxHalfSpreadBps: 50 } };
    const cost = tradeCostsFrom(rules);
    const calm = panel.series[0].candles;
    /** The same closes with a hundred times the room between high and low of a bar: a wide market. */
    const wide = {
      ...calm,
      high: calm.high.map((price, row) => Math.max(price, 1.02 * calm.close[row])),
      low: calm.low.map((price, row) => Math.min(price, 0.98 * calm.close[row])),
    };
    expect(cost(wide, at(2000))).toBeGreaterThan(cost(calm, at(2000)));
    const cut = { ...wide, high: wide.high.map((price, row) => (row < 2000 ? price : 9 * price)) };
    expect(cost(cut, at(2000))).toBe(cost(wide, at(2000)));
    expect(cost(calm, at(0))).toBe(tradeCost(rules));
    expect(tradeCostsFrom(SPOT_RULES)(calm, at(2000))).toBe(tradeCost(SPOT_RULES));
    // Its columns of liquidity, the way the execution core fills them.
    expect(cost(calm, at(2000))).toBeCloseTo(tradeCosts(calm, rules, rules.initialBalance)[1999], 6);
  });

  it('decides each symbol by its own', () => {
    const two: Panel = {
      ...panel,
      series: [panel.series[0], { ...panel.series[0], symbol: parseSymbol('ETH/USDT') }],
    };
    const dear = { ...two.series[1].candles };
    const series = [two.series[0], { ...two.series[1], candles: dear }];
    const edge = measureSkill(panel, [knowing], { fromMs: at(0), untilMs: at(1000) });
    const paths = decidePaths(
      { ...two, series },
      [knowing, knowing],
      { ...chooseStrategy('cost-aware', {}), allowShort: false, cost: (of) => (of === dear ? 0.5 : 0.0015) },
      { spans: [{ fromMs: at(1000), asOfMs: at(1000), edge }] },
    );
    const trades = ({ orders }: (typeof paths)[number]): number => orders.filter((value) => value > 0).length;
    expect(trades(paths[0])).toBeGreaterThan(10);
    expect(trades(paths[1])).toBe(0);
  });

  it('sizes symbols to equal risk: a tenth of the position where a bar moves ten times as far', () => {
    const [calm] = panel.series;
    const scaled = (column: Float64Array): Float64Array =>
      column.map((price, row) => {
        const start = calm.candles.close[0];
        return row === 0 ? price : start * (column[row] / start) ** 10;
      });
    const wild = {
      ...calm,
      symbol: parseSymbol('ETH/USDT'),
      candles: { ...calm.candles, close: scaled(calm.candles.close) },
    };
    const rising = { ...knowing, expectedReturn: knowing.position.map(() => 0.01) };
    const paths = decidePaths(
      { ...panel, series: [calm, wild] },
      [rising, rising],
      {
        ...chooseStrategy('sign', { sizing: { kind: 'equal-risk', band: 0 } }),
        allowShort: false,
        cost: 0.0015,
      },
      { spans: [{ fromMs: at(1000), asOfMs: at(1000), edge: undefined }] },
    );
    for (const row of [1000, 1777, 2500]) {
      expect(paths[0].wanted[row]).toBe(1);
      expect(paths[1].wanted[row]).toBeGreaterThan(0.07);
      expect(paths[1].wanted[row]).toBeLessThan(0.14);
    }
  });
});
