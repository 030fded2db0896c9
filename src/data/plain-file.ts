import { constants, type Stats } from 'node:fs';
import { lstat, open, realpath } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { UserError } from '../core/foundation/errors.ts';
import { kindOf } from './file-errors.ts';
import { errorCode } from './files.ts';

/**
 * The bytes of a file that may come from a stranger: a link is not followed, nothing waits at a pipe or reads a device,
 * and what is larger than `mostBytes` is not read. `undefined` when there is no such file; `UserError` that names it
 * for everything else.
 */
export async function readPlainFile(path: string, mostBytes: number): Promise<Uint8Array | undefined> {
  try {
    requireFile(path, await lstat(path));
    // Between the two somebody may put a link or a pipe there: neither is followed nor waited for.
    const file = await open(
      path,
      constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
    );
    try {
      const found = await file.stat();
      requireFile(path, found);
      if (found.size > mostBytes) {
        throw new UserError(`"${path}" has ${found.size} bytes, at most ${mostBytes} are read.`, {
          hint: HINT,
        });
      }
      const bytes = new Uint8Array(found.size);
      let length = 0;
      for (let read = 1; read > 0 && length < bytes.length; length += read)
        ({ bytesRead: read } = await file.read(bytes, length, bytes.length - length, length));
      return bytes.subarray(0, length);
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === undefined) throw error;
    const why = code === 'ELOOP' ? 'it is a link' : code;
    throw new UserError(`Cannot read "${path}": ${why}.`, { hint: HINT, cause: error });
  }
}

/** Throws `UserError` when a link below `root` leads to `path`, or from it: then it is not the folder that it seems. */
export async function requireNoLinks(root: string, path: string): Promise<void> {
  const real = await realpath(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  });
  if (real === undefined || real === join(await realpath(root), relative(root, path))) return;
  throw new UserError(`"${path}" is a link, or lies behind one.`, { hint: HINT });
}

const HINT = 'Put the files themselves there, from a backup or from where they were made.';

function requireFile(path: string, found: Stats): void {
  if (found.isFile()) return;
  throw new UserError(`"${path}" is ${kindOf(found)}, and a file is expected.`, { hint: HINT });
}
