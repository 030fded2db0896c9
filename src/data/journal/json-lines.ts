import { type FileHandle, stat } from 'node:fs/promises';
import { UserError } from '../../core/foundation/errors.ts';
import { type Disk, errorCode, explainDiskError, nodeDisk, writeFileAtomic } from '../files.ts';
import { encodeLink } from './chain.ts';
import type { Journal, JournalEntry, JournalFile, JournalPosition } from './journal.ts';
import { readEntries, tornTail } from './read.ts';

/** Starts a journal with its first entries, which are there whole, all of them, or not at all. */
export async function createJournal(
  file: JournalFile,
  first: readonly object[],
  disk: Disk = nodeDisk,
): Promise<Journal> {
  let [text, hash] = ['', ''];
  for (const entry of first) {
    const link = encodeLink(entry, hash);
    text += link.line;
    hash = link.hash;
  }
  await writeFileAtomic(file.path, text, disk);
  return openAt(file, { offset: Buffer.byteLength(text), hash }, disk);
}

/**
 * Reads the entries behind `from`, checking the chain, cuts off a torn last line and opens the journal for
 * appending. Throws `UserError` when a whole line is damaged.
 */
export async function resumeJournal(
  file: JournalFile,
  from: JournalPosition,
  onEntry: (entry: JournalEntry) => void,
  disk: Disk = nodeDisk,
): Promise<{ readonly journal: Journal; readonly tornBytes: number }> {
  const end = await readEntries(file, from, onEntry);
  const tornBytes = await tornTail(file, end);
  if (tornBytes > 0) await cutOff(file.path, end.offset, disk);
  return { journal: await openAt(file, end, disk), tornBytes };
}

async function openAt(file: JournalFile, position: JournalPosition, disk: Disk): Promise<Journal> {
  const { path } = file;
  const handle = await disk.open(path, 'a');
  let end = position;
  let failed = false;
  const assertStanding = async (): Promise<void> => {
    const [held, named] = await Promise.all([handle.stat(), stat(path).catch(ifMissing)]);
    if (named === undefined) throw changed(file, 'was removed');
    if (named.ino !== held.ino || named.dev !== held.dev) throw changed(file, 'was replaced by another file');
    if (held.size !== end.offset)
      throw changed(file, `was ${held.size < end.offset ? 'cut' : 'written to'} by something else`);
  };
  return {
    get end() {
      return end;
    },
    assertStanding,
    append: async (entry) => {
      if (failed) throw new Error('an append to this journal has failed; open it again');
      failed = true;
      await assertStanding();
      const { line, hash } = encodeLink(entry, end.hash);
      const bytes = Buffer.from(line);
      try {
        await writeAll(handle, bytes);
        await handle.datasync();
      } catch (error) {
        // Best effort: what stays behind is a torn line, or a whole one that the next reader takes as it stands.
        await handle.truncate(end.offset).catch(() => undefined);
        throw explainDiskError(error, path);
      }
      end = { offset: end.offset + bytes.length, hash };
      failed = false;
      return end;
    },
    close: () => handle.close(),
  };
}

/** A nearly full disk answers with short writes. */
async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let written = 0; written < bytes.length;)
    written += (await handle.write(bytes, written, bytes.length - written)).bytesWritten;
}

async function cutOff(path: string, size: number, disk: Disk): Promise<void> {
  try {
    const handle = await disk.open(path, 'r+');
    try {
      await handle.truncate(size);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw explainDiskError(error, path);
  }
}

const ifMissing = (error: unknown): undefined => {
  if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
  throw error;
};

const changed = ({ path, name, hint }: JournalFile, what: string): UserError =>
  new UserError(`The ${name} "${path}" ${what} while it was in use. Nothing more is written to it.`, {
    hint,
  });
