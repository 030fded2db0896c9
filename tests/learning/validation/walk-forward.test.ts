import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { walkForward } from '../../../src/learning/validation/walk-forward.ts';
import { walkForwardFolds } from '../../../src/core/dataset/splits.ts';
import { UserError } from '../../../src/core/foundation/errors.ts';
import type { FitTask, Model } from '../../../src/core/forecast/model.ts';
import { HOUR_MS, randomPanel } from '../../lab/backtest/panel-of.ts';

interface Look {
  readonly lastBarMs: number;
  readonly trainUntilMs: number;
}

/** A model that notes what it was shown and holds the number of the fold as its position. */
function witness(looks: Look[], fit?: (task: FitTask<unknown>) => void): Model {
  return {
    id: 'witness',
    summary: '',
    kind: 'classical',
    source: '',
    params: z.unknown(),
    features: () => [],
    fit: async (task) => {
      fit?.(task);
      const { time } = task.panel.series[0].candles;
      looks.push({ lastBarMs: time[time.length - 1], trainUntilMs: task.trainUntilMs });
      const position = looks.length / 10;
      return {
        report: {},
        forecast: async (panel) =>
          panel.series.map(({ symbol, candles }) => ({
            symbol,
            horizonBars: 1,
            position: candles.time.map(() => position),
            confidence: candles.time.map(() => 1),
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
const task = (model: Model, signal = new AbortController().signal) => ({
  panel,
  entries: [{ model, params: undefined }],
  folds,
  validationPct: 10,
  seed: 1,
  signal,
  onFold: () => {},
});

describe('walking forward', () => {
  test('no fit is shown a bar of its fold, nor of the embargo before it', async () => {
    const looks: Look[] = [];
    await walkForward(task(witness(looks)));
    expect(looks.map(({ lastBarMs }) => lastBarMs / HOUR_MS)).toEqual([575, 675, 775, 875]);
    for (const { trainUntilMs, lastBarMs } of looks) expect(trainUntilMs).toBeLessThan(lastBarMs);
  });

  test('each bar is forecast by the model of its own fold, and bars before the first fold by none', async () => {
    const { members } = await walkForward(task(witness([])));
    const { position } = members[0].forecasts[0];
    expect(position.subarray(0, 600).every(Number.isNaN)).toBe(true);
    expect([600, 699, 700, 799, 800, 899, 900, 999].map((row) => position[row])).toEqual([
      0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 0.4, 0.4,
    ]);
  });

  test('a model that cannot learn is left out with its reason, and stops the run when it was the only one', async () => {
    const stubborn: Model = {
      ...witness([], () => {
        throw new UserError('Too few bars.', { hint: '' });
      }),
      id: 'stubborn',
    };
    const both = {
      ...task(witness([])),
      entries: [stubborn, witness([])].map((model) => ({ model, params: undefined })),
    };
    const { members, skipped } = await walkForward(both);
    expect(members.map(({ model }) => model.id)).toEqual(['witness']);
    expect(skipped).toEqual([{ id: 'stubborn', reason: 'Too few bars.' }]);
    await expect(walkForward(task(stubborn))).rejects.toMatchObject({
      message: 'No model could be trained in every fold.',
      hint: 'stubborn: Too few bars.',
    });
  });

  test('stops between folds when it is told to', async () => {
    const stop = new AbortController();
    const looks: Look[] = [];
    const model = witness(looks, () => stop.abort(new Error('stopped')));
    await expect(walkForward(task(model, stop.signal))).rejects.toThrow('stopped');
    expect(looks).toHaveLength(1);
  });
});
