import { expect, test } from 'vitest';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { backtest } from '../../../src/lab/backtest/backtest.ts';
import { heldAlone } from '../../../src/lab/backtest/held-alone.ts';
import { forecastsOf, HOUR_MS, randomPanel } from './panel-of.ts';

const panel = randomPanel(300, 6);
const run = (series: typeof panel.series) =>
  backtest({
    panel: { ...panel, series },
    range: { fromMs: 0, untilMs: 300 * HOUR_MS },
    ensemble: forecastsOf({ ...panel, series }, () => 0),
    members: [],
    instruments: series.map(({ symbol }) => ({ symbol, amountStep: 0, priceTick: 0, minNotional: 0 })),
    rules: { ...SPOT_RULES, feeBps: 10, slippageBps: 5, stopLossPct: 1 },
    seed: 1,
  });

test('a symbol held alone earns what its price did, from the second open on, less one entry', () => {
  const found = heldAlone(run(panel.series));
  expect(found.map(({ strategy }) => strategy.name)).toEqual(['hold BTC/USDT', 'hold ETH/USDT']);
  found.forEach(({ metrics, run: { trades } }, s) => {
    const { open, close } = panel.series[s].candles;
    // 5 bp worse than the open, and a fee of 10 bp on what was bought.
    const growth = close[299] / (open[1] * 1.0005) / 1.001;
    expect(metrics.totalReturnPct).toBeCloseTo(100 * (growth - 1), 1);
    // The stop of the strategy is none of holding.
    expect(trades).toEqual([]);
  });
});

test('of one symbol, buy and hold is all there is', () => {
  expect(heldAlone(run(panel.series.slice(0, 1)))).toEqual([]);
});
