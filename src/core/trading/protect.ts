import { leave, takePartial, timedTarget } from './exits.ts';
import type { Cause } from './events.ts';
import type { ExitRules } from './exit-rules.ts';
import { level, protectFrom, trail, trailByRange } from './fill.ts';
import type { Market } from './market.ts';
import type { Portfolio } from './portfolio.ts';
import type { ExecutionRules, TrailingStop } from './rules.ts';

/**
 * Stop-loss, take-profit and trailing stop of the position in symbol `s` inside bar `row`, after the orders at its
 * open. A bar that opens beyond a level fills there, at the open.
 */
export function protect(portfolio: Portfolio, market: Market, row: number, s: number): void {
  const { columns, rules } = portfolio;
  const { exits } = rules;
  const candles = market.candles[s];
  const side = columns.amount[s] > 0 ? 1 : -1;
  const best = side > 0 ? candles.high[row] : candles.low[row];
  const worst = side > 0 ? candles.low[row] : candles.high[row];
  const entersHere = columns.entryBar[s] === portfolio.bars;
  if (exits !== undefined) prepare(portfolio, s, exits);

  if (!entersHere || rules.protectEntryBar) {
    const open = candles.open[row];
    const stop = columns.stopPrice[s];
    const stopHit = side * (worst - stop) <= 0;
    const heldMs = market.time[row] - columns.entryTime[s];
    const timed = exits && timedTarget(exits, heldMs);
    // An age that is reached at this very open moves the limit order there, into the market if the open is beyond it.
    const isNew = timed !== undefined && heldMs > 0 && timed.afterMs === heldMs;
    let take = columns.takePrice[s];
    if (timed !== undefined) {
      const price = level(portfolio, s, timed.pct, side);
      if (side * (price - take) < 0) take = price;
    }
    while (exits !== undefined && columns.partials[s] < exits.partialTargets.length) {
      const { atPct } = exits.partialTargets[columns.partials[s]];
      const price = level(portfolio, s, atPct, side);
      if (side * (price - take) >= 0 || !reaches(rules, side, best, price)) break;
      if (stopHit && stopComesFirst(portfolio, s, side, open, best, worst, stop, price)) break;
      takePartial(portfolio, exits, s, takeFill(rules, side, open, worst, price), market, row);
      if (columns.amount[s] === 0) return;
    }
    const takeHit = reaches(rules, side, best, take);
    if (stopHit || takeHit) {
      if (!takeHit || (stopHit && stopComesFirst(portfolio, s, side, open, best, worst, stop, take))) {
        const price = levelFill(rules, side, open, best, stop);
        exit(portfolio, s, price, STOPS[columns.stopTrails[s]], market, row);
      } else if (isNew && side * (open - take) > 0) {
        leave(portfolio, s, open, true, 'take-profit', market, row);
      } else {
        exit(portfolio, s, takeFill(rules, side, open, worst, take), 'take-profit', market, row);
      }
      return;
    }
    if (rules.trailingStop?.ratchet === 'same-bar' && rules.trailingStop.from === 'extreme') {
      raiseBest(portfolio, s, side, best);
      if (side * (worst - columns.stopPrice[s]) <= 0) {
        const price = entersHere ? fromOpen(rules.trailingStop, side, open, worst) : columns.stopPrice[s];
        exit(portfolio, s, price, STOPS[columns.stopTrails[s]], market, row);
        return;
      }
    }
  }
  if (rules.trailingStop !== undefined || exits !== undefined)
    raiseBest(portfolio, s, side, rules.trailingStop?.from === 'close' ? candles.close[row] : best);
}

const STOPS: readonly Cause[] = ['stop-loss', 'trailing-stop', 'break-even'];

/** Levels that move with the average true range: it is known one bar later each time. */
function prepare(portfolio: Portfolio, s: number, exits: ExitRules): void {
  const waits = Number.isNaN(portfolio.columns.entryRange[s]);
  if (waits && (exits.stopLossAtr ?? exits.takeProfitAtr) !== undefined) protectFrom(portfolio, s);
  else trailByRange(portfolio, s, exits);
}

function reaches(rules: ExecutionRules, side: number, best: number, take: number): boolean {
  const beyond = side * (best - take);
  return beyond > 0 || (beyond === 0 && rules.takeProfitFill === 'touch');
}

/** As if the price had gone from the open just far enough to start trailing, then back: no further than the bar went. */
function fromOpen(
  { activationPct, distancePct }: TrailingStop,
  side: number,
  open: number,
  worst: number,
): number {
  const price = open * (1 + (side * (activationPct - distancePct)) / 100);
  return side * (price - worst) < 0 ? worst : price;
}

/** Both were reached in one bar. A level the bar opens beyond came first; else the rule decides. */
function stopComesFirst(
  { rules, columns }: Portfolio,
  s: number,
  side: number,
  open: number,
  best: number,
  worst: number,
  stop: number,
  take: number,
): boolean {
  if (rules.intrabarOrder === 'stop-target-trailing') return columns.stopTrails[s] !== 1;
  if (rules.gapFill === 'open' && side * (open - stop) <= 0) return true;
  if (side * (open - take) >= 0) return false;
  switch (rules.intrabarOrder) {
    case 'stop-first':
      return true;
    case 'target-first':
      return false;
    case 'nearest-first':
      return Math.abs(worst - open) <= Math.abs(best - open);
  }
}

/** The price of a stop the bar reached: its level, or the open when the bar opens beyond it. */
function levelFill(rules: ExecutionRules, side: number, open: number, back: number, stop: number): number {
  if (side * (open - stop) >= 0) return stop;
  return rules.gapFill === 'level-if-touched' && side * (back - stop) >= 0 ? stop : open;
}

/** The price of a target the bar went beyond: its level, or the open when the bar opens beyond it. */
function takeFill(rules: ExecutionRules, side: number, open: number, worst: number, take: number): number {
  if (side * (open - take) <= 0) return take;
  if (rules.gapFill === 'open') return open;
  return side * (worst - take) > 0 ? worst : take;
}

/** Stops are market orders and slip, targets are limit orders and do not. */
function exit(
  portfolio: Portfolio,
  s: number,
  price: number,
  cause: Cause,
  market: Market,
  row: number,
): void {
  leave(portfolio, s, price, cause !== 'take-profit', cause, market, row);
}

function raiseBest(portfolio: Portfolio, s: number, side: number, price: number): void {
  const { columns } = portfolio;
  if (side * (price - columns.bestPrice[s]) <= 0) return;
  columns.bestPrice[s] = price;
  trail(portfolio, s);
}
