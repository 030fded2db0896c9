import { type Candles, sliceCandles } from '../../core/market/candles.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { TimeRange } from '../time-range.ts';

const DAY_MS = 86_400_000;

/** From so many bars on a month is costly to write again for each new one. */
const MANY_BARS = 5000;

/**
 * Where the rows of a dataset stand: those of a month (UTC) in one file, and the newest day in a file of its own once a month has
 * room for many bars before it, so that what follows a market minute by minute writes that day again and not the month. It depends on
 * the candles alone, as the fingerprint has to.
 */
export interface Layout {
  /** Rows from here on are the newest day's. */
  readonly apartMs: number;
}

export function layoutOf(timeframe: Timeframe, lastTimeMs: number): Layout {
  const dayMs = Math.floor(lastTimeMs / DAY_MS) * DAY_MS;
  const daysBefore = new Date(dayMs).getUTCDate() - 1;
  const isApart = (daysBefore * DAY_MS) / TIMEFRAME_MS[timeframe] >= MANY_BARS;
  return { apartMs: isApart ? dayMs : Infinity };
}

/** `yyyy-mm.parquet`, or `yyyy-mm-dd.parquet`. */
export const fileOf = (timeMs: number, { apartMs }: Layout): string =>
  `${new Date(timeMs).toISOString().slice(0, timeMs < apartMs ? -17 : -14)}.parquet`;

export const PART_FILE = /^\d{4,6}-\d\d(-\d\d)?\.parquet$/;
export const DAY_FILE = /^\d{4,6}-\d\d-\d\d\.parquet$/;

/** Whether the file may hold rows of the month `yyyy-mm`. */
export const isOfMonth = (file: string, month: string): boolean =>
  file === `${month}.parquet` || file.startsWith(`${month}-`);

/** The times that a file may hold. */
export function spanOf(file: string): TimeRange {
  const [year, month, day] = file.replace('.parquet', '').split('-').map(Number);
  if (day === undefined) return { fromMs: Date.UTC(year, month - 1), untilMs: Date.UTC(year, month) };
  return { fromMs: Date.UTC(year, month - 1, day), untilMs: Date.UTC(year, month - 1, day + 1) };
}

/** The rows of each file as views. */
export function splitByFile(candles: Candles, layout: Layout): ReadonlyMap<string, Candles> {
  const files = new Map<string, Candles>();
  const { time } = candles;
  for (let from = 0; from < time.length;) {
    const file = fileOf(time[from], layout);
    const untilMs = Math.min(spanOf(file).untilMs, time[from] < layout.apartMs ? layout.apartMs : Infinity);
    let to = from + 1;
    while (to < time.length && time[to] < untilMs) to++;
    files.set(file, sliceCandles(candles, from, to));
    from = to;
  }
  return files;
}
