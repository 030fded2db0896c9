import { invariant } from '../../core/foundation/errors.ts';
import { type Disk, nodeDisk } from '../../data/files.ts';
import type { Journal, JournalPosition } from '../../data/journal/journal.ts';
import { resumeJournal } from '../../data/journal/json-lines.ts';
import { checkChain, readEntries, tornTail } from '../../data/journal/read.ts';
import { type Account, openAccount } from './account.ts';
import type { Bar } from './bar.ts';
import { createLedger, ledgerFile, readSession } from './ledger.ts';
import { BarRecord, type SessionRecord } from './record.ts';
import { createReplay } from './replay.ts';
import { readSnapshot, writeSnapshot } from './snapshot.ts';
import { advanceAccount, type Decision } from './step.ts';

/** A paper session: the account and its ledger, kept in step. One process at a time (see slot.ts). */
export interface PaperSession {
  readonly session: SessionRecord;
  readonly account: Account;
  readonly recovery: Recovery;
  /** The last processed bar, on disk; `undefined` in a new session. */
  readonly last: BarRecord | undefined;
  /**
   * Moves the account over `bar`, places what was decided at its close and returns when that is on disk. A
   * bar that was processed before changes nothing and gives `undefined`.
   */
  process(bar: Bar, decision: Decision, processedAtMs: number): Promise<BarRecord | undefined>;
  /**
   * Throws when the session cannot go on: a write failed, the ledger was removed, replaced or cut, or damage was
   * found in the part that lies before the snapshot, which is checked in the background after a restart.
   */
  assertSound(): Promise<void>;
  /** Settles when the background check of the ledger has ended; rejects with the damage it found. */
  readonly checked: Promise<void>;
  /** Keeps the account for the next start, unless something failed: then only what is in the ledger counts. */
  close(): Promise<void>;
}

interface Recovery {
  /** False for a session that was just started. */
  readonly recovered: boolean;
  /** Bars of the ledger that were put through the trading core again. */
  readonly barsReplayed: number;
  /** Length of a half-written last line that was cut off; its bar is processed again. */
  readonly tornBytes: number;
}

export interface SessionOptions {
  /** Bars between snapshots: how many a restart replays at most. */
  readonly snapshotEveryBars?: number;
  /** A restart checks this much of a ledger before it goes on, and a longer one in the background. */
  readonly checkFirstBytes?: number;
  readonly disk?: Disk;
}

const SNAPSHOT_EVERY_BARS = 500;
const CHECK_FIRST_BYTES = 32 << 20;

export async function startSession(
  folder: string,
  session: SessionRecord,
  options: SessionOptions = {},
): Promise<PaperSession> {
  const ledger = await createLedger(folder, session, options.disk ?? nodeDisk);
  return running(folder, openAccount(session), ledger, options, {
    session,
    recovery: { recovered: false, barsReplayed: 0, tornBytes: 0 },
    last: undefined,
    check: { ended: Promise.resolve(), stop: () => undefined },
  });
}

/**
 * Opens the session in `folder`, after a clean stop and after a crash alike: from the last snapshot on, every
 * bar of the ledger goes through the trading core again and has to give the fills and the equity on record; of what
 * lies before it, the hashes are checked. Throws `UserError` when something does not fit; `undefined` when there is
 * no session.
 */
export async function resumeSession(
  folder: string,
  options: SessionOptions = {},
): Promise<PaperSession | undefined> {
  const { disk = nodeDisk } = options;
  const found = await readSession(folder);
  if (found === undefined) return undefined;
  const { session, start } = found;
  const saved = await readSnapshot(folder);
  const check = await startCheck(folder, saved?.position ?? start, options);
  const account = openAccount(session, saved);
  const replay = createReplay(folder, account);
  const from = saved?.position ?? start;
  const { journal, tornBytes } = await resumeJournal(ledgerFile(folder), from, replay.see, disk);
  const recovery = { recovered: true, barsReplayed: replay.bars(), tornBytes };
  return running(folder, account, journal, options, {
    session,
    recovery,
    last: replay.last() ?? saved?.last,
    check,
  });
}

