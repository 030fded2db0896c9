import type { FeatureColumn } from './panel.ts';
import { type BarLength, closeOfBar } from '../market/bar-length.ts';

/**
 * Rows at which a sequence model has its whole input: `lookBack` consecutive bars that end with the row, no bar
 * missing among them, and every column finite in all of them, in single precision. Rows before `from` are not looked at.
 */
export function windowEnds(
  time: Float64Array,
  columns: readonly FeatureColumn[],
  length: BarLength,
  { lookBack, from = 0 }: { readonly lookBack: number; readonly from?: number },
): Int32Array {
  const ends: number[] = [];
  let run = 0;
  for (let row = from; row < time.length; row++) {
    const follows = row > from && time[row] === closeOfBar(time[row - 1], length);
    let complete = true;
    for (let i = 0; complete && i < columns.length; i++)
      complete = Number.isFinite(Math.fround(columns[i][row]));
    run = complete ? (follows ? run + 1 : 1) : 0;
    if (run >= lookBack) ends.push(row);
  }
  return Int32Array.from(ends);
}
