import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { suggest } from '../../core/foundation/nearest.ts';
import { readJson, writeFileAtomic } from '../../data/files.ts';
import { withLock } from '../../data/lock.ts';
import { type Condition, conditionText, parseCondition } from './alert.ts';

/** An alert as its user asked for it. */
export interface Alert {
  readonly id: string;
  readonly condition: Condition;
  /** The session that watches for it; `undefined`: every one that trades what it is about. */
  readonly session: string | undefined;
  /** Told once and then over; else each time that it comes true again. */
  readonly once: boolean;
  /** Least time between two messages about it. */
  readonly quietMs: number;
  readonly createdAtMs: number;
}

const AlertRecord = z.strictObject({
  id: z.string().regex(/^a\d{1,9}$/),
  when: z.string().max(300),
  session: z.string().optional(),
  once: z.boolean(),
  quietMs: z.number().min(0),
  createdAtMs: z.number(),
});

const Book = z.strictObject({
  version: z.literal(1),
  /** Numbers are never given twice: what a session remembers of a removed alert must not fit another. */
  next: z.int().min(1),
  alerts: z.array(AlertRecord),
});
type Book = z.output<typeof Book>;

/** More than anybody reads, and few enough to be checked at every bar. */
const MOST_ALERTS = 500;

const pathIn = (dataDir: string): string => join(dataDir, 'alerts.json');
const read = async (dataDir: string): Promise<Book> =>
  (await readJson(
    pathIn(dataDir),
    Book,
    `Correct it, or delete "${pathIn(dataDir)}" and add your alerts again.`,
  )) ?? { version: 1, next: 1, alerts: [] };

/** All alerts, oldest first. Throws `UserError` when their file is damaged. */
export async function readAlerts(dataDir: string): Promise<readonly Alert[]> {
  return (await read(dataDir)).alerts.map(({ when, session, ...alert }) => ({
    ...alert,
    session,
    condition: parseCondition(when),
  }));
}

/** On disk when this returns. Sessions that run heed it from their next bar on. */
export const addAlert = (
  dataDir: string,
  { condition, session, ...alert }: Omit<Alert, 'id'>,
): Promise<Alert> =>
  change(dataDir, (book) => {
    if (book.alerts.length >= MOST_ALERTS)
      throw new UserError(`There are ${book.alerts.length} alerts, as many as are kept.`, {
        hint: 'Remove some: crypto-trader alerts remove <id>.',
      });
    const id = `a${book.next}`;
    const record = {
      ...alert,
      id,
      when: conditionText(condition),
      ...(session !== undefined && { session }),
    };
    return [
      { ...book, next: book.next + 1, alerts: [...book.alerts, record] },
      { ...alert, id, condition, session },
    ];
  });

/** Throws `UserError` when one of `ids` is none: then nothing is removed. */
export const removeAlerts = (dataDir: string, ids: readonly string[]): Promise<void> =>
  change(dataDir, (book) => {
    const known = book.alerts.map(({ id }) => id);
    const unknown = ids.find((id) => !known.includes(id));
    if (unknown !== undefined)
      throw new UserError(`There is no alert "${unknown}".`, {
        hint: known.length === 0 ? 'There is none at all.' : suggest(unknown, known),
      });
    return [{ ...book, alerts: book.alerts.filter(({ id }) => !ids.includes(id)) }, undefined];
  });

const change = <T>(dataDir: string, edit: (book: Book) => readonly [Book, T]): Promise<T> =>
  withLock(`${pathIn(dataDir)}.lock`, { waitMs: 10_000, purpose: 'changing alerts' }, async () => {
    const [book, result] = edit(await read(dataDir));
    await writeFileAtomic(pathIn(dataDir), `${JSON.stringify(book, null, 2)}\n`);
    return result;
  });
