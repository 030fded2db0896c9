import { join } from 'node:path';
import { z } from 'zod';
import { readJson, writeFileAtomic } from '../../data/files.ts';
import type { Decision } from './step.ts';

/**
 * What somebody asked of a session from another terminal. It is a file beside the ledger, so it holds over restarts,
 * and the session reads it before each bar.
 */
const Control = z.strictObject({
  version: z.literal(1),
  /**
   * `trade`: decisions are placed. `pause`: they are recorded and not placed; what is held stays, with its stops.
   * `flatten`: everything held is sold at the next open, then as `pause`.
   */
  mode: z.enum(['trade', 'pause', 'flatten']),
  sinceMs: z.number(),
});
export type Control = z.output<typeof Control>;

const pathIn = (folder: string): string => join(folder, 'control.json');

/** What was asked last; `undefined` when nothing ever was. Throws `UserError` when the file is damaged. */
export const readControl = (folder: string): Promise<Control | undefined> =>
  readJson(pathIn(folder), Control, 'Ask again: `paper pause`, `paper flatten` or `paper resume`.');

/** On disk when this returns: a session that runs heeds it at its next bar, one that does not when it starts. */
export async function writeControl(folder: string, control: Omit<Control, 'version'>): Promise<void> {
  await writeFileAtomic(pathIn(folder), `${JSON.stringify({ version: 1, ...control } satisfies Control)}\n`);
}

/** A decision as it may be carried out. What was missed stays missed: its open has passed. */
export function heed(decision: Decision, control: Control | undefined): Decision {
  if (decision.decision !== 'placed' || control === undefined) return decision;
  switch (control.mode) {
    case 'trade':
      return decision;
    case 'pause':
      return { ...decision, decision: 'paused' };
    case 'flatten':
      return { ...decision, decision: 'flattened' };
  }
}
