import { isInverse, quotePer, unitValue, worthAt } from './accounts/worth.ts';
import { closePosition, reject, settle } from './fill.ts';
import { roundDown, roundNearest } from './instrument.ts';
import type { Market } from './market.ts';
import { placeEntry, withdrawEntry } from './orders/entry.ts';
import { openPrice, type Portfolio, type PositionColumns } from './portfolio.ts';
import { slippageRate } from './trade-cost.ts';
import { volumeLimit } from './volume-limit.ts';

/**
 * Turns the decisions made at the last close into orders and fills them at this bar's open, sales before
 * purchases so that they fund them. After missing bars a decision is stale: it is rejected, never filled late.
 */
export function fillTargets(portfolio: Portfolio, market: Market, row: number): void {
  const { target, amount } = portfolio.columns;
  let waiting = false;
  for (let s = 0; s < target.length; s++) if (target[s] === target[s]) waiting = true;
  if (!waiting) return;

  planPositions(portfolio, market, row);
  const { wanted, rules, turns } = portfolio;
  const inverse = isInverse(rules);
  let orders = false;
  for (let s = 0; s < target.length; s++) {
    if (target[s] !== target[s]) continue;
    if (rules.entry !== undefined) withdrawEntry(portfolio, s);
    const band = (wanted[target.length] * rules.rebalanceBandPct) / 100;
    const change = wanted[s] - amount[s] * unitValue(inverse, openPrice(portfolio, market, row, s));
    if (isWorthAnOrder(amount[s], wanted[s], change, band)) orders = true;
    else target[s] = NaN;
  }
  if (!orders) return;
  for (const s of turns) order(portfolio, market, row, s, -1);
  for (const s of turns) order(portfolio, market, row, s, 1);
}

/** Leaving a position always is; another change (quote currency, as `wanted` and `band`) when it is outside the band. */
export const isWorthAnOrder = (amount: number, wanted: number, change: number, band: number): boolean =>
  (amount !== 0 && wanted * amount <= 0) || Math.abs(change) > band;

/**
 * Writes the wanted position values (quote currency) into `portfolio.wanted`, and behind them the capital they
 * are shares of: equity at this open less the cost of getting there, of positions that are left or reversed included.
 * Together with what is held without an opinion they respect the exposure limit.
 */
function planPositions(portfolio: Portfolio, market: Market, row: number): void {
  const { columns, rules, wanted } = portfolio;
  const { amount, target } = columns;
  const inverse = isInverse(rules);
  let equity = portfolio.cash;
  let left = 0;
  let held = 0;
  for (let s = 0; s < amount.length; s++) {
    const price = openPrice(portfolio, market, row, s);
    const value = amount[s] === 0 ? 0 : amount[s] * unitValue(inverse, price);
    equity += inverse && value !== 0 ? amount[s] * worthAt(inverse, price) : value;
    if (target[s] !== target[s]) {
      held += Math.abs(value);
      continue;
    }
    wanted[s] = goalOf(portfolio, s);
    if (wanted[s] * amount[s] <= 0) left += Math.abs(value);
  }
  const costs = dearest(portfolio, market, row, equity);
  const free = Math.max(0, equity - left * (costs - 1));
  // Costs are of what is bought: with leverage that is a multiple of the capital.
  const capital =
    rules.account === undefined ? free / costs : free / (1 + (rules.maxExposurePct / 100) * (costs - 1));
  const room = (capital * rules.maxExposurePct) / 100 - held;
  let asked = 0;
  for (let s = 0; s < amount.length; s++) {
    if (target[s] !== target[s]) continue;
    wanted[s] *= (capital * rules.maxPositionPct) / 100;
    asked += Math.abs(wanted[s]);
  }
  if (asked > room && rules.priority !== undefined) {
    let left = Math.max(0, room);
    for (const s of portfolio.turns) {
      if (target[s] !== target[s]) continue;
      const given = Math.min(Math.abs(wanted[s]), left);
      wanted[s] = Math.sign(wanted[s]) * given;
      left -= given;
    }
  } else if (asked > room) {
    const scale = Math.max(0, room) / asked;
    for (let s = 0; s < amount.length; s++) wanted[s] *= scale;
  }
  wanted[amount.length] = capital;
}

/** 1 plus what the dearest order of this open can cost: the largest position that the rules allow, of any symbol. */
function dearest(portfolio: Portfolio, market: Market, row: number, equity: number): number {
  const { rules, columns } = portfolio;
  const fee = 1 + rules.feeBps / 10_000;
  if (rules.impact === undefined) return fee * (1 + rules.slippageBps / 10_000);
  let most = 0;
  for (let s = 0; s < columns.amount.length; s++) {
    if (columns.target[s] !== columns.target[s]) continue;
    const price = openPrice(portfolio, market, row, s);
    const goal = (Math.max(0, equity) * rules.maxPositionPct) / 100 / price;
    const base = Math.min(goal + Math.abs(columns.amount[s]), volumeLimit(portfolio, market, row, s));
    const rate = slippageRate(rules, columns, s, base);
    if (rate > most) most = rate;
  }
  return fee * (1 + most);
}

