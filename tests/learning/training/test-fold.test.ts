import { expect, it } from 'vitest';
import { createRegistry } from '../../../src/learning/models/registry.ts';
import { ridge } from '../../../src/learning/models/ridge/index.ts';
import { testFold, testFoldScores } from '../../../src/learning/training/test-fold.ts';
import { planRun } from '../../../src/learning/training/plan.ts';
import { finishRun, startRun } from '../../../src/learning/training/train.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { BARS, SETTINGS, START_MS, surroundings, walkStore } from './runs.ts';

const HOUR = 3_600_000;

it('the test fold is the last of the training bars, and no fit that is judged on it is given one of them', async () => {
  const folder = temporaryFolder();
  const store = await walkStore(folder);
  const fits: { readonly trainUntil: number; readonly last: number }[] = [];
  const watched: typeof ridge = {
    ...ridge,
    id: 'watched',
    usesValidation: true,
    fit(task) {
      const last = Math.max(...task.panel.series.map(({ candles: { time } }) => time[time.length - 1]));
      fits.push({ trainUntil: (task.trainUntilMs - START_MS) / HOUR, last: (last - START_MS) / HOUR });
      return ridge.fit(task);
    },
  };
  const registry = createRegistry({ models: [watched] });
  const around = { ...surroundings(folder, store), registry };
  const plan = await planRun(store, { ...SETTINGS, registry, models: ['persistence', 'ridge', 'watched'] });
  const run = await finishRun(await startRun(plan, around), around);
  const { fold } = testFold(plan);
  // 600 bars: 420 to train on, 60 to validate, 120 to test; the fold is as long as the validation and ends where training does.
  const bar = (ms: number): number => (ms - START_MS) / HOUR;
  expect([bar(fold.test.fromMs), bar(fold.test.untilMs)]).toEqual([0.6 * BARS, 0.7 * BARS]);

  const asked: string[] = [];
  const scores = await testFoldScores(run, { ...around, onModel: (id) => asked.push(id) });
  const looking = run.members.filter(({ model }) => model.usesValidation).map(({ id }) => id);
  expect(looking).toContain('watched');
  expect(asked).toEqual(looking);
  expect(Object.keys(scores)).toEqual(looking);
  expect(scores['watched']).toMatchObject({ score: { horizonBars: expect.any(Number) as number } });
  // The run's own fit, then that of the fold: 360 bars, of which the last eighth (60 of 480) is its validation.
  expect(fits).toEqual([
    { trainUntil: 420, last: 479 },
    { trainUntil: 315, last: 359 },
  ]);
  const other = await testFoldScores(run, around);
  expect(other).toEqual(scores);
});

it('a model that cannot be fitted on so few bars is named with its reason', async () => {
  const folder = temporaryFolder();
  const store = await walkStore(folder);
  const gru = { lookBack: 330, epochs: 1, hidden: 2, batchSize: 16, validationWindows: 32 };
  const settings = { ...SETTINGS, models: ['gru'], params: { gru } };
  const around = surroundings(folder, store);
  const run = await finishRun(await startRun(await planRun(store, settings), around), around);
  const scores = await testFoldScores(run, around);
  expect(scores['gru']).toMatchObject({ reason: expect.stringMatching(/windows/) as string });
});
