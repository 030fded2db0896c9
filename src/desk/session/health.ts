import { join } from 'node:path';
import { z } from 'zod';
import { duration } from '../../core/foundation/duration.ts';
import { readJson, writeFileAtomic } from '../../data/files.ts';

/** A running session's sign of life, paper or live: `health.json` beside its ledger, by this machine's clock, for whoever supervises it. */
const Health = z.strictObject({
  version: z.literal(2),
  pid: z.int(),
  atMs: z.number(),
  /** The next sign comes before this time, unless the process is stuck. */
  nextMs: z.number(),
  /** `stale`: the exchange does not answer; `halted`: a live session orders nothing; `stopped`: it has ended, which is no fault. */
  state: z.enum(['running', 'stale', 'halted', 'stopped']),
  sinceMs: z.number(),
  /** What the exchange, or the lack of it, said. */
  reason: z.string().optional(),
  /** Open of the last bar. */
  lastBarMs: z.number().optional(),
  equity: z.number(),
  /** How many are held. */
  positions: z.int().min(0),
  /** Pairs that are held and should have a stop at the exchange, which took none. */
  unprotected: z.array(z.string()),
  residentMb: z.number(),
});
export type Health = z.output<typeof Health>;

const pathIn = (folder: string): string => join(folder, 'health.json');

/** `undefined`: there was never one, or it cannot be read: it is written again in a moment. */
export const readHealth = (folder: string): Promise<Health | undefined> =>
  readJson(pathIn(folder), Health, '').catch(() => undefined);

export const writeHealth = (folder: string, health: Omit<Health, 'version'>): Promise<void> =>
  writeFileAtomic(pathIn(folder), `${JSON.stringify({ version: 2, ...health } satisfies Health)}\n`);

/** A request that is asked again, or an order in flight, is no fault yet. */
const STALE_AFTER_MS = 60_000;
/** Bars that a session may be behind before it counts as standing still. */
const BARS_BEHIND = 3;

/** What is wrong with a session that should be running; `undefined`: nothing. */
export function sessionFault(
  of: {
    readonly barMs: number;
    /** Open of the last bar on record. */
    readonly lastBarMs: number | undefined;
    /** The process that runs it now. */
    readonly pid: number | undefined;
    readonly health: Health | undefined;
    /** Why it orders nothing, and what is held without its stop, as the ledger of a live session says. */
    readonly halt?: string | undefined;
    readonly unprotected?: readonly string[];
  },
  nowMs: number,
): string | undefined {
  const { pid, halt, unprotected = [], lastBarMs, barMs } = of;
  if (pid === undefined) return 'no process runs it';
  if (halt !== undefined) return `trading is STOPPED: ${halt}`;
  // A file of the process before says nothing about this one.
  const own = of.health?.pid === pid ? of.health : undefined;
  if (own !== undefined && nowMs > own.nextMs)
    return `no sign of life for ${duration((nowMs - own.atMs) / 1000)}`;
  if (unprotected.length > 0) return `UNPROTECTED: ${unprotected.join(', ')} (the exchange took no stop)`;
  if (own?.state === 'stale' && nowMs - own.sinceMs > STALE_AFTER_MS)
    return `feed stale for ${duration((nowMs - own.sinceMs) / 1000)}: ${own.reason ?? ''}`;
  if (lastBarMs === undefined) return undefined;
  const behindMs = nowMs - lastBarMs - barMs;
  return behindMs > BARS_BEHIND * barMs ? `no bar for ${duration(behindMs / 1000)}` : undefined;
}
