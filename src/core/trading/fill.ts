import { isInverse, unitValue, worthAt } from './accounts/worth.ts';
import type { ExitRules } from './exit-rules.ts';
import type { Cause, RejectionReason } from './events.ts';
import { feeBpsOf } from './fees.ts';
import { slippageRate } from './trade-cost.ts';
import { atrOf } from './true-range.ts';
import { roundDown, roundNearest, roundUp } from './instrument.ts';
import type { Portfolio } from './portfolio.ts';

interface Fill {
  /** In base currency; positive buys. */
  readonly signedAmount: number;
  readonly referencePrice: number;
  /** By how much the price is made worse: a fraction of it. */
  readonly rate: number;
  readonly cause: Cause;
  readonly time: number;
  /** Whether it pays the fee of orders that rest. */
  readonly maker?: boolean;
  readonly addedFeeBps?: number;
}

/** Moves cash and position for one fill. The only place where money moves. The amount must not cross zero: close first, then open. */
export function settle(
  portfolio: Portfolio,
  s: number,
  { signedAmount, referencePrice, rate, cause, time, maker = false, addedFeeBps = 0 }: Fill,
): void {
  const { columns } = portfolio;
  const buys = signedAmount > 0;
  const baseAmount = Math.abs(signedAmount);
  const price = referencePrice * (buys ? 1 + rate : 1 - rate);
  const inverse = isInverse(portfolio.rules);
  const notional = baseAmount * unitValue(inverse, price);
  const feeQuote = (notional * (feeBpsOf(portfolio, maker, time, notional) + addedFeeBps)) / 10_000;
  const slippageQuote = inverse
    ? Math.abs(1 / price - 1 / referencePrice) * baseAmount
    : Math.abs(price - referencePrice) * baseAmount;

  portfolio.cash -= signedAmount * worthAt(inverse, price) + feeQuote;
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
    const entry = columns.entryPrice[s];
    // What is added at the same price leaves it to the last bit, which a sum divided again would not.
    if (held === 0) columns.entryPrice[s] = price;
    else if (price !== entry) {
      const base = Math.abs(held) + baseAmount;
      const cost = Math.abs(held) * unitValue(inverse, entry) + notional;
      columns.entryPrice[s] = inverse ? base / cost : cost / base;
    }
    columns.margin[s] += notional / (portfolio.rules.account?.leverage ?? 1);
    columns.amount[s] = roundNearest(held + signedAmount, portfolio.instruments[s].amountStep);
    protectFrom(portfolio, s);
    return;
  }
  columns.closedQuote[s] += notional;
  columns.margin[s] *= 1 - baseAmount / Math.abs(held);
  columns.closedFees[s] += feeQuote;
  if (baseAmount === Math.abs(held)) finish(portfolio, s, cause, time);
  else columns.amount[s] = roundNearest(held + signedAmount, portfolio.instruments[s].amountStep);
}

/**
 * Closes what is held of symbol `s`, at most `limit` in base currency (the volume limit); returns how much was
 * closed. What is left over is reported as rejected. `slips`: by a market order, not one that rests.
 */
export function closePosition(
  portfolio: Portfolio,
  s: number,
  referencePrice: number,
  slips: boolean,
  limit: number,
  cause: Cause,
  time: number,
): number {
  const held = portfolio.columns.amount[s];
  const side = held > 0 ? 1 : -1;
  const base = Math.abs(held);
  const closed = base <= limit ? base : roundDown(Math.max(0, limit), portfolio.instruments[s].amountStep);
  if (closed > 0) {
    const rate = slips ? slippageRate(portfolio.rules, portfolio.columns, s, closed) : 0;
    settle(portfolio, s, { signedAmount: -side * closed, referencePrice, rate, cause, time, maker: !slips });
  }
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
  const { trailingStop, exits } = rules;
  const side = columns.amount[s] > 0 ? 1 : -1;
  const best = columns.bestPrice[s];
  const gain = side * (best / columns.entryPrice[s] - 1);
  if (trailingStop !== undefined && gain >= trailingStop.activationPct / 100)
    raiseStop(portfolio, s, best * (1 - (side * trailingStop.distancePct) / 100), 1);
  if (exits === undefined) return;
  const { breakEven } = exits;
  if (breakEven !== undefined && gain >= breakEven.triggerPct / 100)
    raiseStop(portfolio, s, columns.entryPrice[s] * (1 + (side * breakEven.lockPct) / 100), 2);
}

