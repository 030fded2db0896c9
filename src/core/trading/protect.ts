import type { Cause } from './events.ts';
import { closePosition, trail } from './fill.ts';
import type { Market } from './market.ts';
import type { Portfolio } from './portfolio.ts';
import type { ExecutionRules, TrailingStop } from './rules.ts';

/**
 * Stop-loss, take-profit and trailing stop of the position in symbol `s` inside bar `row`, after the orders at its
 * open. A bar that opens beyond a level fills there, at the open.
 */
export function protect(portfolio: Portfolio, market: Market, row: number, s: number): void {
  const { columns, rules } = portfolio;
  const candles = market.candles[s];
  const side = columns.amount[s] > 0 ? 1 : -1;
  const best = side > 0 ? candles.high[row] : candles.low[row];
  const worst = side > 0 ? candles.low[row] : candles.high[row];
  const entersHere = columns.entryBar[s] === portfolio.bars;

  if (!entersHere || rules.protectEntryBar) {
    const open = candles.open[row];
    const stop = columns.stopPrice[s];
    const take = columns.takePrice[s];
    const stopHit = side * (worst - stop) <= 0;
    const beyond = side * (best - take);
    const takeHit = beyond > 0 || (beyond === 0 && rules.takeProfitFill === 'touch');
    if (stopHit || takeHit) {
      if (!takeHit || (stopHit && stopComesFirst(rules, side, open, best, worst, stop, take))) {
        const price = levelFill(rules, side, open, best, stop);
        exit(portfolio, s, price, columns.stopTrails[s] === 1 ? 'trailing-stop' : 'stop-loss', market, row);
      } else {
        exit(portfolio, s, levelFill(rules, -side, open, worst, take), 'take-profit', market, row);
      }
      return;
    }
    if (rules.trailingStop?.ratchet === 'same-bar' && rules.trailingStop.from === 'extreme') {
      raiseBest(portfolio, s, side, best);
      if (side * (worst - columns.stopPrice[s]) <= 0) {
        const price = entersHere ? fromOpen(rules.trailingStop, side, open, worst) : columns.stopPrice[s];
        exit(portfolio, s, price, 'trailing-stop', market, row);
        return;
      }
    }
  }
  if (rules.trailingStop !== undefined)
    raiseBest(portfolio, s, side, rules.trailingStop.from === 'close' ? candles.close[row] : best);
}

/** As if the price had gone from the open just far enough to start trailing, then back: no further than the bar went. */
function fromOpen(
  { activationPct, distancePct }: TrailingStop,
  side: number,
  open: number,
  worst: number,
): number {
  const level = open * (1 + (side * (activationPct - distancePct)) / 100);
  return side * (level - worst) < 0 ? worst : level;
}

/** Both were reached in one bar. A level the bar opens beyond came first; else the rule decides. */
function stopComesFirst(
  rules: ExecutionRules,
  side: number,
  open: number,
  best: number,
  worst: number,
  stop: number,
  take: number,
): boolean {
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

/** The price of a level the bar reached: the level, or the open when the bar opens beyond it (`side`: which way). */
function levelFill(rules: ExecutionRules, side: number, open: number, back: number, level: number): number {
  if (side * (open - level) >= 0) return level;
  return rules.gapFill === 'level-if-touched' && side * (back - level) >= 0 ? level : open;
}

/** Leaves the position at `price`; stops are market orders and slip, targets are limit orders and do not. */
function exit(
  portfolio: Portfolio,
  s: number,
  price: number,
  cause: Cause,
  market: Market,
  row: number,
): void {
  const { columns, rules } = portfolio;
  const side = columns.amount[s] > 0 ? 1 : -1;
  const slippageRate = cause === 'take-profit' ? 0 : rules.slippageBps / 10_000;
  const limit =
    rules.maxVolumeSharePct === undefined
      ? Infinity
      : (market.candles[s].volume[row] * rules.maxVolumeSharePct) / 100;
  closePosition(portfolio, s, price, slippageRate, limit, cause, market.time[row]);
  columns.blocked[s] = side;
  // What the volume limit left over is closed from the next open on: a blocked side's target means flat.
  if (columns.amount[s] !== 0) columns.target[s] = side;
}

function raiseBest(portfolio: Portfolio, s: number, side: number, price: number): void {
  const { columns } = portfolio;
  if (side * (price - columns.bestPrice[s]) <= 0) return;
  columns.bestPrice[s] = price;
  trail(portfolio, s);
}
