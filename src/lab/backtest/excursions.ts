import { lowerBound } from '../../core/market/candles.ts';
import type { Trade } from '../../core/trading/events.ts';
import type { AlignedMarket } from '../../core/trading/align.ts';

/** How far the price went against a trade and with it while it was open, as a share of its entry price. */
export interface Excursion {
  /** Maximum adverse excursion, 0 or negative. */
  readonly maePct: number;
  /** Maximum favourable excursion, 0 or positive. */
  readonly mfePct: number;
}

/**
 * Excursions trade by trade (Sweeney 1997, Maximum Adverse Excursion), of one unit, costs aside. On the bar of the exit only
 * the price of the exit counts: whether its extremes came before, the bar does not say.
 */
export function excursions(
  trades: readonly Trade[],
  symbols: readonly string[],
  market: AlignedMarket,
): readonly Excursion[] {
  return trades.map(({ symbol, side, entryTime, exitTime, entryPrice, exitPrice }) => {
    const { high, low } = market.candles[symbols.indexOf(symbol)];
    const until = lowerBound(market.time, exitTime);
    let highest = Math.max(entryPrice, exitPrice);
    let lowest = Math.min(entryPrice, exitPrice);
    for (let row = lowerBound(market.time, entryTime); row < until; row++) {
      // A missing bar is NaN, which is never beyond.
      if (high[row] > highest) highest = high[row];
      if (low[row] < lowest) lowest = low[row];
    }
    const up = 100 * (highest / entryPrice - 1);
    const down = 100 * (lowest / entryPrice - 1);
    return side === 'long' ? { maePct: down, mfePct: up } : { maePct: -up, mfePct: -down };
  });
}
