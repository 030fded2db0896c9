import type { Market } from '../../core/trading/market.ts';
import type { Backtest, DetailCandles } from '../../lab/backtest/backtest.ts';

/** How much of the range the finer candles cover. */
export function detailText({ timeframe }: DetailCandles, { detail = [] }: Market): string {
  const rows = detail.flatMap((one) => (one === undefined ? [] : [...one.firstRow]));
  const whole = rows.filter((row) => row >= 0).length;
  return `Stops and targets looked for in ${timeframe} candles in ${((100 * whole) / rows.length).toFixed(1)} % of the bars, in the bars themselves where those are not all stored.`;
}

export function bandText({ intrabar }: Backtest): string {
  if (intrabar.length === 0) return 'No path inside a bar matters: there are not both a stop and a target.';
  const profits = intrabar.map(({ totalReturnPct }) => totalReturnPct);
  const nearest = intrabar.find(({ order }) => order === 'nearest-first')?.totalReturnPct ?? NaN;
  return `Over the paths that prices may take inside a bar the profit lies between ${Math.min(...profits).toFixed(1)} % and ${Math.max(...profits).toFixed(1)} %; ${nearest.toFixed(1)} % when the extreme nearer to the open comes first.`;
}
