import type { Cause, RejectionReason } from './events.ts';
import { roundDown, roundNearest, roundUp } from './instrument.ts';
import type { Portfolio } from './portfolio.ts';

/**
 * Moves cash and position for one fill of `signedAmount` (positive buys) at `referencePrice` made worse by
 * `slippageRate`. The only place where money moves. The amount must not cross zero: close first, then open.
 */
export function settle(
  portfolio: Portfolio,
  s: number,
  signedAmount: number,
  referencePrice: number,
  slippageRate: number,
  cause: Cause,
  time: number,
): void {
  const { columns, rules } = portfolio;
  const buys = signedAmount > 0;
  const baseAmount = Math.abs(signedAmount);
  const price = referencePrice * (buys ? 1 + slippageRate : 1 - slippageRate);
  const notional = baseAmount * price;
  const feeQuote = (notional * rules.feeBps) / 10_000;
  const slippageQuote = Math.abs(price - referencePrice) * baseAmount;

  portfolio.cash -= signedAmount * price + feeQuote;
  portfolio.feesQuote += feeQuote;
  portfolio.slippageQuote += slippageQuote;
  portfolio.turnoverQuote += notional;
  const { symbol } = portfolio.instruments[s];
  const side = buys ? 'buy' : 'sell';
  portfolio.events?.push({
    kind: 'fill',
    time,
    symbol,
    side,
    cause,
    baseAmount,
    price,
    feeQuote,
    slippageQuote,
  });

  const held = columns.amount[s];
  if (held === 0) begin(portfolio, s, time);
  if (held === 0 || held > 0 === buys) {
    columns.openedBase[s] += baseAmount;
    columns.openedQuote[s] += notional;
    columns.openedFees[s] += feeQuote;
    const heldBase = Math.abs(held);
    const cost = heldBase === 0 ? notional : heldBase * columns.entryPrice[s] + notional;
    columns.entryPrice[s] = heldBase === 0 ? price : cost / (heldBase + baseAmount);
    columns.amount[s] = roundNearest(held + signedAmount, portfolio.instruments[s].amountStep);
    protectFrom(portfolio, s);
    return;
  }
  columns.closedQuote[s] += notional;
  columns.closedFees[s] += feeQuote;
  if (baseAmount === Math.abs(held)) finish(portfolio, s, cause, time);
  else columns.amount[s] = roundNearest(held + signedAmount, portfolio.instruments[s].amountStep);
}

/**
 * Closes what is held of symbol `s`, at most `limit` in base currency (the volume limit); returns how much was
 * closed. What is left over is reported as rejected.
 */
export function closePosition(
  portfolio: Portfolio,
  s: number,
  referencePrice: number,
  slippageRate: number,
  limit: number,
  cause: Cause,
  time: number,
): number {
  const held = portfolio.columns.amount[s];
  const side = held > 0 ? 1 : -1;
  const base = Math.abs(held);
  const closed = base <= limit ? base : roundDown(Math.max(0, limit), portfolio.instruments[s].amountStep);
  if (closed > 0) settle(portfolio, s, -side * closed, referencePrice, slippageRate, cause, time);
  if (closed < base) reject(portfolio, s, -side * (base - closed), 'volume-share', time);
  return closed;
}

export function reject(
  portfolio: Portfolio,
  s: number,
  signedAmount: number,
  reason: RejectionReason,
  time: number,
): void {
  const { symbol } = portfolio.instruments[s];
  const side = signedAmount > 0 ? 'buy' : 'sell';
  portfolio.events?.push({
    kind: 'rejected',
    time,
    symbol,
    side,
    reason,
    baseAmount: Math.abs(signedAmount),
  });
}

/** Raises (long) or lowers (short) the stop to trail `bestPrice`, when it is active and that is nearer. */
export function trail(portfolio: Portfolio, s: number): void {
  const { columns, rules } = portfolio;
  if (rules.trailingStop === undefined) return;
  const { distancePct, activationPct } = rules.trailingStop;
  const side = columns.amount[s] > 0 ? 1 : -1;
  const best = columns.bestPrice[s];
  if (side * (best / columns.entryPrice[s] - 1) < activationPct / 100) return;
  const level = onTick(portfolio, s, best * (1 - (side * distancePct) / 100), -side);
  if (side * (level - columns.stopPrice[s]) <= 0) return;
  columns.stopPrice[s] = level;
  columns.stopTrails[s] = 1;
}

function begin(portfolio: Portfolio, s: number, time: number): void {
  const { columns } = portfolio;
  columns.entryTime[s] = time;
  columns.entryBar[s] = portfolio.bars;
  columns.openedBase[s] = 0;
  columns.openedQuote[s] = 0;
  columns.openedFees[s] = 0;
  columns.closedQuote[s] = 0;
  columns.closedFees[s] = 0;
  columns.bestPrice[s] = NaN;
}

/** Sets stop and target from the average entry price. */
function protectFrom(portfolio: Portfolio, s: number): void {
  const { columns, rules } = portfolio;
  const side = columns.amount[s] > 0 ? 1 : -1;
  const entry = columns.entryPrice[s];
  const { stopLossPct, takeProfitPct } = rules;
  columns.stopPrice[s] =
    stopLossPct === undefined
      ? -side * Infinity
      : onTick(portfolio, s, entry * (1 - (side * stopLossPct) / 100), -side);
  columns.takePrice[s] =
    takeProfitPct === undefined
      ? side * Infinity
      : onTick(portfolio, s, entry * (1 + (side * takeProfitPct) / 100), side);
  columns.stopTrails[s] = 0;
  if (Number.isNaN(columns.bestPrice[s])) columns.bestPrice[s] = entry;
  trail(portfolio, s);
}

function finish(portfolio: Portfolio, s: number, exit: Cause, time: number): void {
  const { columns } = portfolio;
  const side = columns.amount[s] > 0 ? 1 : -1;
  const openedBase = columns.openedBase[s];
  const openedQuote = columns.openedQuote[s];
  const feeQuote = columns.openedFees[s] + columns.closedFees[s];
  const profitQuote = side * (columns.closedQuote[s] - openedQuote) - feeQuote;
  portfolio.events?.push({
    kind: 'trade',
    symbol: portfolio.instruments[s].symbol,
    side: side > 0 ? 'long' : 'short',
    entryTime: columns.entryTime[s],
    exitTime: time,
    barsHeld: portfolio.bars - columns.entryBar[s],
    entryPrice: openedQuote / openedBase,
    exitPrice: columns.closedQuote[s] / openedBase,
    baseAmount: openedBase,
    feeQuote,
    profitQuote,
    profitPct: (100 * profitQuote) / (openedQuote + side * columns.openedFees[s]),
    exit,
  });
  columns.amount[s] = 0;
  columns.entryPrice[s] = NaN;
  columns.stopPrice[s] = NaN;
  columns.stopTrails[s] = 0;
  columns.takePrice[s] = NaN;
  columns.bestPrice[s] = NaN;
}

/** A level on the price grid, rounded towards `direction` (1 up, -1 down): away from the position's favour. */
function onTick(portfolio: Portfolio, s: number, price: number, direction: number): number {
  const tick = portfolio.instruments[s].priceTick;
  return direction > 0 ? roundUp(price, tick) : roundDown(price, tick);
}
