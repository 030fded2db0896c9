import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { formatTime } from '../../core/foundation/time.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { lockHolder } from '../../data/lock.ts';
import type { Store } from '../../data/store/store.ts';
import { listSessions, readStatus } from '../../desk/paper/sessions.ts';
import { activeRunId } from '../../learning/training/active-run.ts';
import { listRuns } from '../../learning/training/run-folder.ts';

/** Where a project stands, and the first thing that stands in the way of a running paper session. */
export async function projectStanding({
  settingsFile,
  exchange,
  timeframe,
  symbols,
  dataDir,
  checkpointDir,
  store,
  nowMs,
}: {
  readonly settingsFile: string;
  readonly exchange: string;
  readonly timeframe: Timeframe;
  readonly symbols: readonly PairSymbol[];
  readonly dataDir: string;
  readonly checkpointDir: string;
  readonly store: Store;
  readonly nowMs: number;
}) {
  const configured = existsSync(settingsFile);
  const stored = await store.list();
  const wanted = symbols.map((symbol) => ({
    symbol,
    manifest: stored.find(
      (one) => one.exchange === exchange && one.symbol === symbol && one.timeframe === timeframe,
    ),
  }));
  const missing = wanted.filter(({ manifest }) => manifest === undefined).map(({ symbol }) => symbol);
  const newestMs = Math.min(...wanted.map(({ manifest }) => manifest?.lastTimeMs ?? -Infinity));
  const behindMs = nowMs - newestMs - TIMEFRAME_MS[timeframe];
  const runs = await listRuns(checkpointDir);
  const active = await activeRunId(checkpointDir);
  const sessions = await Promise.all((await listSessions(dataDir)).map((name) => readStatus(dataDir, name)));
  const unfinished = runs.find(({ result }) => result === undefined);
  const next = nextStep({
    configured,
    missing,
    stale: behindMs > 2 * TIMEFRAME_MS[timeframe],
    complete: runs.some(({ result }) => result !== undefined),
    unfinished: unfinished?.runId,
    training: unfinished !== undefined && (await lockHolder(join(unfinished.path, '.lock'))) !== undefined,
    active,
    sessions: sessions.length,
    running: sessions.some(({ pid }) => pid !== undefined),
  });
  return {
    configFile: configured ? settingsFile : null,
    market: { exchange, timeframe, symbols, missing },
    newestBar: Number.isFinite(newestMs) ? formatTime(newestMs) : null,
    runs: runs.length,
    activeRun: active ?? null,
    sessions: sessions.map(({ name, pid }) => ({ name, running: pid !== undefined })),
    next,
  };
}

interface Standing {
  readonly configured: boolean;
  readonly missing: readonly string[];
  readonly stale: boolean;
  readonly complete: boolean;
  readonly unfinished: string | undefined;
  /** A process trains it now. */
  readonly training: boolean;
  readonly active: string | undefined;
  readonly sessions: number;
  readonly running: boolean;
}

function nextStep(at: Standing): { readonly why: string; readonly command: string } {
  if (!at.configured && at.missing.length > 0 && !at.complete)
    return {
      why: 'This folder holds no project yet.',
      command: 'crypto-trader init (or crypto-trader demo for the whole job once)',
    };
  if (at.missing.length > 0) return { why: 'Candles are missing.', command: 'crypto-trader fetch' };
  if (at.training && !at.complete)
    return {
      why: `The run ${at.unfinished ?? ''} is being trained.`,
      command: 'crypto-trader dashboard --view training',
    };
  if (at.unfinished !== undefined && !at.complete)
    return {
      why: `The run ${at.unfinished} was stopped.`,
      command: `crypto-trader train --mode resume --run ${at.unfinished}`,
    };
  if (!at.complete) return { why: 'Nothing is trained.', command: 'crypto-trader train --mode quick' };
  if (at.active === undefined)
    return { why: 'No run is active.', command: 'crypto-trader models activate <run>' };
  if (at.running) return { why: 'A paper session is running.', command: 'crypto-trader dashboard' };
  if (at.stale)
    return {
      why: 'The candles are not of today.',
      command: 'crypto-trader fetch, then crypto-trader signals',
    };
  if (at.sessions > 0)
    return { why: 'The paper session is stopped.', command: 'crypto-trader paper (it resumes where it was)' };
  return { why: 'Ready.', command: 'crypto-trader backtest, then crypto-trader paper' };
}
