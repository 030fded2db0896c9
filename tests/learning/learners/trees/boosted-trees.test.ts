import { assert, beforeAll, expect, it } from 'vitest';
import type { Panel } from '../../../../src/core/dataset/panel.ts';
import { computeFeatures } from '../../../../src/core/features/catalogue.ts';
import { createRandom, normal } from '../../../../src/core/foundation/random.ts';
import { explainOnAverage } from '../../../../src/learning/learners/trees/explain.ts';
import { boostedTrees } from '../../../../src/learning/models/boosted-trees/index.ts';
import type { FittedModel } from '../../../../src/core/forecast/model.ts';
import { fit, panelOf, truncated, walk } from '../../models/panels.ts';

const params = { horizonBars: 4, rounds: 40, features: ['return_1', 'return_5', 'rsi_14', 'hour_sin'] };

/** With a trend that turns every 24 bars, so that there is something to learn. */
const panel = ((): Panel => {
  const waves = (seed: number): number[] =>
    walk(1500, seed, 0.003).map((level, i) => Math.exp(level + 0.05 * Math.sin((2 * Math.PI * i) / 48)));
  const bare = panelOf({ 'BTC/USDT': waves(1), 'ETH/USDT': waves(2) });
  return {
    ...bare,
    series: bare.series.map((one) => ({
      ...one,
      features: computeFeatures(params.features, one.candles, '1h'),
    })),
  };
})();

let model: FittedModel;
beforeAll(async () => {
  model = await fit(boostedTrees, panel, { trainRows: 1000, params });
});

it('is right more often than not on bars it has not seen', async () => {
  for (const [i, { probabilityUp, position }] of (await model.forecast(panel)).entries()) {
    const { open } = panel.series[i].candles;
    let right = 0;
    for (let row = 1000; row < 1490; row++)
      if (open[row + 5] > open[row + 1] === (probabilityUp?.[row] ?? NaN) > 0.5) right++;
    expect(right / 490).toBeGreaterThan(0.75);
    expect(position.subarray(1000).some((at) => at > 0)).toBe(true);
    expect(position.subarray(1000).some((at) => at < 0)).toBe(true);
  }
});

it('has no opinion before any feature is known', async () => {
  const [{ position, probabilityUp }] = await model.forecast({
    ...panel,
    series: panel.series.map((one) => ({
      ...one,
      features: { ...one.features, columns: one.features.columns.map((column) => column.map(() => NaN)) },
    })),
  });
  expect(position.every(Number.isNaN)).toBe(true);
  expect(probabilityUp?.every(Number.isNaN)).toBe(true);
});

it('explains its newest forecast by contributions that sum to the log-odds', async () => {
  const [{ probabilityUp }] = await model.forecast(panel);
  const [[part]] = (await model.explain?.(panel)) ?? [[]];
  assert(part.kind === 'importance');
  const [, base, margin] = /from (\S+) without them to (\S+)/.exec(part.title) ?? [];
  const last = probabilityUp?.at(-1) ?? NaN;
  expect(Number(margin)).toBeCloseTo(Math.log(last / (1 - last)), 3);
  expect(part.values.reduce((sum, value) => sum + value, Number(base))).toBeCloseTo(Number(margin), 3);
  // The wave turns every 24 bars: momentum and RSI say most, the hour little.
  const [average, shuffled] = model.explanation ?? [];
  assert(average.kind === 'importance' && shuffled.kind === 'importance');
  expect(average.names.indexOf('hour_sin')).toBeGreaterThan(0);
  expect(shuffled.names.indexOf('hour_sin')).toBeGreaterThan(0);
});

it('finds the loss to rise when what the label rests on is shuffled, and not at all for what no tree reads', async () => {
  const random = createRandom(7);
  const [known, unread] = [1, 2].map(() => Float64Array.from({ length: 4000 }, () => normal(random)));
  const labels = known.map((value) => (value > 0 ? 1 : 0));
  // One tree on `known` > 0 with leaves of +-2: right rows lose ln(1 + e^-2), wrong ones 2 more; half go wrong.
  const tree = {
    feature: Int32Array.of(0, -1, -1),
    threshold: new Float32Array(3),
    missingLeft: Uint8Array.of(1, 0, 0),
    left: Int32Array.of(1, -1, -1),
    right: Int32Array.of(2, -1, -1),
    value: Float64Array.of(0, -2, 2),
    gain: Float64Array.of(1, 0, 0),
    cover: Float64Array.of(1000, 500, 500),
  };
  const [, part] = explainOnAverage(
    { objective: 'binary:logistic', baseScore: 0.5, trees: [tree] },
    { columns: [known, unread], labels },
    { names: ['known', 'unread'], seed: 1 },
  );
  assert(part.kind === 'importance');
  expect(part.names).toEqual(['known', 'unread']);
  expect(part.values[0]).toBeCloseTo(1, 1);
  expect(part.values[1]).toBe(0);
});

it('trains on labels that end before validation only', async () => {
  // One round without early stopping to act on: the bars after the end of training cannot matter.
  const once = { ...params, rounds: 1, entryQuantile: 0 };
  const whole = await fit(boostedTrees, panel, { trainRows: 1000, params: once });
  const cut = await fit(boostedTrees, truncated(panel, 1001), { trainRows: 1000, params: once });
  expect(whole.save().blobs).toEqual(cut.save().blobs);
});

it('stops between rounds when aborted', async () => {
  const abort = new AbortController();
  const rounds: number[] = [];
  const run = fit(boostedTrees, panel, {
    trainRows: 1000,
    params,
    task: {
      signal: abort.signal,
      onProgress: ({ step }) => {
        rounds.push(step);
        if (step === 3) abort.abort(new Error('enough'));
      },
    },
  });
  await expect(run).rejects.toThrow('enough');
  expect(rounds.length).toBe(3);
});

it('refuses too few bars and constraints on what it does not read', async () => {
  await expect(fit(boostedTrees, truncated(panel, 60), { trainRows: 60, params })).rejects.toThrow(
    'labelled training bars',
  );
  const wrong = { ...params, monotone: { rsi_7: 1 } };
  await expect(fit(boostedTrees, panel, { trainRows: 1000, params: wrong })).rejects.toThrow('"rsi_7"');
});
