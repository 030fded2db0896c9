import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { lockHolder } from '../../data/lock.ts';
import { readLive } from '../../desk/live/ledger.ts';
import { unprotected } from '../../desk/live/protect.ts';
import type { LiveState } from '../../desk/live/state.ts';
import { type Control, readControl } from '../../desk/paper/controls.ts';
import { readHealth, sessionFault } from '../../desk/session/health.ts';
import { liveFolder } from './live.ts';

/** A live session as it stands on disk. */
export interface LiveStanding {
  readonly name: string;
  readonly folder: string;
  readonly state: LiveState;
  /** Asked for last from another terminal. */
  readonly mode: Control['mode'];
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
  const fault = sessionFault(
    {
      pid,
      barMs: TIMEFRAME_MS[state.session.timeframe],
      lastBarMs: state.last?.timeMs,
      health: await readHealth(folder),
      halt: state.halt,
      unprotected: unprotected(state),
    },
    nowMs,
  );
  const mode = (await readControl(folder))?.mode ?? 'trade';
  return { name, folder, state, mode, pid, fault };
}
