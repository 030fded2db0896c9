import { UserError } from '../foundation/errors.ts';

const MINUTE_MS = 60_000;

/** Bar lengths with a fixed duration, in milliseconds. Bars are aligned to the epoch. */
export const TIMEFRAME_MS = {
  '1m': MINUTE_MS,
  '3m': 3 * MINUTE_MS,
  '5m': 5 * MINUTE_MS,
  '10m': 10 * MINUTE_MS,
  '15m': 15 * MINUTE_MS,
  '30m': 30 * MINUTE_MS,
  '1h': 60 * MINUTE_MS,
  '2h': 120 * MINUTE_MS,
  '4h': 240 * MINUTE_MS,
  '6h': 360 * MINUTE_MS,
  '8h': 480 * MINUTE_MS,
  '12h': 720 * MINUTE_MS,
  '1d': 1440 * MINUTE_MS,
} as const;

/** How long a bar is, such as `1m` or `1d`; see `TIMEFRAME_MS`. */
export type Timeframe = keyof typeof TIMEFRAME_MS;

export const TIMEFRAMES: readonly string[] = Object.keys(TIMEFRAME_MS);

export const isTimeframe = (text: string): text is Timeframe => Object.hasOwn(TIMEFRAME_MS, text);

export function parseTimeframe(text: string): Timeframe {
  if (isTimeframe(text)) return text;
  throw new UserError(`Unknown timeframe "${text}".`, { hint: `Use one of: ${TIMEFRAMES.join(', ')}.` });
}

/** Bars a year on a market that never closes (365 days), the convention of every annualised figure here. */
export const barsPerYear = (timeframe: Timeframe): number =>
  (365 * 24 * 60 * MINUTE_MS) / TIMEFRAME_MS[timeframe];

/** Open time of the bar that contains `timeMs`. */
export const barOpen = (timeMs: number, timeframe: Timeframe): number =>
  Math.floor(timeMs / TIMEFRAME_MS[timeframe]) * TIMEFRAME_MS[timeframe];
