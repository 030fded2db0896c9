import { forwardReturns } from '../../../core/dataset/labels.ts';
import type { Panel, Series } from '../../../core/dataset/panel.ts';
import type { Timeframe } from '../../../core/market/timeframe.ts';
import { volatilityOf } from './inputs.ts';

/** What follows a window, in numbers: known to training and scoring, never to a forecast. */
export interface Targets {
  /** Numbers a window. */
  readonly width: number;
  /** Bars from the next open on after which all of them are known. */
  readonly horizonBars: number;
  of(panel: Panel, trainUntilMs: number): LabelledPanel;
}

export interface LabelledPanel {
  /** `width` columns for each series, row by row beside its candles; `NaN` where not known. */
  readonly columns: readonly (readonly Float64Array[])[];
  /** What had to be fitted to make them, on labels that end at or before `trainUntilMs`, for the report. */
  readonly fitted?: Readonly<Record<string, unknown>>;
}

/** Scaled returns over several horizons, in that order. */
export const returnTargets = (horizons: readonly number[]): Targets => ({
  width: horizons.length,
  horizonBars: Math.max(...horizons),
  of: ({ series, timeframe }) => ({
    columns: series.map((one) => horizons.map((bars) => scaledReturns(one, timeframe, bars))),
  }),
});

/** Return from the next open over `horizonBars`, in standard deviations of such a return. */
export function scaledReturns(series: Series, timeframe: Timeframe, horizonBars: number): Float64Array {
  const volatility = volatilityOf(series);
  return forwardReturns(series.candles, timeframe, horizonBars).map(
    (change, row) => change / (volatility[row] * Math.sqrt(horizonBars)),
  );
}
