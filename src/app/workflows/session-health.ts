import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { lockHolder } from '../../data/lock.ts';
import { readLive } from '../../desk/live/ledger.ts';
import { behind, sessionFault } from '../../desk/paper/health.ts';
import { listSessions, readStatus } from '../../desk/paper/sessions.ts';
import { liveFolder } from './live.ts';

/** A session as a supervisor sees it. */
export interface SessionHealth {
  readonly name: string;
  readonly kind: 'paper' | 'live';
  /** The process that runs it. */
  readonly pid: number | undefined;
  /** Open of the last bar. */
  readonly lastBarMs: number | undefined;
  /** What is wrong; `undefined`: it runs and sees its bars. */
  readonly fault: string | undefined;
}

/** Every session that follows an exchange. A replay of stored bars ends by itself. */
export async function sessionHealth(dataDir: string, nowMs: number): Promise<readonly SessionHealth[]> {
  const names = await listSessions(dataDir);
  const paper = await Promise.all(names.map((name) => readStatus(dataDir, name)));
  return [
    ...paper
      .filter(({ session }) => session.feed === 'exchange')
      .map((status): SessionHealth => ({
        name: status.name,
        kind: 'paper',
        pid: status.pid,
        lastBarMs: status.last?.timeMs,
        fault: sessionFault(status, nowMs),
      })),
    ...(await liveHealth(dataDir, nowMs)),
  ];
}

async function liveHealth(dataDir: string, nowMs: number): Promise<readonly SessionHealth[]> {
  const folder = join(dataDir, 'live');
  const names = existsSync(folder)
    ? readdirSync(folder).filter((name) => existsSync(join(folder, name, 'ledger.jsonl')))
    : [];
  return Promise.all(
    names.map(async (name): Promise<SessionHealth> => {
      const { session, last, halt } = await readLive(liveFolder(dataDir, name));
      const pid = (await lockHolder(`${liveFolder(dataDir, name)}.lock`))?.pid;
      const lastBarMs = last?.timeMs;
      const still =
        pid === undefined ? 'no process runs it' : behind(lastBarMs, TIMEFRAME_MS[session.timeframe], nowMs);
      return { name, kind: 'live', pid, lastBarMs, fault: halt === undefined ? still : `STOPPED: ${halt}` };
    }),
  );
}
