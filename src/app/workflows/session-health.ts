import { faultOf, listSessions, readStatus } from '../../desk/paper/sessions.ts';
import { liveSessions, liveStanding } from './live-standing.ts';

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
        fault: faultOf(status, nowMs),
      })),
    ...(await liveHealth(dataDir, nowMs)),
  ];
}

async function liveHealth(dataDir: string, nowMs: number): Promise<readonly SessionHealth[]> {
  const all = await Promise.all(liveSessions(dataDir).map((name) => liveStanding(dataDir, name, nowMs)));
  return all.map(({ name, state, pid, fault }) => ({
    name,
    kind: 'live',
    pid,
    lastBarMs: state.last?.timeMs,
    fault,
  }));
}
