import { appendFileSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { open, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { UserError } from '../core/foundation/errors.ts';
import { IN_PLAIN_WORDS, issueLines } from '../core/foundation/plain-issues.ts';
import { errorCode, explainDiskError, explainFolderError, FileError } from './file-errors.ts';
import { readTextFile } from './text-file.ts';

export { errorCode, explainDiskError } from './file-errors.ts';

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
  await requireReplaceable(path);
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

/** Throws `FileError` when a folder, a device or a pipe stands at `path`: a rename would put a file in its place. */
async function requireReplaceable(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.isFile()) return;
  throw new FileError(
    `Cannot write "${path}": a ${found.isDirectory() ? 'folder' : 'device'} stands there.`,
    {
      hint: 'Choose the path of a file.',
      path,
    },
  );
}

/**
 * Throws `FileError` unless a file can be written at `path`: asked before hours of work, not after. Whatever it takes to find
 * that out is taken away again.
 */
export async function requireWritable(path: string): Promise<void> {
  await requireReplaceable(path);
  const made: string[] = [];
  for (
    let folder = dirname(path);
    !existsSync(folder) && folder !== dirname(folder);
    folder = dirname(folder)
  )
    made.push(folder);
  const trial = `${path}.tmp`;
  try {
    await writeDurably(trial, '');
    await rm(trial, { force: true });
  } finally {
    for (const folder of made) await rmdir(folder).catch(() => undefined);
  }
}

/** Writes the whole of `content` and waits until the disk has it; leaves no partial file behind an error. */
export async function writeDurably(
  path: string,
  content: string | Uint8Array,
  disk: Disk = nodeDisk,
): Promise<void> {
  makeFolder(dirname(path));
  try {
    const file = await disk.open(path, 'w');
    try {
      await file.writeFile(content); // loops over short writes, which a nearly full disk answers with
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await rm(path, { force: true }).catch(() => undefined);
    throw explainDiskError(error, path);
  }
}

/** Adds to the end of a file; a full or forbidden disk is a `UserError`. */
export function appendWhole(path: string, content: string | Uint8Array): void {
  try {
    appendFileSync(path, content);
  } catch (error) {
    throw explainDiskError(error, path);
  }
}

/**
 * Makes `folder` and the folders above it, where they are missing. Not `mkdir`'s own `recursive`: below /proc, where
 * nothing can be made and the answer is ENOENT, that tries for ever.
 */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (errorCode(error) === 'EEXIST' && isFolder(folder)) return;
    const parent = dirname(folder);
    if (errorCode(error) !== 'ENOENT' || isFolder(parent) || parent === folder)
      throw explainFolderError(error, folder);
    makeFolder(parent);
    makeFolder(folder);
  }
}

const isFolder = (path: string): boolean => {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
};

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

/** Manifests and records of this program; a store of ten years of minutes has one of a few megabytes. */
const LARGEST_JSON_BYTES = 64 * 2 ** 20;

/** `undefined` when there is no such file; `UserError` with `hint` when it does not hold what `schema` says. */
export async function readJson<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  hint: string,
): Promise<z.output<Schema> | undefined> {
  const text = readTextFile({ path, largestBytes: LARGEST_JSON_BYTES });
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text), IN_PLAIN_WORDS);
  } catch (error) {
    const why = error instanceof z.ZodError ? issueLines(error).join('; ') : String(error);
    throw new UserError(`"${path}" is damaged or of another version: ${why}`, { hint, cause: error });
  }
}
