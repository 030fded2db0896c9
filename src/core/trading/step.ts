import { settleFunding } from './accounts/funding.ts';
import { chargeInterest } from './accounts/interest.ts';
import { liquidate } from './accounts/liquidate.ts';
import { leaveDelisted } from './delisted.ts';
import type { TradingEvent } from './events.ts';
import { seeLiquidity } from './liquidity.ts';
import type { Market } from './market.ts';
import { leaveOnTime } from './exits.ts';
import { fillTargets } from './open.ts';
import { protectInside } from './detail.ts';
import { withdrawBlocked } from './orders/entry.ts';
import { workOrders } from './orders/work.ts';
import { canBeRuined, liquidateIfRuined } from './ruin.ts';
import type { Portfolio } from './portfolio.ts';
import { seeRange } from './true-range.ts';

/**
 * One bar, then the decisions made at its close: backtest, paper trading, a replay of the ledger and the
 * learning environment are all this call. `targets[s][row]` is the wanted position of symbol s in [-1, 1] of
 * `maxPositionPct`, filled at the next bar's open; `NaN`: no opinion, what is held stays.
 * Returns what happened on the bar: an empty array on a quiet one.
 */
export function stepBar(
  portfolio: Portfolio,
  market: Market,
  row: number,
  targets: readonly Float64Array[],
): readonly TradingEvent[] {
  const events = advance(portfolio, market, row);
  for (let s = 0; s < targets.length; s++) setTarget(portfolio, s, targets[s][row]);
  return events;
}

/**
 * Moves the portfolio over bar `row`: waiting decisions fill at its open, then stops and targets inside it, then
 * positions are valued at its close. A symbol without a bar there does not trade and keeps its last close, until it
 * counts as delisted (`delisted.ts`). An account that is worth nothing is closed for good (`ruin.ts`).
 */
export function advance(portfolio: Portfolio, market: Market, row: number): readonly TradingEvent[] {
  const { columns } = portfolio;
  const time = market.time[row];
  if (portfolio.events !== undefined && portfolio.events.length > 0) portfolio.events = [];
  const { exits, impact, account } = portfolio.rules;
  if (account !== undefined) {
    if (account.kind === 'margin') chargeInterest(portfolio, account, market, row);
    settleFunding(portfolio, market, row, 'atOpen');
  }
  if (exits !== undefined) leaveOnTime(portfolio, exits, market, row);
  fillTargets(portfolio, market, row);
  if (portfolio.rules.entry !== undefined) withdrawBlocked(portfolio);
  const begun = portfolio.orders.length > 0 ? workOrders(portfolio, market, row) : undefined;
  for (let s = 0; s < columns.amount.length; s++) {
    const close = market.candles[s].close[row];
    if (close !== close) {
      leaveDelisted(portfolio, market, row, s);
      continue;
    }
    columns.barTime[s] = time;
    if (columns.amount[s] !== 0 && begun?.has(s) !== true) protectInside(portfolio, market, row, s);
  }
  if (account !== undefined) {
    liquidate(portfolio, account, market, row);
    settleFunding(portfolio, market, row, 'inside');
  }
  if (canBeRuined(portfolio)) liquidateIfRuined(portfolio, market, row);
  for (let s = 0; s < columns.amount.length; s++) {
    const close = market.candles[s].close[row];
    if (close !== close) continue;
    if (exits !== undefined) seeRange(portfolio, exits, market.candles[s], row, s);
    if (impact !== undefined) seeLiquidity(columns, impact, market.candles[s], row, s);
    columns.mark[s] = close;
  }
  portfolio.time = time;
  portfolio.bars++;
  return portfolio.events === undefined || portfolio.events.length === 0 ? NOTHING : portfolio.events;
}

/** Shared by all quiet bars; `portfolio.events` itself fills up later and must not be handed out empty. */
const NOTHING: readonly TradingEvent[] = Object.freeze([]);

/** A decision at the close of the last bar, for the next open. `NaN` leaves an order that still waits in place. */
export function setTarget(portfolio: Portfolio, s: number, target: number): void {
  if (target !== target || portfolio.ruinedAt === portfolio.ruinedAt) return;
  portfolio.columns.target[s] = clipped(target);
}

/** A decision within [-1, 1]. Adding 0 turns -0 into 0, so that a state read back from JSON has the same bits. */
export const clipped = (target: number): number => (target > 1 ? 1 : target < -1 ? -1 : target) + 0;
