import type { FundingColumns } from './accounts/funding.ts';
import type { LiquiditySeries } from './liquidity.ts';
import type { Candles } from '../market/candles.ts';

/**
 * Bars of several symbols on one clock: `candles[s]` has one row for each of `time`, `NaN` prices where the
 * symbol has no bar. Two rows further apart than `barMs` have missing bars between them.
 */
export interface Market {
  readonly time: Float64Array;
  readonly barMs: number;
  readonly candles: readonly Candles[];
  /** Mark price of each symbol, by which positions are liquidated and funded; absent: the last price. */
  readonly mark?: readonly (Candles | undefined)[];
  /** Funding rates of each symbol; a perpetual account needs them unless its rules waive them. */
  readonly funding?: readonly (FundingColumns | undefined)[];
  /** Finer bars of each symbol, in which stops and targets are looked for; absent: the bars themselves are all there is. */
  readonly detail?: readonly (Detail | undefined)[];
  /** What trailing bars say of each symbol's cost of trading (`liquiditySeries`), for several runs; absent: each finds out. */
  readonly liquidity?: readonly LiquiditySeries[];
}

/** Finer bars of one symbol. */
export interface Detail {
  /** The finer bars on a clock of their own; every symbol of it is this one. */
  readonly market: Market;
  /** The finer row at which each bar begins; -1 where the finer bars of it are not all there. */
  readonly firstRow: Int32Array;
  /** Finer bars in a bar. */
  readonly rows: number;
}
