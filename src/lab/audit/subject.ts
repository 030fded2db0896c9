import type { Panel } from '../../core/dataset/panel.ts';
import type { FittedModel, Forecast, Model } from '../../core/forecast/model.ts';
import type { Candles } from '../../core/market/candles.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import type { TimedSeries } from '../../core/market/timed-series.ts';
import type { BacktestRun } from '../../core/trading/run.ts';
import type { Setting } from '../backtest/assess.ts';

/**
 * A result as somebody made it, and the procedures that made it: an audit runs these again on other bars and looks
 * whether what comes out is what an honest procedure would give.
 */
export interface Subject {
  /** All bars with the features of all members. */
  readonly panel: Panel;
  /** The panel as it was known at `untilMs`: made anew from bars and series that were known then. */
  readonly panelAt: (untilMs: number) => Promise<Panel>;
  /** The panel with other candles, its features computed from them. */
  readonly panelOf: (candles: readonly Candles[]) => Promise<Panel>;
  /** Fits were given bars from here on; absent: all. */
  readonly fitFromMs?: number;
  /** Fits were given labels up to `trainUntilMs` and bars up to `validateUntilMs`; after it lie the test bars. */
  readonly trainUntilMs: number;
  readonly validateUntilMs: number;
  readonly members: readonly AuditedMember[];
  /** The members' forecasts, in their order, as one a symbol. */
  readonly combine: (panel: Panel, forecasts: readonly (readonly Forecast[])[]) => readonly Forecast[];
  /** What is traded on them. */
  readonly decide: (panel: Panel, forecasts: readonly Forecast[]) => readonly Forecast[];
  /** Targets through the market: how the result's equity was made. */
  readonly trade: (targets: readonly Float64Array[], setting: Setting) => BacktestRun;
  readonly setting: Pick<Setting, 'instruments' | 'rules' | 'barsPerYear' | 'seed'>;
  /** Series that features read, and how long after its time a row of them can be known. */
  readonly series: readonly { readonly name: string; readonly rows: TimedSeries; readonly delayMs: number }[];
  /** Every pair that is stored for this exchange, timeframe and quote currency. */
  readonly universe: readonly {
    readonly symbol: PairSymbol;
    readonly firstMs: number;
    readonly lastMs: number;
  }[];
  /** Rules that were tried on this market before, by whom and from which seed. */
  readonly trials: readonly {
    readonly strategy: string;
    readonly seed?: number | undefined;
    readonly barSharpe?: number | undefined;
  }[];
  /** Seeds that the result itself shows beside its own. */
  readonly seedsShown: number;
  readonly signal: AbortSignal;
}

export interface AuditedMember {
  readonly id: string;
  readonly model: Model;
  readonly params: unknown;
  readonly seed: number;
  readonly fitted: FittedModel;
  /** Of the weights as they were kept. */
  readonly weightHash: string;
  /** What the result has of its forecasts from `fromMs` on, row by row beside the panel's first bars; absent: not kept. */
  readonly shown?: { readonly fromMs: number; readonly forecasts: readonly Forecast[] };
  /** How long its fit took: what takes too long is not fitted again, and said. */
  readonly seconds: number;
}
