import { join } from 'node:path';
import { z } from 'zod';
import { duration } from '../../core/foundation/duration.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { readJson, writeFileAtomic } from '../../data/files.ts';

/** A running session's sign of life: `health.json` beside its ledger, for whoever supervises it. */
const Health = z.strictObject({
  version: z.literal(1),
  pid: z.int(),
  atMs: z.number(),
  /** The next sign comes before this time. */
  nextMs: z.number(),
  /** `stale`: the exchange does not answer; `stopped`: it has ended, which is no fault. */
  state: z.enum(['running', 'stale', 'stopped']),
  sinceMs: z.number(),
  /** What the exchange, or the lack of it, said. */
  reason: z.string().optional(),
  lastBarMs: z.number().optional(),
  residentMb: z.number(),
});
export type Health = z.output<typeof Health>;

const pathIn = (folder: string): string => join(folder, 'health.json');

/** `undefined`: there was never one, or it cannot be read: it is written again in a moment. */
export const readHealth = (folder: string): Promise<Health | undefined> =>
  readJson(pathIn(folder), Health, '').catch(() => undefined);

export const writeHealth = (folder: string, health: Omit<Health, 'version'>): Promise<void> =>
  writeFileAtomic(pathIn(folder), `${JSON.stringify({ version: 1, ...health } satisfies Health)}\n`);

/** Bars that a session may be behind before it counts as standing still. */
const BARS_BEHIND = 3;

/** What is wrong with a session that should be running; `undefined`: nothing. */
export function sessionFault(
  {
    session,
    last,
    pid,
    health,
  }: {
    readonly session: { readonly timeframe: Timeframe };
    readonly last: { readonly timeMs: number } | undefined;
    /** The process that runs it now. */
    readonly pid: number | undefined;
    readonly health: Health | undefined;
  },
  nowMs: number,
): string | undefined {
  if (pid === undefined) return 'no process runs it';
  const own = health?.pid === pid ? health : undefined;
  if (own !== undefined && nowMs > own.nextMs)
    return `no sign of life for ${duration((nowMs - own.atMs) / 1000)}`;
  if (own?.state === 'stale')
    return `feed stale for ${duration((nowMs - own.sinceMs) / 1000)}: ${own.reason ?? ''}`;
  return behind(last?.timeMs, TIMEFRAME_MS[session.timeframe], nowMs);
}

/** Said of a session whose last bar is too old. */
export function behind(lastBarMs: number | undefined, barMs: number, nowMs: number): string | undefined {
  if (lastBarMs === undefined) return undefined;
  const behindMs = nowMs - lastBarMs - barMs;
  return behindMs > BARS_BEHIND * barMs ? `no bar for ${duration(behindMs / 1000)}` : undefined;
}
