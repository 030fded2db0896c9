import { describe, expect, it } from 'vitest';
import { type Panel, panelUntil } from '../../../../src/core/dataset/panel.ts';
import { graphAttentionModel as model } from '../../../../src/learning/models/graph-attention/index.ts';
import type { FittedModel } from '../../../../src/core/forecast/model.ts';
import { hitRate, labelledUntil, PLANTED_FEATURES, plantedPanel } from './planted.ts';

const [TRAIN, VALIDATE, ROWS] = [1000, 1400, 2000];

/** Each symbol's hint is told to the other one only. */
function crossedPanel(): Panel {
  const { timeframe, series } = plantedPanel(ROWS, { shuffled: false });
  const crossed = series.map((one, s) => {
    const [volatility, noise] = one.features.columns;
    const hint = series[1 - s].features.columns[2];
    return { ...one, features: { ...one.features, columns: [volatility, noise, hint] } };
  });
  return { timeframe, series: crossed };
}

const fit = (panel: Panel): Promise<FittedModel> =>
  model.fit({
    panel: panelUntil(panel, labelledUntil(VALIDATE)),
    params: model.params.parse({
      features: PLANTED_FEATURES,
      lookBack: 4,
      batchSize: 32,
      epochs: 8,
      learningRate: 5e-3,
      horizonBars: 1,
      hidden: 16,
      layers: 1,
      heads: 2,
    }),
    trainUntilMs: labelledUntil(TRAIN),
    seed: 1,
    signal: new AbortController().signal,
    onProgress: () => {},
  });

describe('a graph of two symbols', async () => {
  const panel = crossedPanel();
  const fitted = await fit(panel);

  it('finds what only the other symbol tells', async () => {
    expect(hitRate(panel, await fitted.forecast(panel), VALIDATE).share).toBeGreaterThan(0.7);
  });

  it('shows that each listens to the other', () => {
    const [graph] = fitted.explanation ?? [];
    expect(graph).toMatchObject({ kind: 'matrix', rows: ['BTC/USDT', 'ETH/USDT'] });
    if (graph?.kind !== 'matrix') return;
    graph.values.forEach((row, i) => {
      expect(row[0] + row[1]).toBeCloseTo(100, 1);
      expect(row[1 - i]).toBeGreaterThan(20);
    });
  });

  it('masks a symbol without a window, which then has no forecast, and goes on with the other', async () => {
    const [btc, eth] = panel.series;
    const columns = eth.features.columns.map((column) =>
      column.map((value, row) => (row === 1500 ? NaN : value)),
    );
    const holed = { ...eth, features: { ...eth.features, columns } };
    const [whole] = await fitted.forecast(panel);
    const [first, second] = await fitted.forecast({ ...panel, series: [btc, holed] });
    for (const row of [1500, 1501, 1502, 1503]) {
      expect(second.position[row]).toBeNaN();
      expect(first.probabilityUp?.[row]).toBeGreaterThan(0);
      expect(first.probabilityUp?.[row]).not.toBe(whole.probabilityUp?.[row]);
    }
    for (const row of [1499, 1504]) {
      expect(second.position[row]).not.toBeNaN();
      expect(first.probabilityUp?.[row]).toBe(whole.probabilityUp?.[row]);
    }
  });

  it('refuses one symbol alone, in training and in use', async () => {
    const alone = { ...panel, series: panel.series.slice(0, 1) };
    await expect(fit(alone)).rejects.toThrow(
      'The model reads several symbols together, only BTC/USDT was given.',
    );
    await expect(fitted.forecast(alone)).rejects.toThrow('ETH/USDT is absent.');
  });
});
