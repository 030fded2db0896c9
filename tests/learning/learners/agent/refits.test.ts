import { describe, expect, it } from 'vitest';
import { forwardReturns } from '../../../../src/core/dataset/labels.ts';
import { type Panel, panelUntil, selectFeatures } from '../../../../src/core/dataset/panel.ts';
import type { Candles } from '../../../../src/core/market/candles.ts';
import { computeFeatures } from '../../../../src/core/features/catalogue.ts';
import { agentFeatures, fitRefits, withForecasts } from '../../../../src/learning/learners/agent/refits.ts';
import { boostedTrees } from '../../../../src/learning/models/boosted-trees/index.ts';
import { forecasters } from '../../../../src/learning/models/forecasters.ts';
import { ppo } from '../../../../src/learning/models/ppo/index.ts';
import { PpoAgentParams } from '../../../../src/learning/models/ppo/params.ts';
import { randomPanel } from '../../../core/environments/random-panel.ts';

const HOUR_MS = 3_600_000;
const ROWS = 2000;
const TRAIN_ROWS = 1500;
const SHORT_WALK = PpoAgentParams.parse({
  features: ['return_1'],
  forecasts: ['boosted-trees'],
  forecastRefits: 2,
  totalTimesteps: 512,
  nSteps: 64,
  batchSize: 64,
  windowBars: 50,
  netArch: [8],
  evaluations: 1,
});

/** Prices that go up and down every eight bars. */
function swinging(candles: Candles): Candles {
  const close = candles.close.map((_, t) => 100 * Math.exp(0.02 * Math.sin((Math.PI * t) / 4)));
  const open = close.map((value, t) => (t === 0 ? value : close[t - 1]));
  const beyond = (pick: (...values: number[]) => number, by: number): Float64Array =>
    close.map((value, t) => pick(value, open[t]) * by);
  return { ...candles, open, close, high: beyond(Math.max, 1.001), low: beyond(Math.min, 0.999) };
}

/** Random walks, or what `made` makes of them, with the features that agents of `params` ask for. */
function walks(params: PpoAgentParams, made = (candles: Candles): Candles => candles): Panel {
  const { timeframe, series: given } = randomPanel({ rows: ROWS, seed: 5 });
  const series = given.map((one) => ({ ...one, candles: made(one.candles) }));
  const names = agentFeatures(params, forecasters);
  const computed = series.map((one) => ({ ...one, features: computeFeatures(names, one.candles, '1h', {}) }));
  return { timeframe, series: computed };
}

const taskOf = (panel: Panel, params: PpoAgentParams) => ({
  panel,
  params,
  trainUntilMs: TRAIN_ROWS * HOUR_MS,
  seed: 1,
  signal: new AbortController().signal,
  onProgress: () => {},
});

/** What an agent in training sees of the forecasts, of the first symbol. */
async function seenForecasts(panel: Panel, params: PpoAgentParams): Promise<Float64Array> {
  const seen = await withForecasts(panel, params, await fitRefits(taskOf(panel, params), forecasters));
  return Float64Array.from(seen.series[0].features.columns[params.features.length]);
}

function correlation(a: Float64Array, b: Float64Array): number {
  const rows = Array.from(a.keys()).filter((row) => Number.isFinite(a[row]) && Number.isFinite(b[row]));
  const mean = (values: Float64Array): number => rows.reduce((sum, r) => sum + values[r], 0) / rows.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  const product = (x: Float64Array, meanX: number, y: Float64Array, meanY: number): number =>
    rows.reduce((sum, r) => sum + (x[r] - meanX) * (y[r] - meanY), 0);
  return product(a, meanA, b, meanB) / Math.sqrt(product(a, meanA, a, meanA) * product(b, meanB, b, meanB));
}

