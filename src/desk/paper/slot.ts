import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { makeFolder, syncFolder } from '../../data/files.ts';
import { acquireLock } from '../../data/lock.ts';
import { UserError } from '../../core/foundation/errors.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import { readSession } from './ledger.ts';
import { type SessionRecord, symbolsOf } from './record.ts';
import { type PaperSession, resumeSession, startSession } from './session.ts';

/** What a session trades. One session of an exchange, timeframe and feed is current; others are archived. */
interface Terms {
  readonly feed: SessionRecord['feed'];
  readonly exchange: string;
  readonly timeframe: Timeframe;
  readonly symbols: readonly PairSymbol[];
  readonly rules: ExecutionRules;
  readonly synthetic: boolean;
}

interface OpenOptions {
  /** Archive the current session and start another. */
  readonly fresh: boolean;
  readonly nowMs: number;
  /** Asked only when a session starts: its answer is recorded and kept. */
  readonly instruments: () => Promise<readonly Instrument[]>;
}

export const sessionsFolder = (dataDir: string): string => join(dataDir, 'paper');

/**
 * Resumes the session of these terms or starts one, as the only process that may write it. Throws `UserError`
 * when another process runs it, when its ledger is damaged, or when it was started under other terms.
 */
export async function openSession(
  dataDir: string,
  terms: Terms,
  options: OpenOptions,
): Promise<PaperSession> {
  const name = slotName(terms);
  const folder = join(sessionsFolder(dataDir), name);
  const lock = await acquireLock(`${folder}.lock`, { waitMs: 0, purpose: `paper trading ${name}` });
  try {
    if (options.fresh) await archive(dataDir, folder);
    const session =
      (await resumeSession(folder)) ?? (await startSession(folder, await describe(name, terms, options)));
    assertSameTerms(session.session, terms);
    return {
      ...session,
      get last() {
        return session.last;
      },
      close: async () => {
        try {
          await session.close();
        } finally {
          await lock.release();
        }
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

const slotName = ({ exchange, timeframe, feed }: Terms): string =>
  feed === 'stored' ? `${exchange}-${timeframe}-stored` : `${exchange}-${timeframe}`;

async function describe(
  name: string,
  terms: Terms,
  { nowMs, instruments }: OpenOptions,
): Promise<SessionRecord> {
  const { feed, exchange, timeframe, rules, synthetic } = terms;
  const stamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
  return {
    kind: 'session',
    version: 1,
    sessionId: `${name}-${stamp}`,
    startedAtMs: nowMs,
    feed,
    exchange,
    timeframe,
    synthetic,
    instruments: [...(await instruments())],
    rules,
  };
}

/** Moves the current session to `archive/<sessionId>` in one step; a damaged ledger goes there too. */
async function archive(dataDir: string, folder: string): Promise<void> {
  const found = await readSession(folder).catch((error: unknown) => {
    if (error instanceof UserError) return { session: { sessionId: `damaged-${Date.now()}` } };
    throw error;
  });
  if (found === undefined) return;
  const archived = join(sessionsFolder(dataDir), 'archive');
  makeFolder(archived);
  await rename(folder, join(archived, found.session.sessionId));
  await syncFolder(archived);
  await syncFolder(sessionsFolder(dataDir));
}

function assertSameTerms(session: SessionRecord, terms: Terms): void {
  const now = { symbols: terms.symbols, ...terms.rules };
  const then = { symbols: symbolsOf(session), ...session.rules };
  const changed = Object.entries(now).filter(
    ([key, value]) => !isDeepStrictEqual(value, Object.entries(then).find(([name]) => name === key)?.[1]),
  );
  if (changed.length === 0) return;
  const names = changed.map(([key]) => `"${key}"`).join(', ');
  throw new UserError(`The paper session "${session.sessionId}" was started with other settings: ${names}.`, {
    hint: 'Set them back to go on with it, or archive it and start another with `paper --fresh`.',
  });
}