/** The share of a target that partial targets left of it, while it stays on the side that is held. */
export const keptOf = ({ amount, kept }: PositionColumns, s: number, goal: number): number =>
  goal * amount[s] > 0 ? kept[s] : 1;

/** The waiting decision as far as the rules allow it; a side that is entered again is opened. */
function goalOf({ columns, rules }: Portfolio, s: number): number {
  const { amount, target, blocked } = columns;
  const asked = target[s] < 0 && !rules.allowShort ? 0 : target[s];
  const goal = asked * keptOf(columns, s, asked);
  if (blocked[s] === 0) return goal;
  const reopens = amount[s] === 0 && rules.reentry === 'next-bar';
  if (goal * blocked[s] > 0 && !reopens) return 0;
  blocked[s] = 0;
  return goal;
}

/**
 * Trades symbol `s` towards its wanted value when that takes an order on this side (1 buys, -1 sells). The
 * decision is spent afterwards, except for what the volume limit left over.
 */
function order(portfolio: Portfolio, market: Market, row: number, s: number, side: number): void {
  const { columns } = portfolio;
  if (columns.target[s] !== columns.target[s]) return;
  const wanted = portfolio.wanted[s];
  const price = openPrice(portfolio, market, row, s);
  const unit = unitValue(isInverse(portfolio.rules), price);
  const change = wanted - columns.amount[s] * unit;
  if (side * change < 0) return;

  const leaves = columns.amount[s] !== 0 && wanted * columns.amount[s] <= 0;
  const candles = market.candles[s];
  const time = market.time[row];
  const stale = time - portfolio.time > market.barMs;
  if (stale || Number.isNaN(candles.open[row])) {
    columns.target[s] = NaN;
    reject(portfolio, s, change / unit, 'missing-bar', time);
    return;
  }
  let limit = volumeLimit(portfolio, market, row, s);
  if (leaves) {
    limit -= closePosition(portfolio, s, price, true, limit, 'target', time);
    if (columns.amount[s] !== 0) return;
  }
  if (wanted !== 0 && resize(portfolio, market, row, s, wanted, price, limit) === 'waits') return;
  columns.target[s] = NaN;
}

/** Moves a position to `wanted` (quote currency, not 0, same side as what is held) within exchange rules. */
function resize(
  portfolio: Portfolio,
  market: Market,
  row: number,
  s: number,
  wanted: number,
  price: number,
  limit: number,
): 'done' | 'waits' {
  const { columns, rules, instruments } = portfolio;
  const time = market.time[row];
  const { amountStep, minNotional } = instruments[s];
  const held = columns.amount[s];
  const unit = unitValue(isInverse(rules), price);
  const goal = Math.sign(wanted) * roundDown(Math.abs(wanted) / unit, amountStep);
  const change = roundNearest(goal - held, amountStep);
  if (change === 0) {
    reject(portfolio, s, wanted / unit - held, 'below-amount-step', time);
    return 'done';
  }
  let base = Math.abs(change);
  if (change > 0 && held >= 0 && rules.account === undefined) {
    // At the rate of what is wanted: what cash or volume leave of it costs no more.
    const rate = slippageRate(rules, columns, s, base);
    const unitCost = price * (1 + rate) * (1 + rules.feeBps / 10_000);
    base = Math.min(base, roundDown(Math.max(0, portfolio.cash) / unitCost, amountStep));
    if (base === 0) {
      reject(portfolio, s, change, 'insufficient-quote', time);
      return 'done';
    }
  }
  if (base * quotePer(isInverse(rules), price) < minNotional) {
    reject(portfolio, s, change, 'below-min-notional', time);
    return 'done';
  }
  if (rules.entry !== undefined && Math.abs(goal) > Math.abs(held)) {
    placeEntry(portfolio, rules.entry, market, row, s, {
      signedAmount: Math.sign(change) * base,
      open: price,
    });
    return 'done';
  }
  const filled = base <= limit ? base : roundDown(Math.max(0, limit), amountStep);
  if (filled > 0) {
    const rate = slippageRate(rules, columns, s, filled);
    settle(portfolio, s, {
      signedAmount: Math.sign(change) * filled,
      referencePrice: price,
      rate,
      cause: 'target',
      time,
    });
  }
  if (filled === base) return 'done';
  reject(portfolio, s, Math.sign(change) * (base - filled), 'volume-share', time);
  return 'waits';
}