describe('forecasts in the state of an agent', () => {
  it('know nothing of the bars they are for, where a model fitted on those bars does', async () => {
    const panel = walks(SHORT_WALK);
    const { candles } = panel.series[0];
    const horizonBars = 4;
    const returns = forwardReturns(candles, '1h', horizonBars).fill(NaN, TRAIN_ROWS - horizonBars - 1);
    const own = selectFeatures(panel, boostedTrees.features(boostedTrees.params.parse({})));
    const fitted = await boostedTrees.fit({
      ...taskOf(panelUntil(own, TRAIN_ROWS * HOUR_MS), SHORT_WALK),
      params: boostedTrees.params.parse({}),
    });
    const [{ expectedReturn = new Float64Array() }] = await fitted.forecast(own);
    expect(correlation(expectedReturn, returns)).toBeGreaterThan(0.3);
    // 1000 returns of four bars each overlap: 250 independent ones, one deviation is 1 / sqrt(250) = 0.063.
    expect(Math.abs(correlation(await seenForecasts(panel, SHORT_WALK), returns))).toBeLessThan(0.19);
  });

  it('stay the same to the bit when every later bar changes', async () => {
    const panel = walks(SHORT_WALK);
    const cut = 1100;
    const changed = { ...panel, series: panel.series.map((one) => spoiltFrom(one, cut)) };
    const before = await seenForecasts(panel, SHORT_WALK);
    const after = await seenForecasts(changed, SHORT_WALK);
    expect(after.slice(0, cut)).toEqual(before.slice(0, cut));
    expect(after.slice(cut, ROWS)).not.toEqual(before.slice(cut, ROWS));
    // Two refits, so the first third of the 1500 training bars has no forecast, and every later bar has one.
    expect(before.slice(0, 500).every(Number.isNaN)).toBe(true);
    expect(before.slice(500).every(Number.isFinite)).toBe(true);
  });

  it('are the same after saving and loading, on the panel and on any shorter one', async () => {
    const panel = walks(SHORT_WALK);
    const model = await ppo.fit(taskOf(panel, SHORT_WALK));
    const loaded = await ppo.load(model.save());
    const [whole] = await model.forecast(panel);
    expect((await loaded.forecast(panel))[0]).toEqual(whole);
    const [cut] = await loaded.forecast(panelUntil(panel, 1200 * HOUR_MS));
    expect(cut.position).toEqual(whole.position.slice(0, 1200));
    expect(loaded.report.observation).toContain('boosted-trees.forecast');
  });

  it('of a network are out of sample too: each goes on from the weights before, and sees no later bar', async () => {
    const params = {
      ...SHORT_WALK,
      forecasts: ['lstm-cnn'],
      forecastParams: {
        'lstm-cnn': {
          lookBack: 8,
          hidden: 4,
          layers: 1,
          channels: [4],
          epochs: 3,
          windowsPerEpoch: 512,
          horizonBars: 2,
        },
      },
    };
    const panel = walks(params, swinging);
    const cut = 1100;
    const changed = { ...panel, series: panel.series.map((one) => spoiltFrom(one, cut)) };
    const [before, after] = [await seenForecasts(panel, params), await seenForecasts(changed, params)];
    expect(after.slice(0, cut)).toEqual(before.slice(0, cut));
    expect(after.slice(cut)).not.toEqual(before.slice(cut));
    expect(before.slice(0, 500).every(Number.isNaN)).toBe(true);
    // Of prices that can be foreseen it says something, and of random walks nothing: its slope is then 0.
    expect(new Set(before.slice(500, 1000).map((value) => Math.round(100 * value))).size).toBeGreaterThan(2);
    const { all } = await fitRefits(taskOf(panel, params), forecasters);
    // A third of three passes, where the first refit made all of them.
    expect(all.map(({ fitted: { report } }) => report.validationLosses)).toEqual(
      [3, 1, 1].map((length) => expect.objectContaining({ length }) as unknown),
    );
    const model = await ppo.fit(taskOf(panel, params));
    const [whole] = await (await ppo.load(model.save())).forecast(panel);
    expect(whole).toEqual((await model.forecast(panel))[0]);
    expect(model.report.observation).toContain('lstm-cnn.forecast');
  });

  it('take parameters of their own, which are checked', () => {
    const params = { ...SHORT_WALK, forecasts: ['ridge'], forecastParams: { ridge: { alphas: 3 } } };
    expect(() => agentFeatures(params, forecasters)).toThrow('whose forecasts an agent sees, are not valid');
  });

  it('are left out by name where a model cannot learn from the bars', async () => {
    const params = { ...SHORT_WALK, forecasts: ['mean-reversion', 'ridge'] };
    const { timeframe, series } = walks(params);
    const alone = { timeframe, series: series.slice(0, 1) };
    const model = await ppo.fit(taskOf(alone, params));
    expect(model.absent).toEqual([
      { name: 'the forecasts of mean-reversion', reason: expect.stringContaining('two symbols') as string },
    ]);
    expect(model.report.observation).toEqual(expect.arrayContaining(['return_1', 'ridge.forecast']));
    expect(model.report.observation).not.toContain('mean-reversion.forecast');
  });

  it('belong to the layout: an agent refuses a checkpoint with those of other models', async () => {
    const panel = walks({ ...SHORT_WALK, forecasts: ['ridge', 'logistic'] });
    const own = selectFeatures(panel, agentFeatures({ ...SHORT_WALK, forecasts: ['ridge'] }, forecasters));
    const trained = async (id: string) =>
      (await ppo.fit(taskOf(own, { ...SHORT_WALK, forecasts: [id] }))).save();
    const [ridge, logistic] = [await trained('ridge'), await trained('logistic')];
    const swapped = { ...jsonOf(ridge), refits: jsonOf(logistic).refits };
    const mixed = await ppo.load({ json: swapped, blobs: ridge.blobs });
    await expect(mixed.forecast(own)).rejects.toThrow('was trained to see "return_1, ridge.forecast');
  });
});

const jsonOf = ({ json }: { readonly json: unknown }): Record<string, unknown> => ({
  ...Object.fromEntries(Object.entries(Object(json) as object)),
});

/** The series with other prices and features from `row` on. */
function spoiltFrom(one: Panel['series'][number], row: number): Panel['series'][number] {
  const spoil = (column: Float64Array): Float64Array =>
    column.map((value, at) => (at < row ? value : value * (1.3 + 0.2 * Math.sin(at))));
  const { time, open, high, low, close, volume } = one.candles;
  const candles = {
    ...one.candles,
    time,
    open: spoil(open),
    high: spoil(high),
    low: spoil(low),
    close: spoil(close),
    volume,
  };
  return {
    ...one,
    candles,
    features: {
      ...one.features,
      columns: one.features.columns.map((column) => spoil(Float64Array.from(column))),
    },
  };
}
