import { expect, it } from 'vitest';
import { forwardReturns } from '../../../src/core/dataset/labels.ts';
import type { FitTask, Model } from '../../../src/core/forecast/model.ts';
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

/** Remembers which way the next bar went for each value of its feature on every bar of `shown`, and says so again. */
const memoriser = (shown: (task: FitTask<unknown>) => Panel): Model => ({
  ...model,
  id: 'memoriser',
  fit: async (task) => {
    const known = new Map<number, boolean>();
    for (const { candles, features } of shown(task).series) {
      const returns = forwardReturns(candles, '1h', 1);
      returns.forEach((value, row) => {
        if (Number.isFinite(value)) known.set(features.columns[0][row], value > 0);
      });
    }
    return {
      report: {},
      forecast: async (panel) =>
        panel.series.map(({ symbol, features }) => {
          const probabilityUp = Float64Array.from(features.columns[0], (value) => {
            const up = known.get(value);
            return up === undefined ? 0.5 : up ? 0.9 : 0.1;
          });
          return {
            symbol,
            horizonBars: 1,
            position: probabilityUp,
            confidence: probabilityUp,
            probabilityUp,
          };
        }),
      save: () => ({ json: {}, blobs: {} }),
    };
  },
});

it('selects nothing by labels that a model learned by heart, for it is shown none of those it is judged on', async () => {
  const noise = plantedPanel(1500);
  const onlyNoise = {
    ...noise,
    series: noise.series.map((one) => ({ ...one, features: oneColumn(one, 2) })),
  };
  const by = (chosen: Model) =>
    selectFeatures({
      panel: onlyNoise,
      names: ['noise'],
      model: chosen,
      params: (features) => ({ features }),
      horizonBars: 1,
      folds: 4,
      repeats: 2,
      sameAbove: 0.7,
      validationPct: 10,
      seed: 1,
      signal: new AbortController().signal,
      onProgress: () => {},
    });
  const honest = await by(memoriser(({ panel }) => panel));
  expect(honest.clusters.map(({ selected }) => selected)).toEqual([false]);
  expect(honest.logLoss).toBeCloseTo(Math.log(2), 9);
  // The control: one that peeks at all bars stands out at once.
  const peeking = await by(memoriser(() => onlyNoise));
  expect(peeking.clusters.map(({ selected }) => selected)).toEqual([true]);
  expect(peeking.logLoss).toBeLessThan(0.2);
});

const oneColumn = ({ features }: Panel['series'][number], i: number) => ({
  names: [features.names[i]],
  columns: [features.columns[i]],
});
