import type { Prices } from './indicators.ts';
import { type Column, compute } from './plan.ts';

/** SuperTrend line: below the price in an uptrend, above it in a downtrend; unknown until the `range` is. */
export const superTrend = ({ high, low, close }: Prices, range: Column, width: number): Column =>
  compute('superTrend', [high, low, close, range], [width], [NaN, NaN, 1, NaN]);

/**
 * Wilder's parabolic stop and reverse as TA-Lib computes it: the stop for the bar just closed; unknown on the
 * first bar. It begins at the first bar's low, or at its high where the second bar fell further than it rose; a
 * bar that touches the stop reverses it.
 */
export const parabolicStop = (
  { high, low }: Prices,
  { step, most }: { readonly step: number; readonly most: number },
): Column => compute('parabolicStop', [high.keep(1), low.keep(1)], [step, most], [NaN, NaN, NaN, NaN]);
