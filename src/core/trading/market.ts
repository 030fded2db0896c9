import type { Candles } from '../market/candles.ts';

/**
 * Bars of several symbols on one clock: `candles[s]` has one row for each of `time`, `NaN` prices where the
 * symbol has no bar. Two rows further apart than `barMs` have missing bars between them.
 */
export interface Market {
  readonly time: Float64Array;
  readonly barMs: number;
  readonly candles: readonly Candles[];
}
