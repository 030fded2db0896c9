import { link, mkdir, readdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { UserError } from '../core/foundation/errors.ts';
import { errorCode, explainDiskError, makeFolder } from './files.ts';

export interface Lock {
  release(): Promise<void>;
}

export interface LockOptions {
  /** How long to wait for another living holder before giving up. 0: do not wait. */
  readonly waitMs: number;
  /** What the holder is doing, for the error of those who wait: "writing BTC/USDT 1h". */
  readonly purpose: string;
}

/**
 * A single-writer lock as a file at `path`. A holder that was killed is noticed at once: the file names its
 * process and when that process started, so neither a zombie nor a reused process id keeps the lock.
 * Throws `UserError` when a living process keeps it for longer than `waitMs`.
 */
export async function acquireLock(path: string, options: LockOptions): Promise<Lock> {
  const deadline = Date.now() + options.waitMs;
  makeFolder(dirname(path));
  for (;;) {
    if (await tryCreate(path, options.purpose)) {
      await removeLeftovers(path);
      return { release: () => rm(path, { force: true }) };
    }
    const holder = await readHolder(path);
    if (holder === undefined) continue;
    if (!isAlive(holder)) {
      await removeStale(path);
      continue;
    }
    if (Date.now() >= deadline) {
      throw new UserError(`Process ${holder.pid} is already ${holder.purpose} (lock "${path}").`, {
        hint: 'Wait until it ends or stop it. If no such process runs on any machine that shares this folder, delete the lock file.',
      });
    }
    await sleep(20);
  }
}

/** The living process that holds the lock, without touching it. */
export async function lockHolder(path: string): Promise<{ readonly pid: number } | undefined> {
  const holder = await readHolder(path);
  return holder !== undefined && isAlive(holder) ? { pid: holder.pid } : undefined;
}

/** Runs `work` while holding the lock. */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const lock = await acquireLock(path, options);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

const Holder = z.object({
  pid: z.number().int(),
  host: z.string(),
  startedAt: z.string().optional(),
  purpose: z.string(),
});
type Holder = z.infer<typeof Holder>;

let attempts = 0;

/** Links a complete file into place, so that nobody ever reads a half-written holder. */
async function tryCreate(path: string, purpose: string): Promise<boolean> {
  const { pid } = process;
  const holder: Holder = { pid, host: hostname(), startedAt: processStart(pid)?.startedAt, purpose };
  const own = `${path}.${pid}.${attempts++}.tmp`;
  try {
    await writeFile(own, JSON.stringify(holder));
    await link(own, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw explainDiskError(error, path);
  } finally {
    await rm(own, { force: true });
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return Holder.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw new UserError(`The lock file "${path}" is not one of this program's.`, {
      hint: 'If nothing else is running, delete it.',
      cause: error,
    });
  }
}

/** Only whoever holds the guard folder may remove a dead holder's file, so a fresh lock is never removed. */
async function removeStale(path: string): Promise<void> {
  const guard = `${path}.takeover`;
  try {
    await mkdir(guard);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    const madeMs = await stat(guard).then(
      (found) => found.mtimeMs,
      () => Date.now(),
    );
    if (Date.now() - madeMs > 5_000) await rmdir(guard).catch(() => undefined);
    else await sleep(20);
    return;
  }
  try {
    const holder = await readHolder(path);
    if (holder !== undefined && !isAlive(holder)) await rm(path, { force: true });
  } finally {
    await rmdir(guard).catch(() => undefined);
  }
}

/** Files that a process killed while it was acquiring the lock did not get to remove. */
async function removeLeftovers(path: string): Promise<void> {
  const [folder, name] = [dirname(path), basename(path)];
  for (const entry of await readdir(folder)) {
    if (!entry.startsWith(`${name}.`)) continue;
    const pid = /\.(\d+)\.\d+\.tmp$/.exec(entry)?.[1];
    if (pid !== undefined && !exists(Number(pid))) await rm(join(folder, entry), { force: true });
  }
}

/** A holder on another machine counts as alive: nobody here can know. */
function isAlive(holder: Holder): boolean {
  if (holder.host !== hostname()) return true;
  const found = processStart(holder.pid);
  const reused =
    found !== undefined && holder.startedAt !== undefined && found.startedAt !== holder.startedAt;
  return !reused && exists(holder.pid);
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
  return processStart(pid)?.dead !== true;
}

/** State and start time (clock ticks since boot) of a process, fields 3 and 22 of proc(5); Linux only. */
export function processStart(
  pid: number,
): { readonly dead: boolean; readonly startedAt: string } | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    return { dead: fields[0] === 'Z' || fields[0] === 'X', startedAt: fields[19] };
  } catch {
    return undefined;
  }
}