/** Replays the whole ledger in `folder` from its first bar. Throws `UserError` at the first damage. */
export async function verifySession(
  folder: string,
  signal?: AbortSignal,
): Promise<{ readonly bars: number; readonly tornBytes: number } | undefined> {
  const found = await readSession(folder);
  if (found === undefined) return undefined;
  const replay = createReplay(folder, openAccount(found.session));
  const end = await readEntries(ledgerFile(folder), found.start, (entry) => {
    signal?.throwIfAborted();
    replay.see(entry);
  });
  await readSnapshot(folder);
  return { bars: replay.bars(), tornBytes: await tornTail(ledgerFile(folder), end) };
}

interface Check {
  /** Never rejects without being asked: damage is found again by whoever awaits it. */
  readonly ended: Promise<void>;
  stop(): void;
}

/** Checks the hashes up to `until`: a short ledger at once, a long one while the session already runs. */
async function startCheck(
  folder: string,
  until: JournalPosition,
  { checkFirstBytes = CHECK_FIRST_BYTES }: SessionOptions,
): Promise<Check> {
  const stopping = new AbortController();
  const ended = checkChain(ledgerFile(folder), { until, signal: stopping.signal }).then(
    () => undefined,
    (error: unknown) => {
      if (!stopping.signal.aborted) throw error;
    },
  );
  ended.catch(() => undefined);
  if (until.offset <= checkFirstBytes) await ended;
  return { ended, stop: () => stopping.abort() };
}

function running(
  folder: string,
  account: Account,
  ledger: Journal,
  { snapshotEveryBars = SNAPSHOT_EVERY_BARS, disk = nodeDisk }: SessionOptions,
  state: Pick<PaperSession, 'session' | 'recovery' | 'last'> & { readonly check: Check },
): PaperSession {
  const { session, recovery, check } = state;
  let last = state.last;
  let unsaved = recovery.barsReplayed;
  let failure: { readonly error: unknown } | undefined;
  check.ended.catch((error: unknown) => (failure ??= { error }));
  /** After a failure the account may be ahead of the ledger: it is not saved, and nothing more is processed. */
  const unlessFailed = async <T>(work: () => Promise<T>): Promise<T> => {
    if (failure !== undefined) throw failure.error;
    try {
      return await work();
    } catch (error) {
      failure ??= { error };
      throw error;
    }
  };
  const save = async (): Promise<void> => {
    if (last === undefined || unsaved === 0) return;
    const [portfolio, risk] = [account.snapshot(), account.riskState()];
    await writeSnapshot(folder, { position: ledger.end, last, portfolio, risk }, disk);
    unsaved = 0;
  };
  return {
    session,
    account,
    recovery,
    get last() {
      return last;
    },
    checked: check.ended,
    assertSound: () => unlessFailed(() => ledger.assertStanding()),
    process: (bar, decision, processedAtMs) =>
      unlessFailed(async () => {
        invariant(bar.candles.length === session.instruments.length, 'a bar has every instrument');
        if (last !== undefined && bar.timeMs <= last.timeMs) return undefined;
        // What could not be read back must not be written: a number that is not finite would be null.
        const record = BarRecord.parse({
          kind: 'bar',
          timeMs: bar.timeMs,
          processedAtMs,
          candles: bar.candles.map((candle) => (candle === null ? null : [...candle])),
          ...advanceAccount(account, bar, decision),
          ...decision,
        } satisfies BarRecord);
        await ledger.append(record);
        last = record;
        if (++unsaved >= snapshotEveryBars) await save();
        return record;
      }),
    close: async () => {
      check.stop();
      try {
        if (failure === undefined) await save();
      } finally {
        await ledger.close();
      }
    },
  };
}
