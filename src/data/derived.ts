import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../core/foundation/errors.ts';
import { errorCode } from './files.ts';
import { readPlainFile } from './plain-file.ts';

/**
 * What can be worked out again, kept so that it need not be: one file a name below `<data folder>/cache/<kind>`. Nothing here is
 * relied on: a file that is damaged, cut short, a link or unreadable is no file, a disk that refuses is no error, and the
 * whole folder can be deleted at any time.
 */
export interface DerivedFiles {
  /** The bytes that were kept under this name, or `undefined`. */
  get(name: string): Promise<Uint8Array | undefined>;
  /** Keeps them in one step; whoever reads meanwhile sees the old ones or the new. */
  put(name: string, parts: readonly Uint8Array[]): Promise<void>;
  /** Deletes what was longest unused, until the rest fits. */
  prune(): Promise<void>;
}

/** A SHA-256 of what follows stands at the head of every file. */
const SEAL_BYTES = 32;
/** Of a temporary file: the process that wrote it is gone. */
const ABANDONED_MS = 3_600_000;

export function openDerived(
  dataDir: string,
  kind: string,
  { mostBytes, mostFileBytes = mostBytes }: { readonly mostBytes: number; readonly mostFileBytes?: number },
): DerivedFiles {
  const folder = join(dataDir, 'cache', kind);
  return {
    async get(name) {
      const path = join(folder, name);
      const file = await tried(() => readPlainFile(path, mostFileBytes));
      if (file === undefined || file.length < SEAL_BYTES) return undefined;
      const bytes = file.subarray(SEAL_BYTES);
      if (!sealOf([bytes]).equals(file.subarray(0, SEAL_BYTES))) return undefined;
      const now = new Date();
      await tried(() => utimes(path, now, now));
      return bytes;
    },

    async put(name, parts) {
      const temporary = join(folder, `${name}.${process.pid}.tmp`);
      const done = await tried(async () => {
        await mkdir(folder, { recursive: true });
        // No fsync: after a loss of power the seal tells.
        await writeFile(temporary, Buffer.concat([sealOf(parts), ...parts]));
        await rename(temporary, join(folder, name));
        return true;
      });
      if (done !== true) await tried(() => rm(temporary, { force: true }));
    },

    async prune() {
      const names = (await tried(() => readdir(folder))) ?? [];
      const files: { path: string; bytes: number; usedMs: number }[] = [];
      for (const name of names) {
        const path = join(folder, name);
        const found = await tried(() => stat(path));
        if (found === undefined) continue;
        if (name.endsWith('.tmp') && Date.now() - found.mtimeMs > ABANDONED_MS)
          await tried(() => rm(path, { force: true }));
        else files.push({ path, bytes: found.size, usedMs: found.mtimeMs });
      }
      let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
      for (const file of files.toSorted((a, b) => a.usedMs - b.usedMs)) {
        if (bytes <= mostBytes) break;
        await tried(() => rm(file.path, { force: true }));
        bytes -= file.bytes;
      }
    },
  };
}

function sealOf(parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** `undefined` where the disk refuses. */
async function tried<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UserError || errorCode(error) !== undefined) return undefined;
    throw error;
  }
}
