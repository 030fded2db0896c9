/** Returns of several assets on one clock, as allocators that learn see them. */
export interface AllocatorData {
  readonly symbols: readonly string[];
  readonly time: Float64Array;
  /** `returns[i][t]`: close of bar t over that of bar t - 1, less one; NaN where either is missing. */
  readonly returns: readonly Float64Array[];
}

export function allocatorData(
  symbols: readonly string[],
  time: Float64Array,
  closes: readonly Float64Array[],
): AllocatorData {
  const returns = closes.map((close) => close.map((value, t) => (t === 0 ? NaN : value / close[t - 1] - 1)));
  return { symbols, time, returns };
}

/** Whether an asset has all `lookback` returns that end with `row`. */
function isPresent({ returns }: AllocatorData, asset: number, row: number, lookback: number): boolean {
  const column = returns[asset];
  if (row < lookback) return false;
  for (let t = row - lookback + 1; t <= row; t++) if (!Number.isFinite(column[t])) return false;
  return true;
}

/**
 * The window that ends with `row`, oldest bar first, into `values` [lookback, assets] from `at` on: returns in units of the
 * asset's own root mean square over the window, kept within 5 of them; zeros for an asset that lacks a return there. `mask`
 * [assets] from `maskAt` on becomes 1 for those that have all.
 */
export function fillWindow(
  data: AllocatorData,
  row: number,
  lookback: number,
  values: Float32Array,
  at: number,
  mask: Float32Array,
  maskAt: number,
): void {
  const assets = data.returns.length;
  for (let i = 0; i < assets; i++) {
    const present = isPresent(data, i, row, lookback);
    mask[maskAt + i] = present ? 1 : 0;
    const column = data.returns[i];
    let squares = 0;
    for (let k = 0; k < lookback; k++) squares += present ? column[row - lookback + 1 + k] ** 2 : 0;
    const scale = Math.sqrt(squares / lookback) || 1;
    for (let k = 0; k < lookback; k++) {
      const value = present ? column[row - lookback + 1 + k] / scale : 0;
      values[at + k * assets + i] = Math.max(-5, Math.min(5, value));
    }
  }
}

/** Rows whose window and whose next return are known by `lastRow` for at least one asset, in order. */
export function decidableRows(data: AllocatorData, lookback: number, lastRow: number): readonly number[] {
  const rows: number[] = [];
  for (let row = lookback; row < lastRow; row++)
    if (
      data.returns.some((column, i) => isPresent(data, i, row, lookback) && Number.isFinite(column[row + 1]))
    )
      rows.push(row);
  return rows;
}
