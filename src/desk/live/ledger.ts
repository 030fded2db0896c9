import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../../core/foundation/errors.ts';
import { type Disk, nodeDisk } from '../../data/files.ts';
import { damaged, type Journal, type JournalFile } from '../../data/journal/journal.ts';
import { parseEntry } from '../../data/journal/entry.ts';
import { createJournal, resumeJournal } from '../../data/journal/json-lines.ts';
import { readEntries, readFirstEntry } from '../../data/journal/read.ts';
import { LEDGER_FILE } from '../paper/ledger.ts';
import { type LiveBar, LiveEntry, LiveSession } from './record.ts';
import { createState, type LiveState, remember } from './state.ts';

const ledgerFile = (folder: string): JournalFile => ({
  path: join(folder, LEDGER_FILE),
  name: 'live ledger',
  hint: 'Put the file back from a backup. Do not trade without it: it alone says which of the coins are whose.',
});

/** A live session and its ledger, kept in step. One process at a time. */
export interface LiveLedger {
  readonly state: LiveState;
  /** Bytes of a half-written last line that was cut off. */
  readonly tornBytes: number;
  /** On disk, and in `state`, when this returns. When it throws, the session has to be opened again. */
  write(entry: LiveEntry): Promise<void>;
  assertStanding(): Promise<void>;
  close(): Promise<void>;
}

/** What tells sessions apart that may not be mixed up; `LiveSession` keeps it. */
export async function startLive(
  folder: string,
  session: LiveSession,
  disk: Disk = nodeDisk,
): Promise<LiveLedger> {
  const journal = await createJournal(ledgerFile(folder), [LiveSession.parse(session)], disk);
  return opened(createState(session), journal, 0);
}

/** The session in `folder`, every entry of it taken in again; `undefined` when there is none. */
export async function resumeLive(folder: string, disk: Disk = nodeDisk): Promise<LiveLedger | undefined> {
  const file = ledgerFile(folder);
  const first = await readFirstEntry(file);
  if (first === undefined) return undefined;
  const state = createState(parseEntry(file, first, LiveSession));
  const { journal, tornBytes } = await resumeJournal(file, first.end, replay(state, file), disk);
  return opened(state, journal, tornBytes);
}

/** The same without a process's hold on it: for those who look on. */
export async function readLive(folder: string): Promise<LiveState> {
  const file = ledgerFile(folder);
  const first = existsSync(file.path) ? await readFirstEntry(file) : undefined;
  if (first === undefined)
    throw new UserError(`There is no live session in "${folder}".`, {
      hint: 'Start one: crypto-trader paper --live',
    });
  const state = createState(parseEntry(file, first, LiveSession));
  await readEntries(file, first.end, replay(state, file));
  return state;
}

/** The bars on record behind `afterMs`, oldest first. */
export async function liveBarsAfter(folder: string, afterMs: number): Promise<readonly LiveBar[]> {
  const file = ledgerFile(folder);
  const first = await readFirstEntry(file);
  const bars: LiveBar[] = [];
  if (first === undefined) return bars;
  await readEntries(file, first.end, (found) => {
    const entry = parseEntry(file, found, LiveEntry);
    if (entry.kind === 'bar' && entry.timeMs > afterMs) bars.push(entry);
  });
  return bars;
}

/** Every entry is taken in again, and has to give the equity and the cash on record. */
const replay =
  (state: LiveState, file: JournalFile) =>
  (found: Parameters<Parameters<typeof readEntries>[2]>[0]): void => {
    const entry = parseEntry(file, found, LiveEntry);
    remember(state, entry);
    if (entry.kind !== 'bar') return;
    const again = { cash: state.account.portfolio.cash, equity: state.account.equity() };
    if (!isDeepStrictEqual(again, { cash: entry.cash, equity: entry.equity }))
      throw damaged(file, found.where, 'replaying the bar gives another account than the one on record');
  };

function opened(state: LiveState, journal: Journal, tornBytes: number): LiveLedger {
  return {
    state,
    tornBytes,
    write: async (entry) => {
      // What could not be read back must not be written.
      const checked = LiveEntry.parse(entry);
      await journal.append(checked);
      // A bar has moved the account before it was written (`decide.ts`).
      if (checked.kind === 'bar') {
        state.account.clear();
        state.last = checked;
        state.bars++;
      } else remember(state, checked);
    },
    assertStanding: () => journal.assertStanding(),
    close: () => journal.close(),
  };
}
