import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { formatTime } from '../../core/foundation/time.ts';
import { makeFolder, syncFolder } from '../../data/files.ts';
import { acquireLock } from '../../data/lock.ts';
import { UserError } from '../../core/foundation/errors.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { RiskRules } from '../../core/trading/risk/rules.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import { readSession } from './ledger.ts';
import { ARCHIVE, lockOf, sessionFolder, sessionsFolder } from './sessions.ts';
import { ensembleOf, type SessionRecord, strategyOf, symbolsOf } from './record.ts';
import { type PaperSession, resumeSession, startSession } from './session.ts';

/** What a session trades. One session of a name is current; others are archived. */
export interface Terms {
  readonly feed: SessionRecord['feed'];
  readonly exchange: string;
  readonly timeframe: Timeframe;
  readonly symbols: readonly PairSymbol[];
  readonly rules: ExecutionRules;
  /** Limits above the strategy; `undefined`: none. */
  readonly risk: RiskRules | undefined;
  readonly synthetic: boolean;
  /** The training run whose models decide. */
  readonly runId: string;
  /** What decides on the forecasts. */
  readonly strategy: NonNullable<SessionRecord['strategy']>;
  /** How forecasts become one. */
  readonly ensemble: NonNullable<SessionRecord['ensemble']>;
}

interface OpenOptions {
  /** Archive the current session and start another. */
  readonly fresh: boolean;
  /** What nobody chose: a session that exists keeps what it was started with. */
  readonly keeps: { readonly strategy: boolean; readonly ensemble: boolean };
  readonly nowMs: number;
  /** Asked only when a session starts: its answer is recorded and kept. */
  readonly instruments: () => Promise<readonly Instrument[]>;
}

/**
 * Resumes the session of these terms or starts one, as the only process that may write it. Throws `UserError`
 * when another process runs it, when its ledger is damaged, or when it was started under other terms.
 */
export async function openSession(
  dataDir: string,
  name: string,
  terms: Terms,
  options: OpenOptions,
): Promise<PaperSession> {
  const folder = sessionFolder(dataDir, name);
  const lock = await acquireLock(lockOf(folder), { waitMs: 0, purpose: `paper trading ${name}` });
  try {
    if (options.fresh) await archive(dataDir, folder);
    const session =
      (await resumeSession(folder)) ?? (await startSession(folder, await describe(name, terms, options)));
    try {
      assertSameTerms(session.session, {
        ...terms,
        strategy: options.keeps.strategy ? undefined : terms.strategy,
        ensemble: options.keeps.ensemble ? undefined : terms.ensemble,
      });
    } catch (error) {
      await session.close();
      throw error;
    }
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

/** What a session is called when nobody named it. */
export const defaultName = ({
  exchange,
  timeframe,
  feed,
}: Pick<Terms, 'exchange' | 'timeframe' | 'feed'>): string =>
  feed === 'stored' ? `${exchange}-${timeframe}-stored` : `${exchange}-${timeframe}`;

async function describe(
  name: string,
  terms: Terms,
  { nowMs, instruments }: OpenOptions,
): Promise<SessionRecord> {
  const { feed, exchange, timeframe, rules, risk, synthetic, runId, strategy, ensemble } = terms;
  const stamp = formatTime(nowMs).replace(/[-:]|\.\d+/g, '');
  return {
    kind: 'session',
    version: 1,
    sessionId: `${name}-${stamp}`,
    startedAtMs: nowMs,
    feed,
    exchange,
    timeframe,
    synthetic,
    runId,
    instruments: [...(await instruments())],
    rules,
    strategy,
    ensemble,
    risk: risk && { ...risk, protections: [...risk.protections] },
  };
}

/** Moves the current session to `archive/<sessionId>` in one step; a damaged ledger goes there too. */
async function archive(dataDir: string, folder: string): Promise<void> {
  const found = await readSession(folder).catch((error: unknown) => {
    if (error instanceof UserError) return { session: { sessionId: `damaged-${Date.now()}` } };
    throw error;
  });
  if (found === undefined) return;
  const archived = join(sessionsFolder(dataDir), ARCHIVE);
  makeFolder(archived);
  await rename(folder, join(archived, found.session.sessionId));
  await syncFolder(archived);
  await syncFolder(sessionsFolder(dataDir));
}

function assertSameTerms(
  session: SessionRecord,
  {
    strategy,
    ensemble,
    ...terms
  }: Omit<Terms, 'strategy' | 'ensemble'> & {
    readonly [key in 'strategy' | 'ensemble']: Terms[key] | undefined;
  },
): void {
  const { exchange, timeframe, feed } = terms;
  const now = {
    symbols: terms.symbols,
    exchange,
    timeframe,
    feed,
    risk: terms.risk,
    ...terms.rules,
    ...(strategy && { strategy }),
    ...(ensemble && { ensemble }),
  };
  const then = {
    strategy: strategyOf(session),
    ensemble: ensembleOf(session),
    symbols: symbolsOf(session),
    exchange: session.exchange,
    timeframe: session.timeframe,
    feed: session.feed,
    risk: session.risk,
    ...session.rules,
  };
  const changed = Object.entries(now).filter(
    ([key, value]) => !isDeepStrictEqual(value, Object.entries(then).find(([name]) => name === key)?.[1]),
  );
  if (changed.length === 0) return;
  const names = changed.map(([key]) => `"${key}"`).join(', ');
  throw new UserError(`The paper session "${session.sessionId}" was started with other settings: ${names}.`, {
    hint: 'Set them back to resume it, archive it and start another with `paper --fresh`, or run another beside it: `paper --name <name>`.',
  });
}
