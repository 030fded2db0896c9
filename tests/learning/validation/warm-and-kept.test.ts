import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { walkForwardFolds } from '../../../src/core/dataset/splits.ts';
import type { Artifact, FitTask, Model } from '../../../src/core/forecast/model.ts';
import { openFoldCache } from '../../../src/learning/validation/fold-cache.ts';
import {
  openFolds,
  walkForward,
  type WalkForwardCost,
} from '../../../src/learning/validation/walk-forward.ts';
import { HOUR_MS, randomPanel } from '../../lab/backtest/panel-of.ts';

/**
 * Counts the epochs it was ever trained for, over all folds before it when it begins from their weights, and states
 * the count as its position.
 */
function counting(fits: FitTask<unknown>[], id = 'counting'): Model {
  return {
    id,
    summary: '',
    kind: 'deep',
    source: '',
    warmStarts: true,
    params: z.unknown(),
    features: () => [],
    fit: async (task) => {
      fits.push(task);
      const before = z.object({ epochs: z.number() }).optional().parse(task.warm?.json);
      const epochs = (before?.epochs ?? 0) + 1;
      const snapshot: Artifact = { json: { epochs }, blobs: { 'state.bin': Uint8Array.of(epochs) } };
      if (task.snapshots?.isDue({ step: 1, epoch: 1, endOfEpoch: true }))
        await task.snapshots.keep(snapshot, { step: 1, epoch: 1 });
      return {
        report: {},
        forecast: async (panel) =>
          panel.series.map(({ symbol, candles }) => ({
            symbol,
            horizonBars: 2,
            position: candles.time.map(() => epochs / 10),
            confidence: candles.time.map(() => 1),
            expectedReturn: candles.time.map(() => epochs),
            quantiles: { levels: [0.1, 0.9], columns: [candles.close, candles.open] },
          })),
        save: () => ({ json: undefined, blobs: {} }),
      };
    },
    load: () => Promise.reject(new Error('not used')),
  };
}

const panel = randomPanel(1000, 3);
const folds = walkForwardFolds({ fromMs: 0, untilMs: 1000 * HOUR_MS }, '1h', {
  folds: 4,
  firstTestMs: 600 * HOUR_MS,
  embargoMs: 24 * HOUR_MS,
});

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'folds-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const task = (model: Model, more: { cold?: boolean; seed?: number; signal?: AbortSignal } = {}) => ({
  panel,
  entries: [{ model, params: {} }],
  folds,
  validationPct: 10,
  seed: 1,
  signal: new AbortController().signal,
  onFold: () => {},
  cache: openFoldCache(folder),
  ...more,
});
const run = async (...args: Parameters<typeof task>) => (await walkForward(task(...args))).members[0];

describe('a walk-forward that is warm', () => {
  test('begins each fold where the one before ended, and each from nothing when it is to be cold', async () => {
    const position = (await run(counting([]))).forecasts[0].position;
    expect([600, 700, 800, 900].map((row) => position[row])).toEqual([0.1, 0.2, 0.3, 0.4]);
    const cold = (await run(counting([]), { cold: true })).forecasts[0].position;
    expect([600, 700, 800, 900].map((row) => cold[row])).toEqual([0.1, 0.1, 0.1, 0.1]);
  });
});

