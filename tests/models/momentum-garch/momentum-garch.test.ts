import { expect, it } from 'vitest';
import { momentumGarch } from '../../../src/models/momentum-garch/index.ts';
import type { FittedModel } from '../../../src/models/model.ts';
import { fit, panelOf, truncated, walk } from '../panels.ts';

const prices = (logs: readonly number[]): number[] => logs.map(Math.exp);
const noise = walk(1500, 3);
const panel = panelOf({
  'BTC/USDT': prices(noise.map((level, i) => level + 0.004 * i)),
  'ETH/USDT': prices(walk(1500, 4).map((level, i) => level - 0.004 * i)),
});

it('is long in a rise and short in a fall, never by more than 1', async () => {
  const model = await fit(momentumGarch, panel, { trainRows: 1000 });
  const [up, down] = await model.forecast(panel);
  const late = (column: Float64Array): number[] => [...column.subarray(300)];
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(mean(late(up.position))).toBeGreaterThan(0.1);
  expect(mean(late(down.position))).toBeLessThan(-0.1);
  for (const value of [...late(up.position), ...late(down.position)])
    expect(Math.abs(value)).toBeLessThanOrEqual(1);
  expect(up.position.subarray(0, 168).every(Number.isNaN)).toBe(true);
  expect(up.position.subarray(168).some(Number.isNaN)).toBe(false);
});

it('learns nothing from bars that close after the end of training', async () => {
  const whole = await fit(momentumGarch, panel, { trainRows: 1000 });
  const cut = await fit(momentumGarch, truncated(panel, 1001), { trainRows: 1000 });
  const learned = (model: FittedModel): unknown =>
    JSON.parse(
      JSON.stringify(model.save().json, (key, value: unknown) => (key === 'qlike' ? undefined : value)),
    );
  expect(learned(whole)).toEqual(learned(cut));
});

it('states quantiles that hold in the training bars', async () => {
  const model = await fit(momentumGarch, panel, { trainRows: 1500, params: { horizonBars: 4 } });
  const [{ quantiles }] = await model.forecast(panel);
  const { open } = panel.series[0].candles;
  let below = 0;
  for (let row = 168; row < 1495; row++)
    if (open[row + 5] / open[row + 1] - 1 <= (quantiles?.columns[0][row] ?? NaN)) below++;
  expect(below / (1495 - 168)).toBeCloseTo(0.1, 1);
});

it('refuses a symbol it was not trained on and too few bars', async () => {
  const model = await fit(momentumGarch, panel, { trainRows: 1000 });
  await expect(model.forecast(panelOf({ 'SOL/USDT': prices(noise) }))).rejects.toThrow(
    'not trained on SOL/USDT',
  );
  await expect(fit(momentumGarch, truncated(panel, 100), { trainRows: 100 })).rejects.toThrow(
    'training bars',
  );
});
