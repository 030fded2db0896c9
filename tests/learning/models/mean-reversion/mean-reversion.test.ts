import { expect, it } from 'vitest';
import { z } from 'zod';
import { createRandom, normal } from '../../../../src/core/foundation/random.ts';
import {
  followKalman,
  followLine,
  type Hedge,
} from '../../../../src/learning/models/mean-reversion/hedge.ts';
import { meanReversion } from '../../../../src/learning/models/mean-reversion/index.ts';
import { fit, panelOf, truncated, walk } from '../panels.ts';

const rows = 3000;
const base = walk(rows, 11);

/** ln y = 1.2 ln x + an autoregression with a half-life of about 14 bars. */
function spreadOver(x: readonly number[], seed: number): number[] {
  const random = createRandom(seed);
  let away = 0;
  return x.map((level) => 1.2 * level - 0.9 + (away = 0.95 * away + 0.004 * normal(random)));
}

const paired = panelOf({
  'ETH/USDT': spreadOver(base, 2).map(Math.exp),
  'BTC/USDT': base.map(Math.exp),
});
const unrelated = panelOf({
  'ETH/USDT': walk(rows, 21).map(Math.exp),
  'BTC/USDT': walk(rows, 22).map(Math.exp),
});

it.each(['rolling', 'kalman'])('earns on a spread that returns, hedged %s', async (hedge) => {
  const params = { hedge, windowBars: 300 };
  const model = await fit(meanReversion, paired, { trainRows: 1500, params });
  const forecasts = await model.forecast(paired);
  let earned = 0;
  let held = 0;
  for (const [i, { position }] of forecasts.entries()) {
    const { close } = paired.series[i].candles;
    for (let row = 1500; row < rows - 1; row++) {
      earned += position[row] * (close[row + 1] / close[row] - 1);
      held += Math.abs(position[row]);
    }
  }
  expect(held).toBeGreaterThan(50);
  expect(earned).toBeGreaterThan(0.1);
  const sizes = forecasts[0].position.map((at, row) => Math.abs(at) + Math.abs(forecasts[1].position[row]));
  expect(Math.max(...sizes.filter((size) => !Number.isNaN(size)))).toBeLessThanOrEqual(1 + 1e-12);
});

it('has no opinion on unrelated walks, and says so', async () => {
  const model = await fit(meanReversion, unrelated, { trainRows: 1500 });
  expect(model.report['verdict']).toContain('no pair is cointegrated');
  for (const { position } of await model.forecast(unrelated)) expect(position.every(Number.isNaN)).toBe(true);
});

it('regresses the noisy one on its walk, in whatever order they come, and says whether each is a walk', async () => {
  const swapped = { ...paired, series: paired.series.toReversed() };
  for (const panel of [paired, swapped]) {
    const model = await fit(meanReversion, panel, { trainRows: 1500 });
    const [pair] = z
      .array(
        z.looseObject({
          y: z.string(),
          x: z.string(),
          hedgeRatio: z.number(),
          pValue: z.number(),
          pValueReversed: z.number(),
          unitRootPValues: z.object({ y: z.number(), x: z.number() }),
        }),
      )
      .parse(model.report['pairs']);
    const [y, x] = ['ETH/USDT', 'BTC/USDT'];
    expect(pair.pValue).toBeLessThanOrEqual(pair.pValueReversed);
    // ln ETH = 1.2 ln BTC + noise; the other way round 1 / 1.2.
    expect(pair.hedgeRatio).toBeCloseTo(pair.y === y ? 1.2 : 1 / 1.2, 1);
    expect([pair.y, pair.x].sort()).toEqual([x, y]);
    expect(pair.unitRootPValues.y).toBeGreaterThan(0.05);
    expect(pair.unitRootPValues.x).toBeGreaterThan(0.05);
  }
});

