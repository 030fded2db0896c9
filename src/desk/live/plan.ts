import { emptyCandles } from '../../core/market/candles.ts';
import { fillTargets } from '../../core/trading/open.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { Market } from '../../core/trading/market.ts';
import { normaliseOrder } from '../../core/trading/orders/normalise.ts';
import type { Portfolio } from '../../core/trading/portfolio.ts';
import { restore, snapshot } from '../../core/trading/snapshot.ts';
import type { LiveBar, Planned } from './record.ts';

/**
 * The orders that take `portfolio` to the targets that wait in it, sales first. The execution core is asked what it would fill if
 * the next bar opened at `prices` (by instrument; NaN: unknown, nothing is ordered there), on a copy: sizes, limits, steps
 * and the order of sales and purchases are those of a backtest. A purchase is cut to what `collarPct` above the price the cash can pay.
 */
export function planOrders(
  portfolio: Portfolio,
  instruments: readonly Instrument[],
  {
    prices,
    barMs,
    collarPct,
  }: { readonly prices: Float64Array; readonly barMs: number; readonly collarPct: number },
): Pick<LiveBar, 'planned' | 'unplaced'> {
  const copy = restore(snapshot(portfolio), instruments, portfolio.rules);
  fillTargets(copy, nextOpen(portfolio, prices, barMs), 0);
  const planned: Planned[] = [];
  const unplaced: LiveBar['unplaced'] = [];
  const fee = portfolio.rules.feeBps / 10_000;
  let cash = portfolio.cash;
  for (const event of copy.events ?? []) {
    if (event.kind === 'rejected') {
      const { symbol, side, baseAmount, reason } = event;
      unplaced.push({ symbol, side, baseAmount, reason });
    }
    if (event.kind !== 'fill') continue;
    const { symbol, side } = event;
    const s = instruments.findIndex((one) => one.symbol === symbol);
    const price = prices[s] * (1 + ((side === 'buy' ? 1 : -1) * collarPct) / 100);
    const payable = side === 'buy' ? cash / (price * (1 + fee)) : Infinity;
    const baseAmount = Math.min(event.baseAmount, payable);
    const order = normaliseOrder(instruments[s], { side, baseAmount, price });
    if (order.kind === 'rejected') {
      unplaced.push({ symbol, side, baseAmount: event.baseAmount, reason: order.reason });
      continue;
    }
    const value = order.baseAmount * order.price;
    cash += side === 'buy' ? -value * (1 + fee) : value * (1 - fee);
    planned.push({ symbol, side, baseAmount: order.baseAmount, price: order.price });
  }
  return { planned, unplaced };
}

/** One bar after the last, of which only the open is known. */
function nextOpen(portfolio: Portfolio, prices: Float64Array, barMs: number): Market {
  const time = Float64Array.of(portfolio.time + barMs);
  const candles = Array.from(prices, (price) => {
    const columns = emptyCandles(1);
    columns.time[0] = time[0];
    for (const column of ['open', 'high', 'low', 'close'] as const) columns[column][0] = price;
    columns.volume[0] = Infinity;
    return columns;
  });
  return { time, barMs, candles };
}
