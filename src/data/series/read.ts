import type { z } from 'zod';
import { plainLine } from '../../core/foundation/plain-text.ts';
import { Unanswered } from '../answer.ts';

const DAY_MS = 86_400_000;

/** The answer as `schema` describes it. Throws `Unanswered` for anything else. */
export function understood<Schema extends z.ZodType>(schema: Schema, answer: unknown): z.output<Schema> {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue.path.slice(0, 4).join('.');
  throw new Unanswered(
    `an answer of another form${where === '' ? '' : ` at ${plainLine(where, 60)}`}: ${plainLine(issue.message, 100)}`,
  );
}

/** A number, also of a text; `NaN` for nothing. Throws `Unanswered` for a text that is none. */
export function numberOf(value: string | number | null | undefined): number {
  if (value === null || value === undefined || value === '') return NaN;
  const number = Number(value);
  if (Number.isFinite(number)) return number;
  throw new Unanswered(`"${plainLine(String(value), 40)}" where a number is expected`);
}

export const startOfDay = (timeMs: number): number => Math.floor(timeMs / DAY_MS) * DAY_MS;
