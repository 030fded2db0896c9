import type { FeatureTable, Series } from '../../../core/dataset/panel.ts';

/**
 * What each of `seen` did up to the close of each bar of `series`: log returns over the last `windows` bars, a column for each
 * symbol and window. `NaN` where the bar, or the one that it is measured from, is not there.
 */
export function pastReturns(
  { candles: { time } }: Pick<Series, 'candles'>,
  seen: readonly Pick<Series, 'symbol' | 'candles'>[],
  { windows, barMs }: { readonly windows: readonly number[]; readonly barMs: number },
): FeatureTable<Float64Array> {
  const columns = seen.flatMap(({ candles: { time: known, close } }) =>
    windows.map((bars) => {
      const column = new Float64Array(time.length).fill(NaN);
      const span = bars * barMs;
      for (let i = 0, row = 0, from = 0; i < time.length; i++) {
        while (row < known.length && known[row] < time[i]) row++;
        while (from < row && known[from] < time[i] - span) from++;
        if (row === known.length) break;
        if (known[row] === time[i] && known[row] - known[from] === span)
          column[i] = Math.log(close[row] / close[from]);
      }
      return column;
    }),
  );
  return { names: seen.flatMap(({ symbol }) => windows.map((bars) => `${symbol} over ${bars}`)), columns };
}