describe('finished folds', () => {
  test('are found again, with every column to the bit', async () => {
    const first = await run(counting([]));
    const fits: FitTask<unknown>[] = [];
    const again = await run(counting(fits));
    expect(fits).toHaveLength(0);
    expect(again.forecasts).toEqual(first.forecasts);
  });

  test('of a run that was stopped are gone on behind, to the same forecasts', async () => {
    const whole = await run(counting([]));
    rmSync(folder, { recursive: true });
    const stop = new AbortController();
    const fits: FitTask<unknown>[] = [];
    const onFold = (_: string, fold: number): void => {
      if (fold === 1) stop.abort(new Error('stopped'));
    };
    const stopped = walkForward({ ...task(counting(fits), { signal: stop.signal }), onFold });
    await expect(stopped).rejects.toThrow('stopped');
    expect(fits).toHaveLength(2);
    const rest: FitTask<unknown>[] = [];
    expect((await run(counting(rest))).forecasts).toEqual(whole.forecasts);
    expect(rest).toHaveLength(2);
  });

  test.each([
    ['another seed', () => run(counting([]), { seed: 2 })],
    ['another model', () => run(counting([], 'other'))],
    ['weights that begin anew', () => run(counting([]), { cold: true })],
    [
      'other parameters',
      () => walkForward({ ...task(counting([])), entries: [{ model: counting([]), params: { a: 1 } }] }),
    ],
    [
      'another file of the plug-in that brings the model',
      () =>
        walkForward({
          ...task(counting([])),
          entries: [{ model: counting([]), params: {}, plugin: 'a'.repeat(64) }],
        }),
    ],
    ['other validation', () => walkForward({ ...task(counting([])), validationPct: 20 })],
  ])('are not found for %s', async (_, other) => {
    await run(counting([]));
    const before = readdirSync(folder).filter((name) => name.endsWith('.forecast')).length;
    await other();
    expect(readdirSync(folder).filter((name) => name.endsWith('.forecast'))).toHaveLength(2 * before);
  });

  test('depend on the bars up to their end, and on none after it', async () => {
    await run(counting([]), { cold: true });
    const close = panel.series[0].candles.close.slice();
    close[850] *= 1.01;
    const [first, second] = panel.series;
    const changed = {
      ...panel,
      series: [{ ...first, candles: { ...first.candles, close } }, second],
    };
    const fits: FitTask<unknown>[] = [];
    await walkForward({ ...task(counting(fits), { cold: true }), panel: changed });
    // Bar 850 lies in the third fold.
    expect(fits.map(({ panel: { series } }) => series[0].candles.time.length)).toEqual([776, 876]);
  });

  test('that are damaged are fitted again', async () => {
    const first = await run(counting([]));
    for (const name of readdirSync(folder)) {
      const bytes = readFileSync(join(folder, name));
      bytes[bytes.length - 1] ^= 1;
      writeFileSync(join(folder, name), bytes);
    }
    const fits: FitTask<unknown>[] = [];
    expect((await run(counting(fits))).forecasts).toEqual(first.forecasts);
    expect(fits).toHaveLength(4);
  });

  test('are counted before anything is fitted', async () => {
    const costs: WalkForwardCost[] = [];
    const onCost = (cost: WalkForwardCost): void => void costs.push(cost);
    const classical: Model = { ...counting([]), kind: 'classical' };
    await walkForward({ ...task(classical), onCost });
    await walkForward({ ...task(classical), onCost });
    expect(costs).toEqual([
      { folds: 4, kept: 0, slow: [], unmeasured: [{ id: 'counting', folds: 4 }] },
      { folds: 4, kept: 4, slow: [], unmeasured: [] },
    ]);
  });
});

describe('folds that are fitted on another machine', () => {
  const other = (): string => mkdtempSync(join(folder, 'other-'));
  const task = (cache: ReturnType<typeof openFoldCache>, fits: FitTask<unknown>[] = []) => ({
    ...{
      panel,
      folds,
      cache,
      validationPct: 10,
      seed: 1,
      signal: new AbortController().signal,
      onFold: () => {},
    },
    entries: [{ model: counting(fits), params: {} }],
  });

  test('are asked for one behind the other, and are the same when they come back', async () => {
    const [here, there] = [openFoldCache(folder), openFoldCache(other())];
    const [asked, fitting] = [openFolds(task(here)), openFolds(task(there))];
    const missing = asked.missing();
    expect(missing.map(({ after }) => missing.findIndex(({ key }) => key === after))).toEqual([-1, 0, 1, 2]);
    for (const { key, after } of missing) {
      await fitting.fit(key);
      expect(await here.take(key, await there.files(key), after)).toBe(true);
    }
    expect(asked.missing()).toEqual([]);
    const fits: FitTask<unknown>[] = [];
    const { members } = await walkForward(task(here, fits));
    const alone = await walkForward(task(openFoldCache(other())));
    expect(fits).toEqual([]);
    expect(members[0].forecasts).toEqual(alone.members[0].forecasts);
    // The weights of the last fold alone are kept.
    expect(readdirSync(folder).filter((name) => name.endsWith('.warm'))).toEqual([`${missing[3].key}.warm`]);
  });

  test('are refused when they are damaged, or of another walk-forward', async () => {
    const [here, there] = [openFoldCache(folder), openFoldCache(other())];
    const [{ key }] = openFolds(task(here)).missing();
    await openFolds(task(there)).fit(key);
    const { forecast, warm } = await there.files(key);
    const damaged = Uint8Array.from(forecast ?? []);
    damaged[damaged.length - 1] ^= 1;
    expect(await here.take(key, { forecast: damaged, warm }, undefined)).toBe(false);
    expect(await here.take(key, { forecast, warm: damaged }, undefined)).toBe(false);
    expect(await here.take(key, { warm }, undefined)).toBe(false);
    expect(here.has(key)).toBe(false);
    await expect(openFolds({ ...task(there), seed: 2 }).fit(key)).rejects.toThrow('No fold here is the one');
  });
});
