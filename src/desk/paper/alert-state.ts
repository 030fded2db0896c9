import { join } from 'node:path';
import { z } from 'zod';
import { readJson, writeFileAtomic } from '../../data/files.ts';

/** What a session remembers of its alerts, so that a restart neither repeats nor forgets one. */
const AlertState = z.strictObject({
  version: z.literal(1),
  /** The last bar that was looked at, its open; nothing was before the first. */
  asOfMs: z.number().optional(),
  /** The highest equity so far; absent until somebody asks for a drawdown. */
  peakEquity: z.number().optional(),
  /** When the newest bar of each pair closed. */
  lastCloseMs: z.record(z.string(), z.number()),
  /** By alert: whether it was told since it came true, and when last. */
  alerts: z.record(
    z.string(),
    z.strictObject({ told: z.boolean(), toldAtMs: z.number().optional(), figure: z.string().optional() }),
  ),
  /** Told, and on no channel yet. */
  waiting: z.array(z.strictObject({ number: z.int(), id: z.string(), atMs: z.number(), text: z.string() })),
});
export type AlertState = z.output<typeof AlertState>;

const pathIn = (folder: string): string => join(folder, 'alerts.json');

/** Throws `UserError` when the file is damaged. */
export const readAlertState = (folder: string): Promise<AlertState | undefined> =>
  readJson(
    pathIn(folder),
    AlertState,
    `Delete "${pathIn(folder)}": alerts that hold now are told once more.`,
  );

export const writeAlertState = (folder: string, state: AlertState): Promise<void> =>
  writeFileAtomic(pathIn(folder), `${JSON.stringify(state)}\n`);
