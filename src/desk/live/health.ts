import { join } from 'node:path';
import { z } from 'zod';
import { readJson, writeFileAtomic } from '../../data/files.ts';
import { off } from '../paper/record.ts';
import { LONGEST_PAUSE_MS } from './pause.ts';
import { unprotected } from './protect.ts';
import type { Standing } from './reconcile.ts';
import type { LiveState } from './state.ts';

/** How a session stands, for supervisors: a file beside its ledger, by this machine's clock. */
const Health = z.strictObject({
  version: z.literal(1),
  pid: z.int(),
  atMs: z.number(),
  /** It is written again by then, unless the process is stuck. */
  goodUntilMs: z.number(),
  /** Of the last poll, as `Standing`. */
  standing: z.enum(['known', 'unknown', 'other']),
  reason: off(z.string()),
  halt: off(z.string()),
  lastBarMs: off(z.number()),
  equity: z.number(),
  positions: z.int().min(0),
  unprotected: z.array(z.string()),
});
export type Health = z.output<typeof Health>;

const pathIn = (folder: string): string => join(folder, 'health.json');

/** What was written last; `undefined`: nothing yet. Throws `UserError` when the file is damaged. */
export const readHealth = (folder: string): Promise<Health | undefined> =>
  readJson(pathIn(folder), Health, 'Delete it: a running session writes it again.');

const WRITTEN_EVERY_MS = 10_000;
/** What a poll itself may take: requests that wait for their time-out, one after another. */
const POLL_TAKES_MS = 120_000;

/** Writes the file when the standing changes, and every ten seconds while polls come. */
export function createHealth(
  folder: string,
  state: LiveState,
  { intervalMs }: { readonly intervalMs: number },
) {
  let written: Health | undefined;
  return async (standing: Standing, nowMs: number): Promise<void> => {
    const { halt, last, account } = state;
    const changed = written?.standing !== standing.kind || written.halt !== halt;
    if (written !== undefined && !changed && nowMs - written.atMs < WRITTEN_EVERY_MS) return;
    written = {
      version: 1,
      pid: process.pid,
      atMs: nowMs,
      goodUntilMs: nowMs + Math.max(intervalMs, LONGEST_PAUSE_MS) + POLL_TAKES_MS,
      standing: standing.kind,
      reason: standing.kind === 'known' ? undefined : standing.reason,
      halt,
      lastBarMs: last?.timeMs,
      equity: account.equity(),
      positions: account.positions().length,
      unprotected: [...unprotected(state)],
    };
    await writeFileAtomic(pathIn(folder), `${JSON.stringify(written)}\n`);
  };
}
