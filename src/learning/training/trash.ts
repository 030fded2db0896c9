import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../core/foundation/errors.ts';
import { errorCode, explainDiskError } from '../../data/files.ts';
import { withLock } from '../../data/lock.ts';
import { activeRunId } from './active-run.ts';
import { findRun } from './run-folder.ts';

/** Deleted runs lie here until a person removes the folder. */
export const trashFolder = (checkpointDir: string): string => join(checkpointDir, '.trash');

/**
 * Moves a run out of the way; `restoreRun` brings it back. Throws `UserError` for the active run, for one in training
 * and for a name that a deleted run has already.
 */
export async function deleteRun(checkpointDir: string, name: string): Promise<{ readonly runId: string }> {
  const { runId, path } = await findRun(checkpointDir, name);
  if ((await activeRunId(checkpointDir)) === runId) {
    throw new UserError(`The run "${runId}" is active: signals, backtest and paper use it.`, {
      hint: 'Activate another first: crypto-trader models activate <run>, or crypto-trader models rollback.',
    });
  }
  const lock = { waitMs: 0, purpose: `training ${runId}` };
  // Held while it is looked at only: its file would go along with the folder.
  await withLock(join(path, '.lock'), lock, async () => {});
  await mkdir(trashFolder(checkpointDir), { recursive: true });
  await move(
    path,
    join(trashFolder(checkpointDir), runId),
    `A deleted run "${runId}" is in the trash already.`,
  );
  return { runId };
}

/** Brings a deleted run back under its name. */
export async function restoreRun(checkpointDir: string, runId: string): Promise<void> {
  const deleted = await deletedRuns(checkpointDir);
  if (!deleted.includes(runId)) {
    throw new UserError(`There is no deleted run "${runId}".`, {
      hint: deleted.length === 0 ? 'No run is deleted.' : `Deleted are: ${deleted.join(', ')}.`,
    });
  }
  const from = join(trashFolder(checkpointDir), runId);
  await move(from, join(checkpointDir, runId), `There is a run "${runId}" again.`);
}

/** Names of the deleted runs. */
export async function deletedRuns(checkpointDir: string): Promise<readonly string[]> {
  const entries = await readdir(trashFolder(checkpointDir), { withFileTypes: true }).catch(
    (error: unknown) => {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    },
  );
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
}

async function move(from: string, to: string, taken: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'EEXIST') throw explainDiskError(error, to);
    throw new UserError(taken, { hint: `Move "${to}" away first.`, cause: error });
  }
}
