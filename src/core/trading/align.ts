import { type Candles, emptyCandles } from '../market/candles.ts';
import { type Timeframe, TIMEFRAME_MS } from '../market/timeframe.ts';
import type { Market } from './market.ts';

/** Where each row of one series lies on the common clock. */
type RowMap = Int32Array;

export interface AlignedMarket extends Market {
  /** `rows[s][i]` is the row of `time` at which bar i of series s stands. */
  readonly rows: readonly RowMap[];
}

/**
 * Series of one timeframe on a common clock, the union of their times. A symbol that lacks a bar there has NaN
 * prices: it does not trade, and a held position keeps its last close. Series that already share their times are
 * used as they are, without a copy.
 */
export function alignMarket(series: readonly Candles[], timeframe: Timeframe): AlignedMarket {
  const time = unionOfTimes(series.map((candles) => candles.time));
  const rows = series.map((candles) => rowsOf(candles.time, time));
  const candles = series.map((own, s) =>
    own.time.length === time.length ? own : spread(own, rows[s], time),
  );
  return { time, barMs: TIMEFRAME_MS[timeframe], candles, rows };
}

/** A column of series `s` on the common clock, NaN where it has no bar. */
export function alignColumn(market: AlignedMarket, s: number, column: Float64Array): Float64Array {
  if (column.length === market.time.length) return column;
  const aligned = new Float64Array(market.time.length).fill(NaN);
  market.rows[s].forEach((row, i) => {
    aligned[row] = column[i];
  });
  return aligned;
}

function unionOfTimes(columns: readonly Float64Array[]): Float64Array {
  const [first, ...others] = columns;
  if (others.every((other) => equal(first, other))) return first;
  const all = new Set<number>();
  for (const column of columns) for (const time of column) all.add(time);
  return Float64Array.from(all).sort();
}

function rowsOf(own: Float64Array, time: Float64Array): RowMap {
  const rows = new Int32Array(own.length);
  for (let i = 0, row = 0; i < own.length; i++, row++) {
    while (time[row] < own[i]) row++;
    rows[i] = row;
  }
  return rows;
}

function spread(own: Candles, rows: RowMap, time: Float64Array): Candles {
  const all = emptyCandles(time.length);
  for (const column of ['open', 'high', 'low', 'close', 'volume'] as const) {
    all[column].fill(NaN);
    for (let i = 0; i < rows.length; i++) all[column][rows[i]] = own[column][i];
  }
  return { ...all, time };
}

const equal = (a: Float64Array, b: Float64Array): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);
