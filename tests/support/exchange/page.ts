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
  const known = barsAsOf(pair, timeframe, { ...(sinceMs === undefined ? {} : { sinceMs }), untilMs, nowMs });
  const rows = known.time.length;
  const page =
    sinceMs === undefined
      ? sliceCandles(known, Math.max(0, rows - limit))
      : sliceCandles(known, 0, Math.min(limit, rows));
  const middle = page.time.length >> 1;
  if (struck('nan') && page.time.length > 0) page.close[middle] = NaN;
  if (struck('zero') && page.time.length > 0) page.low[middle] = 0;
  return struck('duplicate')
    ? concatCandles([sliceCandles(page, 0, middle + 1), sliceCandles(page, middle)])
    : page;
}

export const rowsOf = (candles: Candles): number[][] =>
  Array.from(candles.time, (_, row) => CANDLE_COLUMNS.map((column) => candles[column][row]));