it('names the one of the two that returns to a mean by itself', async () => {
  const random = createRandom(7);
  let level = 0;
  const calm = base.map(() => (level = 0.9 * level + 0.01 * normal(random)));
  const panel = panelOf({ 'ETH/USDT': calm.map(Math.exp), 'BTC/USDT': base.map(Math.exp) });
  const model = await fit(meanReversion, panel, { trainRows: 1500 });
  const [{ y, unitRootPValues }] = z
    .array(z.looseObject({ y: z.string(), unitRootPValues: z.object({ y: z.number(), x: z.number() }) }))
    .parse(model.report['pairs']);
  const [ofEth, ofBtc] = y === 'ETH/USDT' ? (['y', 'x'] as const) : (['x', 'y'] as const);
  expect(unitRootPValues[ofEth]).toBeLessThan(0.001);
  expect(unitRootPValues[ofBtc]).toBeGreaterThan(0.05);
});

it('tests on training bars only', async () => {
  const whole = await fit(meanReversion, paired, { trainRows: 1500 });
  const cut = await fit(meanReversion, truncated(paired, 1500), { trainRows: 1500 });
  expect(whole.save().json).toEqual(cut.save().json);
});

it('refuses a single symbol', async () => {
  const single = { ...paired, series: paired.series.slice(0, 1) };
  await expect(fit(meanReversion, single, { trainRows: 1500 })).rejects.toThrow('two symbols or more');
});

it('uses the past only for the hedge ratio, bit for bit', () => {
  const [y, x] = [Float64Array.from(spreadOver(base, 3)), Float64Array.from(base)];
  for (const cut of [199, 200, 401, 1234]) {
    for (const hedge of [
      (rowsSeen: number) => spreadOf(followLine(200), y.subarray(0, rowsSeen), x.subarray(0, rowsSeen)),
      (rowsSeen: number) =>
        spreadOf(followKalman({ drift: 1e-6, window: 50 }), y.subarray(0, rowsSeen), x.subarray(0, rowsSeen)),
    ]) {
      const [whole, part] = [hedge(rows), hedge(cut)];
      expect([...part.score]).toEqual([...whole.score.subarray(0, cut)]);
      expect([...part.hedgeRatio]).toEqual([...whole.hedgeRatio.subarray(0, cut)]);
    }
  }
});

it('finds the regression of each window', () => {
  const { hedgeRatio, score } = spreadOf(
    followLine(3),
    Float64Array.of(1, 3, 5, 8),
    Float64Array.of(0, 1, 2, 3),
  );
  // By hand: y = 2x + 1 exactly, then (1,3) (2,5) (3,8): slope 2.5, residuals 1/6, -1/3, 1/6.
  expect(hedgeRatio[2]).toBeCloseTo(2, 12);
  expect(hedgeRatio[3]).toBeCloseTo(2.5, 12);
  expect(score[3]).toBeCloseTo(1 / 6 / Math.sqrt(1 / 36 + 1 / 9 + 1 / 36), 10);
});

it('follows a hedge ratio that moves', () => {
  // Far-moving, centred x: the slope and not the intercept has to explain the change.
  const x = Float64Array.from(walk(rows, 31, 0.5), (level) => level - Math.log(100));
  const y = x.map((level, row) => (row < 1500 ? 1 : 1.5) * level);
  const { hedgeRatio } = spreadOf(followKalman({ drift: 1e-4, window: 50 }), y, x);
  expect(hedgeRatio[1499]).toBeCloseTo(1, 1);
  expect(hedgeRatio[rows - 1]).toBeCloseTo(1.5, 1);
});

function spreadOf(hedge: Hedge, y: Float64Array, x: Float64Array) {
  const [hedgeRatio, score] = [new Float64Array(y.length), new Float64Array(y.length)];
  for (let row = 0; row < y.length; row++) {
    hedge.push(y[row], x[row]);
    hedgeRatio[row] = hedge.hedgeRatio;
    score[row] = hedge.score;
  }
  return { hedgeRatio, score };
}
