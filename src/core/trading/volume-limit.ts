import { participationLimit } from './liquidity.ts';
import type { Market } from './market.ts';
import type { Portfolio } from './portfolio.ts';

/** Base amount that one order in symbol `s` may take on bar `row`. */
export function volumeLimit({ rules, columns }: Portfolio, market: Market, row: number, s: number): number {
  const { maxVolumeSharePct, impact } = rules;
  const share =
    maxVolumeSharePct === undefined ? Infinity : (market.candles[s].volume[row] * maxVolumeSharePct) / 100;
  return impact === undefined ? share : Math.min(share, participationLimit(columns, impact, s));
}
