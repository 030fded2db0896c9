import { type Candles, lowerBound, sliceCandles } from '../market/candles.ts';
import { type EndedHistory, endedHistories } from '../market/history-end.ts';
import type { PairSymbol } from '../market/symbol.ts';
import { barOpen, type Timeframe, TIMEFRAME_MS } from '../market/timeframe.ts';
import { type BarView, viewAt } from './bar-views.ts';

/** Values of a feature bar by bar; in single precision where whoever reads it rounds to that (`Model.readsSingle`). */
export type FeatureColumn = Float64Array | Float32Array;

/** Feature columns of one series, row by row beside its candles; `NaN` before a feature's warm-up. */
export interface FeatureTable<Column extends FeatureColumn = FeatureColumn> {
  readonly names: readonly string[];
  readonly columns: readonly Column[];
  /** Only of a table whose columns are worked out when they are read (late-features.ts): the same of some of them. */
  readonly pick?: (names: readonly string[]) => FeatureTable<Column>;
}

/** One symbol: its closed bars, and its features row by row beside them. */
export interface Series {
  readonly symbol: PairSymbol;
  readonly candles: Candles;
  readonly features: FeatureTable;
  /** Stored bars of other lengths, finer and longer, each known at its own close; those that a model asked for. */
  readonly views?: readonly BarView[];
}

/** What a model may look at: the closed bars of each symbol and the features computed from them. */
export interface Panel {
  readonly timeframe: Timeframe;
  readonly series: readonly Series[];
}

/** The symbols whose bars end before the panel's newest one. */
export const endedSeries = ({ series, timeframe }: Panel): readonly EndedHistory[] =>
  endedHistories(
    series.map(({ symbol, candles: { time } }) => ({ symbol, lastTimeMs: time[time.length - 1] })),
    timeframe,
  );

/** The bars that opened before `untilMs`, as views on the same memory: the panel as it was known then. */
export const panelUntil = (panel: Panel, untilMs: number): Panel =>
  panelWithin(panel, { fromMs: -Infinity, untilMs });

/**
 * The bars that opened at `fromMs` or later and before `untilMs`, as views on the same memory. Bars of other lengths are there as
 * far as they had closed with the last of these, from their first on.
 */
export function panelWithin(
  panel: Panel,
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
): Panel {
  const closedMs = barOpen(untilMs - 1, panel.timeframe) + TIMEFRAME_MS[panel.timeframe];
  const series = panel.series.map(({ symbol, candles, features, views }) => {
    const [from, until] = [lowerBound(candles.time, fromMs), lowerBound(candles.time, untilMs)];
    const columns = features.columns.map((column) => column.subarray(from, until));
    return {
      symbol,
      candles: sliceCandles(candles, from, until),
      features: { names: features.names, columns },
      ...(views && { views: views.map((view) => viewAt(view, closedMs)) }),
    };
  });
  return { timeframe: panel.timeframe, series };
}

/** The panel with only the feature columns `names`, in that order, sharing memory. */
export function selectFeatures(panel: Panel, names: readonly string[]): Panel {
  const series = panel.series.map((one) => ({
    ...one,
    features: one.features.pick?.(names) ?? { names, columns: names.map((name) => featureColumn(one, name)) },
  }));
  return { timeframe: panel.timeframe, series };
}

/** A feature's column. Asking for one that the panel was not loaded with is our bug. */
function featureColumn(series: Series, name: string): FeatureColumn {
  const column = series.features.columns[series.features.names.indexOf(name)];
  if (column === undefined)
    throw new Error(`The panel of ${series.symbol} was loaded without feature "${name}".`);
  return column;
}
