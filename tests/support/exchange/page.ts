import {
  CANDLE_COLUMNS,
  type Candles,
  concatCandles,
  emptyCandles,
  sliceCandles,
} from '../../../src/core/market/candles.ts';
import { TIMEFRAME_MS, type Timeframe } from '../../../src/core/market/timeframe.ts';
import type { Fault } from './faults.ts';
import { barsAsOf, type Pair } from './market.ts';

interface PageRequest {
  readonly pair: Pair;
  readonly timeframe: Timeframe;
  readonly sinceMs: number | undefined;
  readonly untilMs: number | undefined;
  readonly limit: number;
  readonly nowMs: number;
  readonly faults: readonly Fault[];
}

/** Candles as an exchange pages them: the first `limit` from `sinceMs` on, else the newest ones. */
export function candlePage(request: PageRequest): Candles {
  const { pair, timeframe, limit, nowMs, faults } = request;
  const step = TIMEFRAME_MS[timeframe];
  const struck = (kind: Fault['kind']): boolean => faults.some((fault) => fault.kind === kind);
  if (struck('empty-page')) return emptyCandles(0);
  const early = struck('old-page') ? limit : struck('overlap') ? 5 : 0;
  const sinceMs = request.sinceMs === undefined ? undefined : request.sinceMs - early * step;
  const untilMs = request.untilMs ?? Infinity;
  const late = faults.find((fault) => fault.kind === 'late');
  const publishedMs = late === undefined ? Infinity : nowMs - late.offsetMs - step + 1;
  const known = barsAsOf(pair, timeframe, {
    ...(sinceMs === undefined ? {} : { sinceMs }),
    untilMs: Math.min(untilMs, publishedMs),
    nowMs,
  });
  const rows = known.time.length;
  const page =
    sinceMs === undefined
      ? sliceCandles(known, Math.max(0, rows - limit))
      : sliceCandles(known, 0, Math.min(limit, rows));
  const middle = page.time.length >> 1;
  return struck('duplicate')
    ? concatCandles([sliceCandles(page, 0, middle + 1), sliceCandles(page, middle)])
    : strikeRows(page, faults);
}

/** The page with one row made impossible, or with all its times wrong or out of order. */
function strikeRows(page: Candles, faults: readonly Fault[]): Candles {
  const rows = page.time.length;
  if (rows === 0) return page;
  for (const { kind, atMs } of faults) {
    const i = atMs === undefined ? rows >> 1 : page.time.indexOf(atMs);
    if (i < 0) continue;
    const { time, open, high, low, close } = page;
    if (kind === 'nan') close[i] = NaN;
    if (kind === 'zero') low[i] = 0;
    if (kind === 'negative') open[i] = -1;
    if (kind === 'infinite') high[i] = Infinity;
    if (kind === 'huge') high[i] = 1e300;
    if (kind === 'thousandfold') for (const prices of [open, high, low, close]) prices[i] *= 1000;
    if (kind === 'inverted') high[i] = low[i] / 2;
    if (kind === 'off-grid') time[i] += 1;
    if (kind === 'seconds') time.set(time.map((ms) => ms / 1000));
    if (kind === 'microseconds') time.set(time.map((ms) => ms * 1000));
    if (kind === 'reversed') for (const column of CANDLE_COLUMNS) page[column].reverse();
    if (kind === 'shuffled' && rows > 2)
      for (const column of CANDLE_COLUMNS)
        [page[column][0], page[column][rows - 1]] = [page[column][rows - 1], page[column][0]];
  }
  return page;
}

export const rowsOf = (candles: Candles): number[][] =>
  Array.from(candles.time, (_, row) => CANDLE_COLUMNS.map((column) => candles[column][row]));
