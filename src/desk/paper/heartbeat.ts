import type { Log } from '../../core/foundation/log.ts';
import { type Health, writeHealth } from './health.ts';
import type { Cycle } from './run.ts';

/** Writes the health file of a running session. It waits for nothing, and a disk that takes none of it ends nothing. */
export interface Heartbeat {
  beat(feed: Cycle['feed'], lastBarMs: number | undefined): void;
  /** The last sign, written when this resolves. */
  stop(lastBarMs: number | undefined): Promise<void>;
}

/** Signs are this far apart unless something has changed. */
const EVERY_MS = 10_000;
/** Longest that a machine at work may take for a poll. */
const GRACE_MS = 60_000;

export function createHeartbeat(
  folder: string,
  { intervalMs, now, log }: { readonly intervalMs: number; readonly now: () => number; readonly log: Log },
): Heartbeat {
  let written: Omit<Health, 'version'> | undefined;
  let writing: Promise<void> = Promise.resolve();
  let told = false;
  const write = (health: Omit<Health, 'version'>): void => {
    written = health;
    writing = writing
      .then(() => writeHealth(folder, health))
      .catch((error: unknown) => {
        if (!told) log.warn({}, `the health file cannot be written: ${String(error)}`);
        told = true;
      });
  };
  const signOf = (lastBarMs: number | undefined) => ({
    pid: process.pid,
    atMs: now(),
    ...(lastBarMs !== undefined && { lastBarMs }),
    residentMb: Math.round(process.memoryUsage.rss() / 1e6),
  });
  return {
    beat(feed, lastBarMs) {
      const state = feed.kind === 'stale' ? 'stale' : 'running';
      const isNews = state !== written?.state || lastBarMs !== written.lastBarMs;
      if (!isNews && now() < (written?.atMs ?? 0) + EVERY_MS) return;
      const waitMs = feed.kind === 'stale' ? feed.retryInMs : intervalMs;
      const sinceMs =
        feed.kind === 'stale' ? feed.sinceMs : written?.state === 'running' ? written.sinceMs : now();
      write({
        ...signOf(lastBarMs),
        nextMs: now() + waitMs + GRACE_MS,
        state,
        sinceMs,
        ...(feed.kind === 'stale' && { reason: feed.reason }),
      });
    },
    async stop(lastBarMs) {
      write({ ...signOf(lastBarMs), nextMs: now(), state: 'stopped', sinceMs: now() });
      await writing;
    },
  };
}