/** The same for a distance in the average true range as of the last close. */
export function trailByRange(portfolio: Portfolio, s: number, exits: ExitRules): void {
  const { columns } = portfolio;
  if (exits.trailingStopAtr === undefined) return;
  const side = columns.amount[s] > 0 ? 1 : -1;
  const distance = exits.trailingStopAtr * atrOf(portfolio, exits, s);
  raiseStop(portfolio, s, columns.bestPrice[s] - side * distance, 1);
}

/** Moves the stop to `price` if that is nearer; not known (NaN) is not. `by`: see `stopTrails`. */
function raiseStop(portfolio: Portfolio, s: number, price: number, by: number): void {
  const { columns } = portfolio;
  const side = columns.amount[s] > 0 ? 1 : -1;
  const stop = onTick(portfolio, s, price, -side);
  if (!(side * (stop - columns.stopPrice[s]) > 0)) return;
  columns.stopPrice[s] = stop;
  columns.stopTrails[s] = by;
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
  columns.openedFunding[s] = 0;
  columns.margin[s] = 0;
  columns.bestPrice[s] = NaN;
  columns.entryRange[s] = NaN;
  columns.partials[s] = 0;
  columns.kept[s] = 1;
}

/** Sets stop and target from the average entry price. */
export function protectFrom(portfolio: Portfolio, s: number): void {
  const { columns, rules } = portfolio;
  const side = columns.amount[s] > 0 ? 1 : -1;
  const entry = columns.entryPrice[s];
  const { stopLossPct, takeProfitPct } = rules;
  columns.stopPrice[s] =
    stopLossPct === undefined
      ? -side * Infinity
      : onTick(portfolio, s, entry * (1 - (side * stopLossPct) / 100), -side);
  columns.takePrice[s] =
    takeProfitPct === undefined ? side * Infinity : level(portfolio, s, takeProfitPct, side);
  columns.stopTrails[s] = 0;
  if (rules.exits !== undefined) protectByRange(portfolio, s, rules.exits, side);
  if (Number.isNaN(columns.bestPrice[s])) columns.bestPrice[s] = entry;
  trail(portfolio, s);
  if (rules.exits !== undefined) trailByRange(portfolio, s, rules.exits);
}

/** Nearer levels by the average true range of the entry, or the first that is known after it. */
function protectByRange(portfolio: Portfolio, s: number, exits: ExitRules, side: number): void {
  const { columns } = portfolio;
  const { stopLossAtr, takeProfitAtr } = exits;
  if (Number.isNaN(columns.entryRange[s])) columns.entryRange[s] = atrOf(portfolio, exits, s);
  const range = columns.entryRange[s];
  if (stopLossAtr !== undefined)
    raiseStop(portfolio, s, columns.entryPrice[s] - side * stopLossAtr * range, 0);
  if (takeProfitAtr === undefined) return;
  const take = onTick(portfolio, s, columns.entryPrice[s] + side * takeProfitAtr * range, side);
  if (side * (take - columns.takePrice[s]) < 0) columns.takePrice[s] = take;
}

/** The price at `pct` of profit from the average entry price, on the grid. */
export const level = (portfolio: Portfolio, s: number, pct: number, side: number): number =>
  onTick(portfolio, s, portfolio.columns.entryPrice[s] * (1 + (side * pct) / 100), side);

function finish(portfolio: Portfolio, s: number, exit: Cause, time: number): void {
  const { columns } = portfolio;
  const side = columns.amount[s] > 0 ? 1 : -1;
  const openedBase = columns.openedBase[s];
  const openedQuote = columns.openedQuote[s];
  const feeQuote = columns.openedFees[s] + columns.closedFees[s];
  const inverse = isInverse(portfolio.rules);
  const moved = inverse ? openedQuote - columns.closedQuote[s] : columns.closedQuote[s] - openedQuote;
  const profitQuote = side * moved - feeQuote + columns.openedFunding[s];
  portfolio.events?.push({
    kind: 'trade',
    symbol: portfolio.instruments[s].symbol,
    side: side > 0 ? 'long' : 'short',
    entryTime: columns.entryTime[s],
    exitTime: time,
    barsHeld: portfolio.bars - columns.entryBar[s],
    entryPrice: inverse ? openedBase / openedQuote : openedQuote / openedBase,
    exitPrice: inverse ? openedBase / columns.closedQuote[s] : columns.closedQuote[s] / openedBase,
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
