import { expect, it } from 'vitest';
import { z } from 'zod';
import { createRandom, normal } from '../../../../src/core/foundation/random.ts';
import { filterVariance } from '../../../../src/learning/models/momentum-garch/garch.ts';
import { momentumGarch } from '../../../../src/learning/models/momentum-garch/index.ts';
import type { FittedModel } from '../../../../src/core/forecast/model.ts';
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

/** A rise with calm and turbulent times. */
const turbulent = panelOf({ 'BTC/USDT': prices(clustered(1500)) });
const LearnedSymbol = z.looseObject({
  calmVariance: z.number(),
  garch: z.object({
    mu: z.number(),
    omega: z.number(),
    alpha: z.number(),
    gamma: z.number(),
    beta: z.number(),
    presample: z.number(),
  }),
});

/** Positions, and the forecast variance beside them, from row 168 on. */
async function sized(params: object) {
  const model = await fit(momentumGarch, turbulent, { trainRows: 1000, params });
  const [{ garch, calmVariance }] = z
    .object({ symbols: z.array(LearnedSymbol) })
    .parse(model.save().json).symbols;
  const { close } = turbulent.series[0].candles;
  const returns = close.map((price, row) => (row === 0 ? NaN : 100 * Math.log(price / close[row - 1])));
  const variances = filterVariance(returns, garch);
  const [{ position }] = await model.forecast(turbulent);
  const rows = Array.from({ length: close.length - 168 }, (_, i) => 168 + i);
  return { calmVariance, rows: rows.map((row) => ({ position: position[row], variance: variances[row] })) };
}

it.each(['garch', 'gjr', 'ewma'])(
  'is flat while the forecast of %s is turbulent, though the trend goes on',
  async (variance) => {
    const { rows, calmVariance } = await sized({ variance, calmQuantile: 0.95 });
    const wild = rows.filter((row) => row.variance > calmVariance);
    expect(wild.length).toBeGreaterThan(50);
    expect(wild.every(({ position }) => position === 0)).toBe(true);
    const unfiltered = await sized({ variance, calmQuantile: 1 });
    const followed = unfiltered.rows.filter((row) => row.variance > calmVariance && row.position > 0);
    expect(followed.length).toBeGreaterThan(10);
  },
);

it('holds what brings its forecast volatility to the target, and never more than everything', async () => {
  const { rows } = await sized({ calmQuantile: 1, sizeStep: 0, targetVolatilityPct: 60 });
  const held = rows.filter(({ position }) => position !== 0);
  expect(held.length).toBeGreaterThan(500);
  // 60 % a year is 60 / root of 8 760 percent an hour.
  for (const { position, variance } of held)
    expect(Math.abs(position)).toBeCloseTo(Math.min(1, 60 / Math.sqrt(8760) / Math.sqrt(variance)), 12);
});

/** Log prices of returns with a drift and the variance of a GARCH process. */
function clustered(rows: number): number[] {
  const random = createRandom(8);
  let [level, h, shock] = [Math.log(100), 1, 0];
  return Array.from({ length: rows }, () => {
    h = 0.05 + 0.15 * shock * shock + 0.8 * h;
    shock = Math.sqrt(h) * normal(random);
    return (level += 0.01 * (0.2 + shock));
  });
}
