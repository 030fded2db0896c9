import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findSnapshot, type SnapshotTask, snapshotKeeper } from '../../../src/learning/training/snapshots.ts';
import { temporaryFolder } from '../../support/folder.ts';

const task: SnapshotTask = {
  ...{ model: 'gru', params: { hidden: 4 }, seed: 1, features: ['rsi'], trainUntilMs: 1 },
  dataFingerprint: '0'.repeat(64),
};
const habits = { everyMinutes: 0, everyEpochs: 1, kept: 2 };

it('is found again on its own device; on another only where it is named', async () => {
  const folder = join(temporaryFolder(), 'snapshots', 'gru');
  const kept: string[] = [];
  const keeper = snapshotKeeper(folder, task, {
    ...{ habits, device: 'cuda', from: undefined },
    onKept: (one) => kept.push(one.folder),
  });
  await keeper.keep({ json: { step: 5 }, blobs: {} }, { step: 5 });
  const own = await findSnapshot(folder, task, { chosen: undefined, device: 'cuda' });
  expect(own).toMatchObject({ step: 5, artifact: { json: { step: 5 } } });
  await expect(findSnapshot(folder, task, { chosen: undefined, device: 'cpu' })).rejects.toThrow(
    '"gru" was trained on cuda so far; cpu, which is used now, gives other digits.',
  );
  expect(await findSnapshot(folder, task, { chosen: kept[0], device: 'cpu' })).toMatchObject({ step: 5 });
});
