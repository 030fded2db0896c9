import { expect, test } from 'vitest';
import type { RiskRules } from '../../../src/core/trading/risk/rules.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { backtest } from '../../../src/lab/backtest/backtest.ts';
import { benchmarkText, cashReturnPct, otherBenchmarks } from '../../../src/lab/backtest/benchmarks.ts';
import { forecastsOf, HOUR_MS, randomPanel } from './panel-of.ts';

const panel = randomPanel(300, 6);
const run = (series: typeof panel.series, changes: object = {}) =>
  backtest({
    panel: { ...panel, series },
    range: { fromMs: 0, untilMs: 300 * HOUR_MS },
    ensemble: forecastsOf({ ...panel, series }, () => 0),
    members: [],
    instruments: series.map(({ symbol }) => ({ symbol, amountStep: 0, priceTick: 0, minNotional: 0 })),
    rules: { ...SPOT_RULES, feeBps: 10, slippageBps: 5, stopLossPct: 1 },
    seed: 1,
    ...changes,
  });

test('a symbol held alone earns what its price did, from the second open on, less one entry', () => {
  const none = undefined;
  const limits = {
    maxDailyLossPct: none,
    maxTradePct: none,
    maxOrdersPerMinute: none,
    priceCollarPct: none,
    minBalance: none,
  };
  const risk: RiskRules = { ...limits, maxDrawdownPct: 0.5, protections: [] };
  const found = otherBenchmarks(run(panel.series, { risk })).slice(1);
  expect(found.map(({ strategy }) => strategy.name)).toEqual(['hold BTC/USDT', 'hold ETH/USDT']);
  found.forEach(({ metrics, run: { trades } }, s) => {
    const { open, close } = panel.series[s].candles;
    // 5 bp worse than the open, and a fee of 10 bp on what was bought.
    const growth = close[299] / (open[1] * 1.0005) / 1.001;
    expect(metrics.totalReturnPct).toBeCloseTo(100 * (growth - 1), 1);
    // Neither the stop of the strategy nor its largest drawdown is one of holding.
    expect(trades).toEqual([]);
  });
});

test('of one symbol, buy and hold is all there is', () => {
  expect(otherBenchmarks(run(panel.series.slice(0, 1)))).toEqual([]);
});

test('equal weights are restored at the first open of a month', () => {
  const long = randomPanel(1000, 6);
  const range = { fromMs: 0, untilMs: 1000 * HOUR_MS };
  const free = { panel: long, range, rules: { ...SPOT_RULES, feeBps: 0, slippageBps: 0 } };
  const result = run(long.series, { ...free, ensemble: forecastsOf(long, () => 0) });
  const [rebalanced] = otherBenchmarks(result);
  expect(rebalanced.strategy.name).toBe('equal weight, monthly');
  // Time begins with January 1970: its 744 hours are over at the open of bar 744.
  const growth = (from: number, until: (s: number) => number): number =>
    long.series.reduce((sum, { candles }, s) => sum + until(s) / candles.open[from], 0) / long.series.length;
  const worth =
    growth(1, (s) => long.series[s].candles.open[744]) *
    growth(744, (s) => long.series[s].candles.close[999]);
  expect(rebalanced.metrics.totalReturnPct).toBeCloseTo(100 * (worth - 1), 6);
});

test('cash earns its rate by time, compounded: 5 % a year are .1672 % in 300 hours', () => {
  const result = run(panel.series, { cashRatePct: 5 });
  expect(cashReturnPct(result)).toBeCloseTo(0.16723, 4);
  expect(benchmarkText(result)).toContain('cash at 5 % a year 0.2 %');
  expect(benchmarkText(run(panel.series.slice(0, 1)))).toBe('');
});
