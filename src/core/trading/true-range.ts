import type { Candles } from '../market/candles.ts';
import type { ExitRules } from './exit-rules.ts';
import type { Portfolio } from './portfolio.ts';

/** Takes the closed bar into Wilder's average true range; the first bar has no close before it and none. */
export function seeRange(
  { columns }: Portfolio,
  { atrBars }: ExitRules,
  { high, low }: Candles,
  row: number,
  s: number,
): void {
  const before = columns.mark[s];
  if (before !== before) return;
  const range = Math.max(high[row], before) - Math.min(low[row], before);
  const bars = Math.min(columns.rangeBars[s] + 1, atrBars);
  columns.rangeBars[s] = bars;
  columns.trueRange[s] += (range - columns.trueRange[s]) / bars;
}

/** As of the last close; NaN before enough bars were seen. */
export const atrOf = ({ columns }: Portfolio, { atrBars }: ExitRules, s: number): number =>
  columns.rangeBars[s] < atrBars ? NaN : columns.trueRange[s];
