import { UserError } from './errors.ts';

/**
 * Epoch milliseconds of an ISO 8601 date or time. A date alone is its midnight, and a time without a zone
 * is UTC: the machine's own time zone never matters.
 */
export function parseTime(text: string): number {
  const trimmed = text.trim();
  const zoned = /^\d{4}-\d{2}-\d{2}$/.test(trimmed)
    ? `${trimmed}T00:00:00Z`
    : /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/.test(trimmed)
      ? `${trimmed.replace(' ', 'T')}Z`
      : trimmed;
  const time = /^\d{4}-\d{2}-\d{2}/.test(zoned) ? Date.parse(zoned) : NaN;
  // Date.parse accepts 2025-02-30 in some engines and rolls it over; the day must survive the round trip.
  if (Number.isNaN(time) || !sameDay(zoned, time)) {
    throw new UserError(`Cannot read "${text}" as a date.`, {
      hint: 'Write it as 2025-01-31 or 2025-01-31T12:00:00Z (UTC).',
    });
  }
  return time;
}

/** The end of a range: a date alone includes that day, a time is the first moment that is outside. */
export function parseUntil(text: string): number {
  const time = parseTime(text);
  return /^\d{4}-\d{2}-\d{2}$/.test(text.trim()) ? time + DAY_MS : time;
}

const DAY_MS = 86_400_000;

/** `2025-01-31T12:00:00.000Z`. */
export const formatTime = (timeMs: number): string => new Date(timeMs).toISOString();

function sameDay(zoned: string, time: number): boolean {
  if (!zoned.endsWith('Z')) return true;
  return new Date(time).toISOString().slice(0, 10) === zoned.slice(0, 10);
}

/** `2025-01-31`, UTC. */
export const formatDay = (timeMs: number): string => formatTime(timeMs).slice(0, 10);

/** `2025-01-31 12:00`, UTC: for people, where seconds do not matter. JSON takes `formatTime`. */
export const formatMinute = (timeMs: number): string => formatTime(timeMs).slice(0, 16).replace('T', ' ');
