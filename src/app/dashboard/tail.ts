import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readLines } from '../../data/journal/lines.ts';

interface TailOptions {
  /** Names of the files looked at; the one written last is followed. */
  readonly matches: (name: string) => boolean;
  /** Start this far before the end of a file; `undefined`: at its beginning. */
  readonly lastBytes?: number;
  /** Another file is followed from now on, or the file was replaced: what was read is void. */
  readonly onReset: () => void;
  readonly onLine: (line: string) => void;
}

/** Follows the newest matching file below `folder`, as `tail -F` does; `poll` reads what was added, `path` is what is followed. */
export function createTail(
  folder: string,
  options: TailOptions,
): { poll(): Promise<void>; path(): string | undefined } {
  let followed: { readonly path: string; readonly inode: number } | undefined;
  let offset = 0;
  return {
    path: () => followed?.path,
    poll: async () => {
      const newest = await newestFile(folder, options.matches);
      if (newest === undefined) return;
      if (newest.path !== followed?.path || newest.inode !== followed.inode || newest.bytes < offset) {
        followed = { path: newest.path, inode: newest.inode };
        offset = 0;
        options.onReset();
        if (options.lastBytes !== undefined && newest.bytes > options.lastBytes)
          offset = await readLines(newest.path, newest.bytes - options.lastBytes, () => 'stop');
      }
      if (newest.bytes === offset) return;
      offset = await readLines(newest.path, offset, (line) => {
        options.onLine(line);
        return 'go-on';
      });
    },
  };
}

async function newestFile(folder: string, matches: (name: string) => boolean) {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  let newest: { path: string; inode: number; bytes: number; writtenMs: number } | undefined;
  for (const name of names.filter(matches)) {
    const path = join(folder, name);
    // It may have been renamed away since it was listed.
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() === true && (newest === undefined || found.mtimeMs > newest.writtenMs))
      newest = { path, inode: found.ino, bytes: found.size, writtenMs: found.mtimeMs };
  }
  return newest;
}
