import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/core/foundation/errors.ts';
import type { Disk } from '../../../src/data/files.ts';
import { type PaperSession, resumeSession, startSession } from '../../../src/desk/paper/session.ts';
import { type DiskFault, failingDisk } from '../../support/failing-disk.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { randomWalk, session, steps } from './walk.ts';

const BARS = 7;
const SNAPSHOT_EVERY_BARS = 3;
const all = steps(randomWalk(BARS, 3));
const options = (disk?: Disk) => ({
  snapshotEveryBars: SNAPSHOT_EVERY_BARS,
  ...(disk === undefined ? {} : { disk }),
});
const ledgerOf = (folder: string): string => readFileSync(join(folder, 'ledger.jsonl'), 'utf8');

/** One life of a session: opened, given every bar, closed as the program closes it, whatever happens. */
async function live(folder: string, disk?: Disk): Promise<PaperSession> {
  const running =
    (await resumeSession(folder, options(disk))) ?? (await startSession(folder, session, options(disk)));
  try {
    for (const { bar, decision } of all) await running.process(bar, decision, bar.timeMs);
  } finally {
    await running.close();
  }
  return running;
}

/** Fresh folders, and what a session leaves and does on a healthy disk. */
async function healthy() {
  const root = temporaryFolder();
  let folders = 0;
  const newFolder = (): string => join(root, String(folders++));
  const folder = newFolder();
  const { disk, operations } = failingDisk(undefined, { kind: 'short-write' }, false);
  await live(folder, disk);
  return { newFolder, expected: ledgerOf(folder), operations: operations() };
}

describe('a session whose disk fails at one operation', { timeout: 240_000 }, () => {
  it('writes, syncs and renames often enough to be worth the name', async () => {
    // First line: written, synced, renamed, its folder synced; each bar: written, synced; 3 snapshots as the first line.
    expect((await healthy()).operations).toBe(4 + 2 * BARS + 3 * 4);
  });

  const cases: readonly { readonly fault: DiskFault; readonly forGood: boolean }[] = [
    { fault: { kind: 'refuses', code: 'EIO' }, forGood: false },
    { fault: { kind: 'refuses', code: 'ENOSPC' }, forGood: true },
    { fault: { kind: 'does-and-refuses', code: 'EIO' }, forGood: false },
    { fault: { kind: 'does-and-refuses', code: 'EIO' }, forGood: true },
    { fault: { kind: 'stores-half', code: 'EFBIG' }, forGood: false },
    { fault: { kind: 'stores-half', code: 'ENOSPC' }, forGood: true },
  ];
  it.each(cases)(
    '$fault, for good: $forGood: says so, saves nothing of it and loses nothing',
    async (one) => {
      const { newFolder, expected, operations } = await healthy();
      for (let failing = 0; failing < operations; failing++) {
        const folder = newFolder();
        const { disk } = failingDisk(failing, one.fault, one.forGood);
        await expect(live(folder, disk), `operation ${failing}`).rejects.toBeInstanceOf(UserError);
        const again = await live(folder);
        expect(ledgerOf(folder), `operation ${failing}`).toBe(expected);
        expect(again.account.equity()).toBe(again.last?.equity);
        expect(readdirSync(folder).toSorted()).toEqual(['ledger.jsonl', 'snapshot.json']);
        // What the last life saved is what a replay from the first bar gives.
        const fromSnapshot = await resumeSession(folder, options());
        const bare = newFolder();
        mkdirSync(bare);
        copyFileSync(join(folder, 'ledger.jsonl'), join(bare, 'ledger.jsonl'));
        const fromStart = await resumeSession(bare, options());
        expect(fromSnapshot?.recovery.barsReplayed).toBe(0);
        expect(fromStart?.recovery.barsReplayed).toBe(BARS);
        expect(fromSnapshot?.account.snapshot()).toEqual(fromStart?.account.snapshot());
        await fromSnapshot?.close();
        await fromStart?.close();
      }
    },
  );

  it('goes on with the rest after a short write', async () => {
    const { newFolder, expected, operations } = await healthy();
    for (let failing = 0; failing < operations; failing++) {
      const folder = newFolder();
      await live(folder, failingDisk(failing, { kind: 'short-write' }, false).disk);
      expect(ledgerOf(folder)).toBe(expected);
    }
  });
});
