import { type Candles, CANDLE_COLUMNS } from './candles.ts';
import { type Timeframe, TIMEFRAME_MS } from './timeframe.ts';

/**
 * Numbers that arrive one by one beside a market: funding rates, index closes, another market's bars. `time` is
 * when what a row describes began, `known` when the row could first be read; both epoch milliseconds UTC,
 * `time` ascending without duplicates, `known` never descending. A value that a row lacks is `NaN`.
 */
export interface TimedSeries {
  readonly time: Float64Array;
  readonly known: Float64Array;
  readonly columns: Readonly<Record<string, Float64Array>>;
}

/** Rows [from, to) as views on the same memory. */
export function sliceSeries(series: TimedSeries, from: number, to = series.time.length): TimedSeries {
  return {
    time: series.time.subarray(from, to),
    known: series.known.subarray(from, to),
    columns: Object.fromEntries(
      Object.entries(series.columns).map(([name, values]) => [name, values.subarray(from, to)]),
    ),
  };
}

/** What was known at `nowMs`. */
export function knownAt(series: TimedSeries, nowMs: number): TimedSeries {
  let rows = series.known.length;
  while (rows > 0 && series.known[rows - 1] > nowMs) rows--;
  return sliceSeries(series, 0, rows);
}

/** The bars of a market as rows that are known once they have closed. */
export function closedBars(candles: Candles, timeframe: Timeframe): TimedSeries {
  const step = TIMEFRAME_MS[timeframe];
  const columns = Object.fromEntries(
    CANDLE_COLUMNS.filter((column) => column !== 'time').map((column) => [column, candles[column]]),
  );
  return { time: candles.time, known: candles.time.map((open) => open + step), columns };
}
