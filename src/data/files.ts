import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { UserError } from '../core/foundation/errors.ts';

/** The operations behind everything that must survive a crash. A test passes a disk on which one of them fails. */
export interface Disk {
  readonly open: typeof open;
  readonly rename: typeof rename;
}

export const nodeDisk: Disk = { open, rename };

/**
 * Replaces `path` in one step: after a crash or a full disk it holds the old content or the new one, whole.
 * Temporary file beside it, fsync, rename, fsync of the folder. One writer per path at a time.
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  disk: Disk = nodeDisk,
): Promise<void> {
  const temporary = `${path}.tmp`;
  await writeDurably(temporary, content, disk);
  try {
    await disk.rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw explainDiskError(error, path);
  }
  await syncFolder(dirname(path), disk);
}

/** Writes the whole of `content` and waits until the disk has it; leaves no partial file behind an error. */
export async function writeDurably(
  path: string,
  content: string | Uint8Array,
  disk: Disk = nodeDisk,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  try {
    const file = await disk.open(path, 'w');
    try {
      await file.writeFile(content); // loops over short writes, which a nearly full disk answers with
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await rm(path, { force: true });
    throw explainDiskError(error, path);
  }
}

/** Makes renames inside `folder` survive a power cut. Windows cannot open folders and does not need it. */
export async function syncFolder(folder: string, disk: Disk = nodeDisk): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await disk.open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    throw explainDiskError(error, folder);
  } finally {
    await handle.close();
  }
}

const DISK_HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full. Free some space and run the same command again; it resumes where it stopped.',
  EDQUOT: 'The disk quota is used up. Free some space and run the same command again; it resumes.',
  EFBIG: 'The file size limit (ulimit -f) is reached. Raise it and run the same command again; it resumes.',
  EIO: 'The disk reports an error. Check it and its cable or mount, then run the same command again; it resumes.',
  EROFS: 'The file system is read-only. Point dataDir in config.yaml at a writable folder.',
  EACCES: 'Permission denied. Check the owner of the folder, or point dataDir in config.yaml elsewhere.',
  EPERM: 'Permission denied. Check the owner of the folder, or point dataDir in config.yaml elsewhere.',
  EEXIST: 'A file stands where a folder is needed. Move it, or point dataDir in config.yaml elsewhere.',
  ENOTDIR: 'A file stands where a folder is needed. Move it, or point dataDir in config.yaml elsewhere.',
};

/** Turns what the operating system says about a full, read-only or forbidden disk into a `UserError`. */
export function explainDiskError(error: unknown, path: string): unknown {
  const hint = DISK_HINTS[errorCode(error) ?? ''];
  if (hint === undefined) return error;
  return new UserError(`Cannot write "${path}" (${errorCode(error)}). What was there before is unchanged.`, {
    hint,
    cause: error,
  });
}

/** The operating system's code of an error, such as `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** `undefined` when there is no such file; `UserError` with `hint` when it does not hold what `schema` says. */
export async function readJson<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  hint: string,
): Promise<z.output<Schema> | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new UserError(`"${path}" is damaged or of another version: ${why}`, { hint, cause: error });
  }
}
