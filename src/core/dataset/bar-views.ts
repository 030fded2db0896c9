import { type BarLength, closeOfBar } from '../market/bar-length.ts';
import { type Candles, lowerBound, sliceCandles } from '../market/candles.ts';
import type { PairSymbol } from '../market/symbol.ts';

/** The bars of one length beside others of the same symbol. */
export interface BarView {
  readonly length: BarLength;
  readonly candles: Candles;
  /** When each bar closed: before that it is not known, however old its open is. */
  readonly known: Float64Array;
}

/** One symbol in several bar lengths, in the order they were asked for. */
export interface SymbolViews {
  readonly symbol: PairSymbol;
  readonly views: readonly BarView[];
}

export const barView = (length: BarLength, candles: Candles): BarView => ({
  length,
  candles,
  known: candles.time.map((open) => closeOfBar(open, length)),
});

/** The view as it was known at `nowMs`, sharing memory. */
export function viewAt({ length, candles, known }: BarView, nowMs: number): BarView {
  const rows = lowerBound(known, nowMs + 1);
  return { length, candles: sliceCandles(candles, 0, rows), known: known.subarray(0, rows) };
}

/** For each of the ascending times `at`, the row of the newest bar that had closed by then; -1 where none had. */
export function newestKnown({ known }: BarView, at: Float64Array): Int32Array {
  const rows = new Int32Array(at.length);
  let row = -1;
  for (let i = 0; i < at.length; i++) {
    while (row + 1 < known.length && known[row + 1] <= at[i]) row++;
    rows[i] = row;
  }
  return rows;
}

/** The bars of a shorter view inside the bar of `outer` at `row`: what happened between its open and its close. */
export function barsInside(inner: BarView, outer: BarView, row: number): Candles {
  const { time } = inner.candles;
  return sliceCandles(
    inner.candles,
    lowerBound(time, outer.candles.time[row]),
    lowerBound(time, outer.known[row]),
  );
}
