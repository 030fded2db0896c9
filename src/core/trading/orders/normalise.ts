import { type Instrument, roundDown, roundUp } from '../instrument.ts';

export type Normalised =
  | { readonly kind: 'order'; readonly baseAmount: number; readonly price: number }
  | { readonly kind: 'rejected'; readonly reason: 'below-amount-step' | 'below-min-notional' };

/**
 * A limit order as the market's rules allow it: the amount in whole steps, never more than asked, the price in whole ticks,
 * never worse than asked (a purchase is rounded down, a sale up); what is then worth too little is no order.
 */
export function normaliseOrder(
  { amountStep, priceTick, minNotional }: Instrument,
  asked: { readonly side: 'buy' | 'sell'; readonly baseAmount: number; readonly price: number },
): Normalised {
  const baseAmount = roundDown(asked.baseAmount, amountStep);
  const price = asked.side === 'buy' ? roundDown(asked.price, priceTick) : roundUp(asked.price, priceTick);
  if (!(baseAmount > 0)) return { kind: 'rejected', reason: 'below-amount-step' };
  if (!(price > 0) || baseAmount * price < minNotional)
    return { kind: 'rejected', reason: 'below-min-notional' };
  return { kind: 'order', baseAmount, price };
}
