import { expect, it } from 'vitest';
import type { Panel } from '../../../src/core/dataset/panel.ts';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';
import { emptyCandles } from '../../../src/core/market/candles.ts';
import { builtIn } from '../../../src/learning/models/registry.ts';
import { selectFeatures } from '../../../src/learning/validation/select-features.ts';
import { modelParams } from '../../../src/learning/training/plan.ts';

const HOUR = 3_600_000;
const NAMES = ['signal', 'echo', 'noise', 'weekly'];

/** Prices of which `signal` knows half of the next bar's move; `echo` is the signal again; the others know nothing. */
function plantedPanel(rows: number): Panel {
  const random = createRandom(3);
  const candles = emptyCandles(rows);
  const columns = NAMES.map(() => new Float64Array(rows));
  const moves = Float64Array.from({ length: rows + 2 }, () => 0.01 * normal(random));
  let price = 100;
  for (let row = 0; row < rows; row++) {
    candles.time[row] = row * HOUR;
    candles.open[row] = price;
    price *= Math.exp(moves[row]);
    candles.close[row] = price;
    candles.high[row] = Math.max(candles.open[row], price);
    candles.low[row] = Math.min(candles.open[row], price);
    candles.volume[row] = 1;
    columns[0][row] = moves[row + 1] + 0.01 * normal(random);
    columns[1][row] = Math.exp(columns[0][row]);
    columns[2][row] = normal(random);
    columns[3][row] = Math.sin(row / 24);
  }
  return { timeframe: '1h', series: [{ symbol: 'BTC/USDT', candles, features: { names: NAMES, columns } }] };
}

const model = builtIn.findModel('logistic');
const select = (panel: Panel) =>
  selectFeatures({
    panel,
    names: NAMES,
    model,
    params: (features) => modelParams(model, 'full', { features, horizonBars: 1 }),
    horizonBars: 1,
    folds: 4,
    repeats: 2,
    sameAbove: 0.7,
    validationPct: 10,
    seed: 1,
    signal: new AbortController().signal,
    onProgress: () => {},
  });

it('selects the planted signal once, not its echo, and nothing that carries no information', async () => {
  const { clusters, logLoss, baseRateLogLoss, folds } = await select(plantedPanel(3000));
  const [first, ...others] = clusters;
  expect([first.members, first.selected, first.stability]).toEqual([['signal', 'echo'], true, 1]);
  expect(first.interval?.low).toBeGreaterThan(0.02);
  expect(others.map(({ selected }) => selected)).toEqual([false, false]);
  expect(logLoss).toBeLessThan(baseRateLogLoss);
  // Between the bars that a fold is learned from and those that it is judged on: the embargo of one label.
  for (const { train, test } of folds) expect(test.fromMs - train.untilMs).toBe(HOUR);
});

it('gives the same figures for the same seed', async () => {
  const panel = plantedPanel(1500);
  const again = await select(panel);
  expect(await select(panel)).toEqual(again);
});
