import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, explainDiskError, writeFileAtomic } from '../../data/files.ts';
import { damaged, decodeBar, decodeSession, encodeLink } from './chain.ts';
import { readLines } from './lines.ts';
import type { BarRecord, SessionRecord } from './record.ts';

/**
 * The append-only file of a paper session: one JSON line for the session, then one for each processed bar,
 * each chained to the one before by its hash. A record is on the disk before `append` returns.
 */
export interface Ledger {
  /** Where the next record goes, and what it is chained to. */
  readonly end: LedgerPosition;
  append(record: BarRecord): Promise<LedgerPosition>;
  close(): Promise<void>;
}

export interface LedgerPosition {
  /** End of the last line, in bytes. */
  readonly offset: number;
  /** Hash of the last line. */
  readonly hash: string;
}

export const LEDGER_FILE = 'ledger.jsonl';

/** Starts a ledger in `folder`. Its first line is there whole or not at all. */
export async function createLedger(folder: string, session: SessionRecord): Promise<Ledger> {
  const { line, hash } = encodeLink(session, '');
  const path = join(folder, LEDGER_FILE);
  await mkdir(folder, { recursive: true });
  await writeFileAtomic(path, line);
  return openAt(path, { offset: Buffer.byteLength(line), hash });
}

/** The first line of the ledger in `folder` and where it ends, or `undefined` when there is no ledger. */
export async function readSession(
  folder: string,
): Promise<{ readonly session: SessionRecord; readonly start: LedgerPosition } | undefined> {
  const path = join(folder, LEDGER_FILE);
  let first: string | undefined;
  let offset: number;
  try {
    offset = await readLines(path, 0, (line) => {
      first = line;
      return 'stop';
    });
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  if (first === undefined) throw damaged(`line 1 of "${path}"`, 'the line is not complete');
  const { record, hash } = decodeSession(first, `line 1 of "${path}"`);
  return { session: record, start: { offset, hash } };
}

/**
 * Reads the bars that follow `from` (a position that was taken of this ledger), checking the chain, cuts off
 * a torn last line and opens the ledger for appending. Throws `UserError` when a whole line is damaged.
 */
export async function resumeLedger(
  folder: string,
  from: LedgerPosition,
  onBar: (record: BarRecord, where: string) => void,
): Promise<{ readonly ledger: Ledger; readonly tornBytes: number }> {
  const path = join(folder, LEDGER_FILE);
  const end = await readBars(path, from, onBar);
  const { size } = await stat(path);
  const tornBytes = size - end.offset;
  const ledger = await openAt(path, end);
  if (tornBytes > 0) await truncate(path, end.offset);
  return { ledger, tornBytes };
}

/** Walks the bars behind `from`; returns the position of the last one. */
export async function readBars(
  path: string,
  from: LedgerPosition,
  onBar: (record: BarRecord, where: string) => void,
): Promise<LedgerPosition> {
  let end = from;
  await readLines(path, from.offset, (line, offset) => {
    const where = `byte ${end.offset} of "${path}"`;
    const { record, hash } = decodeBar(line, end.hash, where);
    end = { offset, hash };
    onBar(record, where);
    return 'go-on';
  });
  return end;
}

async function openAt(path: string, position: LedgerPosition): Promise<Ledger> {
  const file = await open(path, 'a');
  let end = position;
  return {
    get end() {
      return end;
    },
    append: async (record) => {
      const { line, hash } = encodeLink(record, end.hash);
      const bytes = Buffer.from(line);
      try {
        await writeAll(file, bytes);
        await file.datasync();
      } catch (error) {
        throw explainDiskError(error, path);
      }
      end = { offset: end.offset + bytes.length, hash };
      return end;
    },
    close: () => file.close(),
  };
}

/** A nearly full disk answers with short writes. */
async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let written = 0; written < bytes.length;)
    written += (await file.write(bytes, written, bytes.length - written)).bytesWritten;
}

async function truncate(path: string, size: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.truncate(size);
    await file.sync();
  } finally {
    await file.close();
  }
}
