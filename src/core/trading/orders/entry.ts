import type { Market } from '../market.ts';
import type { Portfolio } from '../portfolio.ts';
import type { EntryRules } from '../rules.ts';
import { isInverse } from '../accounts/worth.ts';
import type { OrderRequest } from './order.ts';
import { placeOrders } from './work.ts';

/** The name of orders that decisions placed, so that the next decision takes back those alone. */
const ENTRY = 'entry';

/**
 * Places what a decision adds to a position as orders that work from bar `row` on. `signedAmount` (base currency, positive buys)
 * is what its value would buy at `open`; at another price the same value is another amount.
 */
export function placeEntry(
  portfolio: Portfolio,
  { kind, offsetPct, parts, bars, postOnly }: EntryRules,
  { time, barMs }: Market,
  row: number,
  s: number,
  { signedAmount, open }: { readonly signedAmount: number; readonly open: number },
): void {
  const buys = signedAmount > 0;
  const { mark } = portfolio.columns;
  // On its first bar a symbol has no close before it.
  const last = mark[s] === mark[s] ? mark[s] : open;
  const towards = (buys ? 1 : -1) * (kind === 'stop' ? 1 : -1);
  const furthest = last * (1 + (towards * offsetPct) / 100);
  const count = kind === 'stop' ? 1 : parts;
  // Of an inverse contract the amount is the value.
  const ratio = (price: number): number => (isInverse(portfolio.rules) ? 1 : open / price);
  const requests = Array.from({ length: count }, (_, i): OrderRequest => {
    const price = count === 1 ? furthest : last + ((furthest - last) * i) / (count - 1);
    return {
      s,
      side: buys ? 'buy' : 'sell',
      baseAmount: (Math.abs(signedAmount) / count) * ratio(price),
      kind: kind === 'stop' ? { kind, price } : { kind, price, ...(postOnly && { postOnly }) },
      timeInForce: time[row] + bars * barMs,
      name: ENTRY,
    };
  });
  placeOrders(portfolio, requests);
}

/** Takes back what earlier decisions placed in symbol `s`. */
export function withdrawEntry(portfolio: Portfolio, s: number): void {
  if (portfolio.orders.length === 0) return;
  portfolio.orders = portfolio.orders.filter(({ request }) => request.s !== s || request.name !== ENTRY);
}

/** The same wherever a protective exit closed the side that they would open again. */
export function withdrawBlocked(portfolio: Portfolio): void {
  const { blocked } = portfolio.columns;
  for (let s = 0; s < blocked.length; s++) if (blocked[s] !== 0) withdrawEntry(portfolio, s);
}
