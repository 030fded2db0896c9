import { UserError } from '../foundation/errors.ts';
import { barOpen, isTimeframe, type Timeframe, TIMEFRAME_MS, TIMEFRAMES } from './timeframe.ts';

/** Bar lengths that bars can be made to: those of the store, weeks (from Monday) and months, all at midnight UTC. */
export type BarLength = Timeframe | '1w' | '1M';

const DAY_MS = TIMEFRAME_MS['1d'];
const WEEK_MS = 7 * DAY_MS;
/** The first Monday of the epoch, 5 January 1970. */
const MONDAY_MS = 4 * DAY_MS;

export function parseBarLength(text: string): BarLength {
  if (isTimeframe(text) || text === '1w' || text === '1M') return text;
  throw new UserError(`Unknown bar length "${text}".`, {
    hint: `Use one of: ${[...TIMEFRAMES, '1w', '1M'].join(', ')}.`,
  });
}

/** Open time of the bar of `length` that contains `timeMs`. */
export function openOfBar(timeMs: number, length: BarLength): number {
  if (length === '1w') return Math.floor((timeMs - MONDAY_MS) / WEEK_MS) * WEEK_MS + MONDAY_MS;
  if (length !== '1M') return barOpen(timeMs, length);
  const date = new Date(timeMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}

/** When the bar of `length` that opened at `openMs` is over: only from then on it is known. */
export function closeOfBar(openMs: number, length: BarLength): number {
  if (length === '1w') return openMs + WEEK_MS;
  if (length !== '1M') return openMs + TIMEFRAME_MS[length];
  const date = new Date(openMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
}

/** The shortest that a bar of `length` can be, in milliseconds. */
export const shortestMs = (length: BarLength): number =>
  length === '1M' ? 28 * DAY_MS : length === '1w' ? WEEK_MS : TIMEFRAME_MS[length];

/** The longest. */
export const longestMs = (length: BarLength): number => (length === '1M' ? 31 * DAY_MS : shortestMs(length));

/** Whether bars of `length` can be made of whole bars of `part`. */
export const isMadeOf = (length: BarLength, part: Timeframe): boolean =>
  length === '1w' || length === '1M'
    ? DAY_MS % TIMEFRAME_MS[part] === 0
    : TIMEFRAME_MS[length] % TIMEFRAME_MS[part] === 0;
