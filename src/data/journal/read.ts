import { open, stat } from 'node:fs/promises';
import { errorCode } from '../files.ts';
import { endsInHash, expectedHash, hashOf, holdsWholeLink, jsonOf, linkEnd } from './chain.ts';
import {
  damaged,
  JOURNAL_START,
  type JournalEntry,
  type JournalFile,
  type JournalPosition,
} from './journal.ts';
import { LONGEST_LINE_BYTES, readLineBytes } from './lines.ts';

/** The first entry, or `undefined` when there is no journal. */
export async function readFirstEntry(file: JournalFile): Promise<JournalEntry | undefined> {
  let first: JournalEntry | undefined;
  try {
    await walk(file, JOURNAL_START, (line, end, where) => {
      first = { json: jsonOf(line), hash: end.hash, start: JOURNAL_START, end, where };
      return 'stop';
    });
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  if (first === undefined) throw damaged(file, `line 1 of "${file.path}"`, 'the line is not complete');
  return first;
}

/** Walks the entries behind `from`, checking the chain; returns the position of the last whole one. */
export const readEntries = (
  file: JournalFile,
  from: JournalPosition,
  onEntry: (entry: JournalEntry) => void,
): Promise<JournalPosition> =>
  walk(file, from, (line, end, where, start) => {
    onEntry({ json: jsonOf(line), hash: end.hash, start, end, where });
    return 'go-on';
  });

/** The entry that follows `start`, a position of this journal, checked against it. */
export async function readEntryBehind(file: JournalFile, start: JournalPosition): Promise<JournalEntry> {
  let found: JournalEntry | undefined;
  await walk(file, start, (line, end, where) => {
    found = { json: jsonOf(line), hash: end.hash, start, end, where };
    return 'stop';
  });
  if (found === undefined)
    throw damaged(file, `byte ${start.offset} of "${file.path}"`, 'an entry is missing');
  return found;
}

/** The last whole entry behind `after`, as it stands: read from the end, without its place in the chain. */
export async function readLastEntry(
  file: JournalFile,
  after: JournalPosition,
): Promise<Pick<JournalEntry, 'json' | 'where'> | undefined> {
  const handle = await open(file.path, 'r');
  try {
    const { size } = await handle.stat();
    for (let length = 1 << 16; ; length *= 4) {
      const from = Math.max(after.offset, size - length);
      const bytes = Buffer.alloc(Math.max(0, size - from));
      await handle.read(bytes, 0, bytes.length, from);
      const end = bytes.lastIndexOf(NEWLINE);
      const begin = end <= 0 ? -1 : bytes.lastIndexOf(NEWLINE, end - 1);
      const whole = from === after.offset || begin >= 0;
      const where = `byte ${from + begin + 1} of "${file.path}"`;
      if (whole && end < 0) return undefined;
      if (whole) {
        const line = bytes.subarray(begin + 1, end);
        if (hashOf(line) === undefined) throw damaged(file, where, `it is not a line of a ${file.name}`);
        return { json: jsonOf(line), where };
      }
      if (length > 2 * LONGEST_LINE_BYTES) throw damaged(file, where, 'what stands there is no line of it');
    }
  } finally {
    await handle.close();
  }
}

const NEWLINE = 10;

export interface ChainCheck {
  readonly entries: number;
  readonly end: JournalPosition;
}

/**
 * Checks every hash from the first line up to `until`, or to the end of the file, without parsing any entry: about a
 * gigabyte a second, in pieces of a megabyte between which other work goes on. Throws `UserError` naming the first
 * line that is damaged, and `signal.reason` when it aborts.
 */
export async function checkChain(
  file: JournalFile,
  { until, signal }: { readonly until?: JournalPosition; readonly signal?: AbortSignal } = {},
): Promise<ChainCheck> {
  let entries = 0;
  const end = await walk(file, JOURNAL_START, (_, { offset }) => {
    entries++;
    return offset >= (until?.offset ?? Infinity) || signal?.aborted === true ? 'stop' : 'go-on';
  });
  signal?.throwIfAborted();
  if (until !== undefined && (end.offset !== until.offset || end.hash !== until.hash))
    throw damaged(
      file,
      `byte ${end.offset} of "${file.path}"`,
      `it lacks the entry that ended at byte ${until.offset}`,
    );
  return { entries, end };
}

/** Whether the journal holds the entry that `position` was taken behind. Reads no more than that line's end. */
export async function holds(file: JournalFile, position: JournalPosition): Promise<boolean> {
  const tail = linkEnd(position.hash);
  const handle = await open(file.path, 'r');
  try {
    const bytes = Buffer.alloc(tail.length);
    const { bytesRead } = await handle.read(bytes, 0, tail.length, position.offset - tail.length);
    return bytesRead === tail.length && bytes.toString('latin1') === tail;
  } finally {
    await handle.close();
  }
}

/**
 * Bytes behind the last whole line: one still being written, or torn by a crash. Throws `UserError` when they cannot
 * be that, because a whole line is among them.
 */
export async function tornTail(file: JournalFile, end: JournalPosition): Promise<number> {
  const length = (await stat(file.path)).size - end.offset;
  if (length <= 0) return 0;
  const where = `byte ${end.offset} of "${file.path}"`;
  if (length > LONGEST_LINE_BYTES) throw damaged(file, where, 'what follows is no line of it');
  const handle = await open(file.path, 'r');
  try {
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await handle.read(bytes, 0, length, end.offset);
    if (holdsWholeLink(bytes.toString('latin1', 0, bytesRead)))
      throw damaged(file, where, 'the end of its line was overwritten');
    return length;
  } finally {
    await handle.close();
  }
}

async function walk(
  file: JournalFile,
  from: JournalPosition,
  onLine: (line: Buffer, end: JournalPosition, where: string, start: JournalPosition) => 'go-on' | 'stop',
): Promise<JournalPosition> {
  let last = from;
  const where = (): string =>
    last.offset === 0 ? `line 1 of "${file.path}"` : `byte ${last.offset} of "${file.path}"`;
  try {
    await readLineBytes(file.path, from.offset, (line, offset) => {
      const hash = expectedHash(line, last.hash);
      if (!endsInHash(line, hash))
        throw damaged(
          file,
          where(),
          hashOf(line) === undefined
            ? `it is not a line of a ${file.name}`
            : 'its hash does not fit it and what stands before it',
        );
      const [here, start] = [where(), last];
      last = { offset, hash };
      return onLine(line, last, here, start);
    });
  } catch (error) {
    if (error instanceof RangeError) throw damaged(file, where(), error.message, error);
    throw error;
  }
  return last;
}
