import { isInverse, worthAt } from './accounts/worth.ts';
import { closePosition } from './fill.ts';
import type { Market } from './market.ts';
import { openPrice, type Portfolio } from './portfolio.ts';

/** What owes nothing cannot lose more than it has: with cash and without shorts, equity stays above zero. */
export function canBeRuined({ cash, rules, ruinedAt, columns: { amount } }: Portfolio): boolean {
  // A leveraged account was liquidated before: it is ruined when that left nothing.
  if (rules.account !== undefined)
    return cash <= 0 && ruinedAt !== ruinedAt && amount.every((held) => held === 0);
  if (cash < 0) return true;
  for (let s = 0; s < amount.length; s++) if (amount[s] < 0) return true;
  return false;
}

/**
 * Ends an account that bar `row` leaves with nothing, after the stops and targets inside it: every position is closed
 * where equity reaches zero on the way from the open to the bar's worst prices (all symbols at once: the pessimistic
 * choice), or at the open when the bar opens beyond that point. What is owed then is written off, as an exchange
 * does with an isolated account; it is the event's `shortfallQuote`.
 */
export function liquidateIfRuined(portfolio: Portfolio, market: Market, row: number): void {
  const { columns } = portfolio;
  const { amount } = columns;
  const inverse = isInverse(portfolio.rules);
  let atOpen = portfolio.cash;
  let atWorst = portfolio.cash;
  for (let s = 0; s < amount.length; s++) {
    if (amount[s] === 0) continue;
    atOpen += amount[s] * worthAt(inverse, openPrice(portfolio, market, row, s));
    atWorst += amount[s] * worthAt(inverse, worstOf(portfolio, market, row, s));
  }
  if (atWorst > 0) return;

  const way = atOpen <= 0 ? 0 : atOpen / (atOpen - atWorst);
  const time = market.time[row];
  for (let s = 0; s < amount.length; s++) {
    if (amount[s] === 0) continue;
    const open = openPrice(portfolio, market, row, s);
    const price = open + way * (worstOf(portfolio, market, row, s) - open);
    closePosition(portfolio, s, price, true, Infinity, 'liquidation', time);
  }
  portfolio.events?.push({ kind: 'ruin', time, shortfallQuote: Math.max(0, -portfolio.cash) });
  portfolio.cash = 0;
  portfolio.ruinedAt = time;
  columns.target.fill(NaN);
  portfolio.orders = [];
}

function worstOf({ columns }: Portfolio, market: Market, row: number, s: number): number {
  const { high, low } = market.candles[s];
  const worst = columns.amount[s] > 0 ? low[row] : high[row];
  return worst === worst ? worst : columns.mark[s];
}
