import { closePosition } from './fill.ts';
import type { Market } from './market.ts';
import type { Portfolio } from './portfolio.ts';

/**
 * Leaves the position in symbol `s` on a bar that others have and it lacks, once its market has been silent for
 * `rules.delistedAfterMs`: sold (a short: bought back) at its last close, less `rules.delistingHaircutPct`, slippage and fee
 * as ever, whatever its volume.
 * Nothing of the future is used: while bars are missing nobody knows whether more will come, so the position is kept,
 * marked at that close, until the time is over. Zipline's auto-close dates do the same at the last known price.
 */
export function leaveDelisted(portfolio: Portfolio, market: Market, row: number, s: number): void {
  const { columns, rules } = portfolio;
  const time = market.time[row];
  if (rules.delistedAfterMs === undefined || columns.amount[s] === 0) return;
  if (time - columns.barTime[s] <= Math.max(rules.delistedAfterMs, market.barMs)) return;
  const side = columns.amount[s] > 0 ? 1 : -1;
  const price = columns.mark[s] * (1 - (side * (rules.delistingHaircutPct ?? 0)) / 100);
  closePosition(portfolio, s, price, true, Infinity, 'delisted', time);
  columns.target[s] = NaN;
}
