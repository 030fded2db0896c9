import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { duration } from '../../core/foundation/duration.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { lockHolder } from '../../data/lock.ts';
import { behind } from '../../desk/paper/health.ts';
import { readHealth } from '../../desk/live/health.ts';
import { readLive } from '../../desk/live/ledger.ts';
import { unprotected } from '../../desk/live/protect.ts';
import type { LiveState } from '../../desk/live/state.ts';
import { liveFolder } from './live.ts';

/** A live session as it stands on disk. */
export interface LiveStanding {
  readonly name: string;
  readonly folder: string;
  readonly state: LiveState;
  /** Of the process that runs it. */
  readonly pid: number | undefined;
  /** Why somebody has to look; `undefined`: all is well. */
  readonly fault: string | undefined;
}

/** Names of all live sessions of a project. */
export function liveSessions(dataDir: string): readonly string[] {
  const folder = join(dataDir, 'live');
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => existsSync(join(folder, name, 'ledger.jsonl')));
}

/** Throws `UserError` when the ledger is damaged. */
export async function liveStanding(dataDir: string, name: string, nowMs: number): Promise<LiveStanding> {
  const folder = liveFolder(dataDir, name);
  const state = await readLive(folder);
  const pid = (await lockHolder(`${folder}.lock`))?.pid;
  const health = await readHealth(folder);
  const bare = unprotected(state);
  const silentMs =
    health?.pid === pid && health !== undefined && nowMs > health.goodUntilMs && nowMs - health.atMs;
  const fault =
    pid === undefined
      ? 'no process runs it'
      : state.halt !== undefined
        ? `trading is STOPPED: ${state.halt}`
        : silentMs
          ? `process ${pid} has been silent for ${duration(silentMs / 1000)}`
          : bare.length > 0
            ? `UNPROTECTED: ${bare.join(', ')} (the exchange took no stop)`
            : behind(state.last?.timeMs, TIMEFRAME_MS[state.session.timeframe], nowMs);
  return { name, folder, state, pid, fault };
}
