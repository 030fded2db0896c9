import { expect, test } from 'vitest';
import { findStrategy } from '../../../src/core/strategy/registry.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { forecastEnsemble } from '../../../src/learning/ensemble/equal-weight.ts';
import { backtest } from '../../../src/lab/backtest/backtest.ts';
import { contributions } from '../../../src/lab/backtest/contributions.ts';
import { forecastFans } from '../../../src/lab/backtest/fans.ts';
import type { ForecastSource } from '../../../src/lab/backtest/sources.ts';
import { forecastsOf, HOUR_MS, randomPanel } from './panel-of.ts';

const panel = randomPanel(600, 4);
const range = { fromMs: 100 * HOUR_MS, untilMs: 600 * HOUR_MS };
const rising = forecastsOf(panel, (close, row) => (row > 0 && close[row] > close[row - 1] ? 1 : 0));
const falling = forecastsOf(panel, (close, row) => (row > 4 && close[row] < close[row - 5] ? 1 : 0));
const idle = forecastsOf(panel, () => 0);
const members = [
  { id: 'rising', kind: 'model' as const, forecasts: rising },
  { id: 'falling', kind: 'model' as const, forecasts: falling },
  { id: 'idle', kind: 'baseline' as const, forecasts: idle },
];
const source: ForecastSource = {
  panel: {
    ...panel,
    exchange: 'binance',
    firstTimeMs: 0,
    untilMs: range.untilMs,
    synthetic: true,
    fingerprint: 'x',
    manifests: [],
    inputs: [],
    lengths: [],
    doubts: [],
  },
  range,
  decisions: [],
  ensemble: panel.series.map((_, s) => forecastEnsemble([rising[s], falling[s]])),
  members,
  trainedBy: 'a test',
  untrained: [],
  positionsOnly: ['idle'],
  voters: ['rising', 'falling'],
  weights: {},
  otherSeeds: [],
  memberSeeds: {},
  explanations: [],
  warnings: [],
};
const instruments = panel.series.map(({ symbol }) => ({
  symbol,
  amountStep: 0,
  priceTick: 0,
  minNotional: 0,
}));
const result = backtest({ ...source, instruments, rules: SPOT_RULES, seed: 1 });
const terms = { strategy: findStrategy('own'), params: {}, cost: 0, allowShort: false };

test('of two voters, the ensemble without one is the other alone', () => {
  const found = contributions(source, result, terms) ?? [];
  const alone = (name: string) => result.members.find(({ strategy }) => strategy.name === name)?.metrics;
  expect(found.map(({ model }) => model)).toEqual(['rising', 'falling']);
  expect(found[0].withoutReturnPct).toBe(alone('falling')?.totalReturnPct);
  expect(found[1].withoutReturnPct).toBe(alone('rising')?.totalReturnPct);
  expect(found[1].withoutSharpe).toBe(alone('rising')?.sharpe);
  expect(found[0].returnPoints).toBe(result.ensemble.metrics.totalReturnPct - found[0].withoutReturnPct);
});

test('one voter alone, or voters of folds, have none', () => {
  expect(contributions({ ...source, voters: ['rising'] }, result, terms)).toBeUndefined();
  expect(contributions({ ...source, folds: [] }, result, terms)).toBeUndefined();
});

test('a fan has what was stated at a close and the return from the next open on', () => {
  const stated = rising.map((one) => ({
    ...one,
    horizonBars: 2,
    quantiles: {
      levels: [0.1, 0.9],
      columns: [one.position.map(() => -0.01), one.position.map((_, row) => row / 1e6)],
    },
  }));
  const [fan, other, ...none] = forecastFans(
    { panel: source.panel, range, members: [{ ...members[0], forecasts: stated }, members[1]] },
    100,
  );
  expect(none).toEqual([]);
  expect([fan.symbol, other.symbol]).toEqual(['BTC/USDT', 'ETH/USDT']);
  expect(fan.time.length).toBeLessThanOrEqual(100);
  const { open, time } = panel.series[0].candles;
  for (const i of [0, 7, fan.time.length - 1]) {
    const row = time.indexOf(fan.time[i]);
    expect(fan.quantilesPct.map((column) => column[i])).toEqual([-1, 100 * (row / 1e6)]);
    // From the open after the close at which it was stated to the open two bars later.
    expect(fan.outcomePct[i]).toBeCloseTo(100 * (open[row + 3] / open[row + 1] - 1), 10);
  }
  expect(fan.time[0]).toBe(range.fromMs);
});
