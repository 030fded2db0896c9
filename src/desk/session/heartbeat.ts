import type { Log } from '../../core/foundation/log.ts';
import { type Health, writeHealth } from './health.ts';

/** Writes the health file of a running session. It waits for nothing, and a disk that takes none of it ends nothing. */
export interface Heartbeat {
  /** `nextInMs`: longest pause before the next beat, with what the work before it may take. */
  beat(sign: Sign & { readonly nextInMs: number }): void;
  /** The last sign, written when this resolves. */
  stop(): Promise<void>;
}

/** `sinceMs`: of the state, where that is known better than from the beats. */
export type Sign = Pick<Health, 'state' | 'reason'> & { readonly sinceMs?: number };

/** What the session holds now. */
export type Standing = Pick<Health, 'lastBarMs' | 'equity' | 'positions' | 'unprotected'>;

/** Signs are this far apart unless something has changed. */
const EVERY_MS = 10_000;

export function createHeartbeat(
  folder: string,
  {
    standing,
    now,
    log,
  }: { readonly standing: () => Standing; readonly now: () => number; readonly log: Log },
): Heartbeat {
  let written: Omit<Health, 'version'> | undefined;
  let writing: Promise<void> = Promise.resolve();
  let told = false;
  const write = ({ state, reason, sinceMs }: Sign, nextMs: number): void => {
    const atMs = now();
    const before = state === written?.state ? written.sinceMs : atMs;
    const health = {
      pid: process.pid,
      atMs,
      nextMs,
      state,
      sinceMs: sinceMs ?? before,
      ...(reason !== undefined && { reason }),
      ...standing(),
      residentMb: Math.round(process.memoryUsage.rss() / 1e6),
    };
    written = health;
    writing = writing
      .then(() => writeHealth(folder, health))
      .catch((error: unknown) => {
        if (!told) log.warn({}, `the health file cannot be written: ${String(error)}`);
        told = true;
      });
  };
  return {
    beat({ nextInMs, ...sign }) {
      const isNews = sign.state !== written?.state || standing().lastBarMs !== written.lastBarMs;
      if (isNews || now() >= (written?.atMs ?? 0) + EVERY_MS) write(sign, now() + nextInMs);
    },
    async stop() {
      write({ state: 'stopped' }, now());
      await writing;
    },
  };
}
