import type { Candles } from '../market/candles.ts';
import type { PairSymbol } from '../market/symbol.ts';
import type { Timeframe } from '../market/timeframe.ts';

/** Feature columns of one series, row by row beside its candles; `NaN` before a feature's warm-up. */
export interface FeatureTable {
  readonly names: readonly string[];
  readonly columns: readonly Float64Array[];
}

export interface Series {
  readonly symbol: PairSymbol;
  readonly candles: Candles;
  readonly features: FeatureTable;
}

/** What a model may look at: the closed bars of each symbol and the features computed from them. */
export interface Panel {
  readonly timeframe: Timeframe;
  readonly series: readonly Series[];
}
