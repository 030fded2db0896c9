import { expect, it } from 'vitest';
import { computeFeatures } from '../../../../src/core/features/catalogue.ts';
import { randomForest } from '../../../../src/learning/models/random-forest/index.ts';
import { fit, panelOf, walk } from '../../models/panels.ts';

const features = ['return_1', 'return_5', 'rsi_14'];
const prices = walk(1500, 1, 0.003).map((level, i) =>
  Math.exp(level + 0.05 * Math.sin((2 * Math.PI * i) / 48)),
);
const bare = panelOf({ 'BTC/USDT': prices });
const panel = {
  ...bare,
  series: bare.series.map((one) => ({ ...one, features: computeFeatures(features, one.candles, '1h') })),
};

it('learns a wave, and its probabilities are shares of rises', async () => {
  const model = await fit(randomForest, panel, {
    trainRows: 1000,
    params: { features, horizonBars: 4, trees: 40 },
  });
  const [{ probabilityUp }] = await model.forecast(panel);
  const { open } = panel.series[0].candles;
  let right = 0;
  for (let row = 1000; row < 1490; row++) {
    const probability = probabilityUp?.[row] ?? NaN;
    expect(probability).toBeGreaterThanOrEqual(0);
    expect(probability).toBeLessThanOrEqual(1);
    if (open[row + 5] > open[row + 1] === probability > 0.5) right++;
  }
  expect(right / 490).toBeGreaterThan(0.75);
});

it('is the share of rises of all rows when no leaf may split', async () => {
  const params = { features, horizonBars: 4, trees: 3, rowShare: 1, minLeaf: 990 };
  const model = await fit(randomForest, panel, { trainRows: 1000, params });
  const { open } = panel.series[0].candles;
  // Labels of rows 1 to 995 end at or before row 1000; row 0 has no feature yet.
  let rises = 0;
  for (let row = 1; row <= 995; row++) if (open[row + 5] > open[row + 1]) rises++;
  const [{ probabilityUp }] = await model.forecast(panel);
  expect(probabilityUp?.[500]).toBeCloseTo(rises / 995, 4);
});
