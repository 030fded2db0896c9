import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { invariant } from '../../core/foundation/errors.ts';
import { type Account, openAccount } from './account.ts';
import type { Bar } from './bar.ts';
import { damaged } from './chain.ts';
import { createLedger, type Ledger, LEDGER_FILE, readBars, readSession, resumeLedger } from './ledger.ts';
import { BarRecord, type SessionRecord } from './record.ts';
import { readSnapshot, writeSnapshot } from './snapshot.ts';

/** What was decided at the close of a bar. */
export type Decision = Pick<BarRecord, 'runId' | 'decision' | 'targets' | 'models'>;

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

/** Bars between snapshots: how many a restart replays at most, beside those since the last clean stop. */
const SNAPSHOT_EVERY_BARS = 500;

export async function startSession(folder: string, session: SessionRecord): Promise<PaperSession> {
  const ledger = await createLedger(folder, session);
  const recovery = { recovered: false, barsReplayed: 0, tornBytes: 0 };
  return running(folder, session, openAccount(session), ledger, recovery, undefined);
}

/**
 * Opens the session in `folder`, after a clean stop and after a crash alike: from the last snapshot on, every
 * bar of the ledger goes through the trading core again and has to give the fills and the equity on record.
 * Throws `UserError` when it does not; `undefined` when there is no session.
 */
export async function resumeSession(folder: string): Promise<PaperSession | undefined> {
  const found = await readSession(folder);
  if (found === undefined) return undefined;
  const { session, start } = found;
  const saved = await readSnapshot(folder);
  const account = openAccount(session, saved?.portfolio);
  const replay = createReplay(account);
  const { ledger, tornBytes } = await resumeLedger(folder, saved?.position ?? start, replay.check);
  const recovery = { recovered: true, barsReplayed: replay.bars(), tornBytes };
  return running(folder, session, account, ledger, recovery, replay.last() ?? saved?.last);
}

/** Replays the whole ledger in `folder` from its first bar; returns how many bars it holds. */
export async function verifySession(folder: string): Promise<number> {
  const found = await readSession(folder);
  if (found === undefined) return 0;
  const replay = createReplay(openAccount(found.session));
  await readBars(join(folder, LEDGER_FILE), found.start, replay.check);
  return replay.bars();
}

function createReplay(account: Account) {
  let last: BarRecord | undefined;
  let bars = 0;
  return {
    last: () => last,
    bars: () => bars,
    check: (record: BarRecord, where: string): void => {
      const again = advanceAccount(account, record, record);
      for (const field of ['events', 'cash', 'equity', 'positions'] as const) {
        if (!isDeepStrictEqual(again[field], record[field]))
          throw damaged(where, `replaying the bar gives other ${field} than those on record`);
      }
      last = record;
      bars++;
    },
  };
}

/** The one path of a bar through the account, live and in a replay. */
function advanceAccount(account: Account, bar: Bar, decision: Pick<Decision, 'decision' | 'targets'>) {
  const events = [...account.see(bar)];
  if (decision.decision === 'placed') account.place(decision.targets);
  return {
    events,
    cash: account.portfolio.cash,
    equity: account.equity(),
    positions: account.positions(),
  };
}

function running(
  folder: string,
  session: SessionRecord,
  account: Account,
  ledger: Ledger,
  recovery: Recovery,
  resumedAt: BarRecord | undefined,
): PaperSession {
  let last = resumedAt;
  let unsaved = recovery.barsReplayed;
  const save = async (): Promise<void> => {
    if (last === undefined || unsaved === 0) return;
    await writeSnapshot(folder, { position: ledger.end, last, portfolio: account.snapshot() });
    unsaved = 0;
  };
  return {
    session,
    account,
    recovery,
    get last() {
      return last;
    },
    process: async (bar, decision, processedAtMs) => {
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
      if (++unsaved >= SNAPSHOT_EVERY_BARS) await save();
      return record;
    },
    close: async () => {
      await save();
      await ledger.close();
    },
  };
}
