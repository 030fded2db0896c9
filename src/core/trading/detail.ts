import { type Candles, lowerBound } from '../market/candles.ts';
import { leaveIfDue } from './exits.ts';
import type { Detail, Market } from './market.ts';
import type { Portfolio } from './portfolio.ts';
import { protect } from './protect.ts';

/** The market with finer bars, `barMs` long, for the symbols that have them. */
export function withDetail<M extends Market>(
  market: M,
  finer: readonly (Candles | undefined)[],
  barMs: number,
): M & { readonly detail: readonly (Detail | undefined)[] } {
  return { ...market, detail: finer.map((candles) => candles && detailOf(market, candles, barMs)) };
}

function detailOf({ time, barMs, candles: coarse }: Market, candles: Candles, finerMs: number): Detail {
  const rows = Math.round(barMs / finerMs);
  const firstRow = Int32Array.from(time, (from) => {
    const first = lowerBound(candles.time, from);
    const whole = candles.time[first] === from && candles.time[first + rows - 1] === from + barMs - finerMs;
    return whole ? first : -1;
  });
  return {
    market: { time: candles.time, barMs: finerMs, candles: coarse.map(() => candles) },
    firstRow,
    rows,
  };
}

/**
 * Stops, targets and limits of time of one position inside bar `row`: in its finer bars where the market has all of them,
 * so that the order in which levels were reached is known up to those, else in the bar itself.
 */
export function protectInside(portfolio: Portfolio, market: Market, row: number, s: number): void {
  const detail = market.detail?.[s];
  const first = detail === undefined ? -1 : detail.firstRow[row];
  if (detail === undefined || first < 0) {
    protect(portfolio, market, row, s);
    return;
  }
  const { amount } = portfolio.columns;
  const { exits } = portfolio.rules;
  for (let i = first; i < first + detail.rows && amount[s] !== 0; i++) {
    if (exits?.maxHeldMs !== undefined && i > first) leaveIfDue(portfolio, exits, detail.market, i, s);
    if (amount[s] !== 0) protect(portfolio, detail.market, i, s);
  }
}
