import type { Market } from '../market.ts';
import type { Portfolio } from '../portfolio.ts';
import type { MarginAccount } from './account-rules.ts';

const YEAR_MS = 365 * 86_400_000;

/** Charges the interest of what was borrowed since the last bar: cash below zero, and coins sold short at their last close. */
export function chargeInterest(
  portfolio: Portfolio,
  { quoteInterestPct, baseInterestPct }: MarginAccount,
  market: Market,
  row: number,
): void {
  const years = (market.time[row] - portfolio.time) / YEAR_MS;
  if (!(years > 0)) return;
  const { amount, mark } = portfolio.columns;
  let shorts = 0;
  for (let s = 0; s < amount.length; s++) if (amount[s] < 0) shorts -= amount[s] * mark[s];
  const owed = Math.max(0, -portfolio.cash) * quoteInterestPct + shorts * baseInterestPct;
  const interest = (owed / 100) * years;
  portfolio.cash -= interest;
  portfolio.interestQuote += interest;
}
