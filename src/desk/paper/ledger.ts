import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import type { Disk } from '../../data/files.ts';
import { hashOf, jsonOf } from '../../data/journal/chain.ts';
import { parseEntry } from '../../data/journal/entry.ts';
import {
  damaged,
  type Journal,
  type JournalEntry,
  type JournalFile,
  type JournalPosition,
} from '../../data/journal/journal.ts';
import { createJournal } from '../../data/journal/json-lines.ts';
import { readEntries, readFirstEntry } from '../../data/journal/read.ts';
import { BarRecord, SessionRecord } from './record.ts';

export const LEDGER_FILE = 'ledger.jsonl';
export const SNAPSHOT_FILE = 'snapshot.json';

/** The journal of the session in `folder`: first the session, then one entry for each processed bar. */
export const ledgerFile = (folder: string): JournalFile => ({
  path: join(folder, LEDGER_FILE),
  name: 'paper ledger',
  hint: 'Put the file back from a backup, or start a new session with `paper --fresh`; the old one is kept.',
});

export const createLedger = (folder: string, session: SessionRecord, disk: Disk): Promise<Journal> =>
  createJournal(ledgerFile(folder), [session], disk);

/**
 * The session of the ledger in `folder` and where its first line ends, or `undefined` when there is no session.
 * Throws `UserError` when the ledger is damaged, or gone while its snapshot is still there.
 */
export async function readSession(
  folder: string,
): Promise<{ readonly session: SessionRecord; readonly start: JournalPosition } | undefined> {
  const file = ledgerFile(folder);
  const first = await readFirstEntry(file);
  if (first === undefined && existsSync(join(folder, SNAPSHOT_FILE)))
    throw new UserError(`The ${file.name} "${file.path}" is gone; only its snapshot is left.`, {
      hint: file.hint,
    });
  return first && { session: parseEntry(file, first, SessionRecord), start: first.end };
}

export const parseBar = (folder: string, entry: Pick<JournalEntry, 'json' | 'where'>): BarRecord =>
  parseEntry(ledgerFile(folder), entry, BarRecord);

/** The whole ledger in `folder`, its hashes checked. */
export async function readLedger(
  folder: string,
): Promise<{ readonly session: SessionRecord; readonly bars: readonly BarRecord[] }> {
  const found = await readSession(folder);
  if (found === undefined)
    throw new UserError(`There is no paper session in "${folder}".`, {
      hint: 'Start one: crypto-trader paper',
    });
  const bars: BarRecord[] = [];
  await readEntries(ledgerFile(folder), found.start, (entry) => bars.push(parseBar(folder, entry)));
  return { session: found.session, bars };
}

/** A line of a ledger that is being watched while it grows: as it stands, without its place in the chain. */
export function parseLine<Schema extends z.ZodType>(
  line: string,
  where: string,
  schema: Schema,
): z.output<Schema> {
  const bytes = Buffer.from(line);
  const file = ledgerFile('');
  if (hashOf(bytes) === undefined) throw damaged(file, where, `it is not a line of a ${file.name}`);
  return parseEntry(file, { json: jsonOf(bytes), where }, schema);
}
