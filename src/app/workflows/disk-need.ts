import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { listRuns } from '../../learning/training/run-folder.ts';

/** Free for this user on the disk of a folder, or of this one while it does not exist. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder).catch(() => statfs('.'));
  return bavail * bsize;
}

/** What is free where runs are kept, and what the newest finished one takes. */
export async function diskNeed(checkpointDir: string): Promise<string> {
  const [free, runs] = await Promise.all([freeBytes(checkpointDir), listRuns(checkpointDir)]);
  const newest = runs.findLast(({ result }) => result !== undefined);
  const before =
    newest === undefined
      ? ''
      : `; run ${newest.runId} takes ${((await bytesOf(newest.path)) / 1e6).toFixed(1)} MB, and while a network is trained its snapshots`;
  return `Disk: ${(free / 1e9).toFixed(1)} GB free for ${checkpointDir}/${before}.`;
}

async function bytesOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(({ parentPath, name }) =>
      stat(join(parentPath, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
