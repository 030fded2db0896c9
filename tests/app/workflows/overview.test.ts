import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectStanding } from '../../../src/app/workflows/overview.ts';
import { acquireLock } from '../../../src/data/lock.ts';
import { planRun } from '../../../src/learning/training/plan.ts';
import { startRun } from '../../../src/learning/training/train.ts';
import { SETTINGS, surroundings, walkStore } from '../../learning/training/runs.ts';
import { temporaryFolder } from '../../support/folder.ts';

it('a run that a process trains is not one that was stopped', async () => {
  const folder = temporaryFolder();
  const store = await walkStore(folder);
  const around = surroundings(folder, store);
  const run = await startRun(await planRun(store, SETTINGS), around);
  const why = async (): Promise<string> => {
    const { next } = await projectStanding({
      settingsFile: join(folder, 'config.yaml'),
      exchange: 'binance',
      timeframe: '1h',
      symbols: SETTINGS.symbols,
      dataDir: join(folder, 'data'),
      checkpointDir: around.checkpointDir,
      store,
      nowMs: Date.now(),
    });
    return next.why;
  };
  expect(await why()).toBe(`The run ${run.runId} was stopped.`);
  const lock = await acquireLock(join(run.path, '.lock'), { waitMs: 0, purpose: 'training' });
  expect(await why()).toBe(`The run ${run.runId} is being trained.`);
  await lock.release();
  expect(await why()).toBe(`The run ${run.runId} was stopped.`);
});
