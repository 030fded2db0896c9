import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { acquireLock, withLock } from '../../src/data/lock.ts';
import { temporaryFolder } from '../support/folder.ts';

const MODULE = new URL('../../dist/data/lock.js', import.meta.url).href;

/** Another process that takes the lock and keeps it until it is killed. */
async function holder(path: string) {
  const code = `const { acquireLock } = await import(${JSON.stringify(MODULE)});
    await acquireLock(${JSON.stringify(path)}, { waitMs: 0, purpose: 'testing' });
    process.stdout.write('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

test('a living holder keeps others out, and the error names it', async () => {
  const path = join(temporaryFolder(), '.lock');
  const child = await holder(path);
  await expect(acquireLock(path, { waitMs: 50, purpose: 'writing' })).rejects.toThrow(
    `Process ${child.pid} is already testing`,
  );
});

test('the lock of a process that was killed is taken at once', async () => {
  const path = join(temporaryFolder(), '.lock');
  const child = await holder(path);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(existsSync(path)).toBe(true);
  const lock = await acquireLock(path, { waitMs: 0, purpose: 'writing' });
  await lock.release();
  expect(existsSync(path)).toBe(false);
});

test.skipIf(process.platform !== 'linux')(
  'a reused process id does not keep a lock (Linux only)',
  async () => {
    const path = join(temporaryFolder(), '.lock');
    const other = {
      pid: process.ppid,
      host: (await import('node:os')).hostname(),
      startedAt: '1',
      purpose: 'writing',
    };
    writeFileSync(path, JSON.stringify(other));
    await (await acquireLock(path, { waitMs: 0, purpose: 'writing' })).release();
  },
);

test('many that want the lock have it one after the other', async () => {
  const path = join(temporaryFolder(), '.lock');
  let [inside, most, turns] = [0, 0, 0];
  await Promise.all(
    Array.from({ length: 20 }, () =>
      withLock(path, { waitMs: 20_000, purpose: 'counting' }, async () => {
        most = Math.max(most, ++inside);
        await sleep(2);
        inside--;
        turns++;
      }),
    ),
  );
  expect([most, turns]).toEqual([1, 20]);
});

test('only one of many takes over from a dead holder', async () => {
  const path = join(temporaryFolder(), '.lock');
  const child = await holder(path);
  child.kill('SIGKILL');
  await once(child, 'exit');
  let [inside, most] = [0, 0];
  await Promise.all(
    Array.from({ length: 10 }, () =>
      withLock(path, { waitMs: 20_000, purpose: 'counting' }, async () => {
        most = Math.max(most, ++inside);
        await sleep(1);
        inside--;
      }),
    ),
  );
  expect(most).toBe(1);
});

test('a file that is no lock is not overwritten', async () => {
  const path = join(temporaryFolder(), '.lock');
  writeFileSync(path, 'notes');
  await expect(acquireLock(path, { waitMs: 0, purpose: 'writing' })).rejects.toThrow(
    /is not one of this program's/,
  );
});
