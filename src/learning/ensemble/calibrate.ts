import { labelEndMs, returnsWithin } from '../../core/dataset/labels.ts';
import type { Panel } from '../../core/dataset/panel.ts';
import type { Span } from '../../core/dataset/splits.ts';
import type { Forecast } from '../../core/forecast/model.ts';
import { lowerBound } from '../../core/market/candles.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { measureEdge } from '../../core/strategy/edge.ts';

/**
 * What a model states about the next bars, in whatever unit: its expected return, else how far its probability lies from
 * one half, else the position it takes. Agents, GARCH momentum and networks with a direction alone get a return from it.
 */
export function statementOf({ expectedReturn, probabilityUp, position }: Forecast): Float64Array {
  return expectedReturn ?? probabilityUp?.map((probability) => probability - 0.5) ?? position;
}

/** Rows of a span whose returns were known by its end, one entry a symbol. */
export interface ShownRows {
  readonly time: Float64Array;
  readonly realised: Float64Array;
  readonly from: number;
  readonly until: number;
}

export function shownRows(panel: Panel, span: Span, horizonBars: number): readonly ShownRows[] {
  const { timeframe } = panel;
  return panel.series.map(({ candles }) => {
    const from = lowerBound(candles.time, span.fromMs);
    let until = lowerBound(candles.time, span.untilMs);
    while (until > from && labelEndMs(candles.time[until - 1], timeframe, horizonBars) > span.untilMs)
      until--;
    const realised = returnsWithin(candles, { timeframe, horizonBars, from, until });
    return { time: candles.time.subarray(from, until), realised, from, until };
  });
}

/** What a unit of a model's statement was worth, and how much of that to believe. */
export interface Calibration {
  /** Return over the horizon per unit of the statement; `undefined`: too few bars to say. */
  readonly slope: number | undefined;
  /**
   * The slope less what its error may have added: slope (1 - error^2 / slope^2), and 0 where the error is as large as
   * the slope, or the slope negative (the positive part of James & Stein 1961). 0 is no skill, and no vote.
   */
  readonly believed: number;
  /** The slope in standard errors; 0: too few bars to say. */
  readonly t: number;
}

/** Statements, one column a symbol beside `rows`, against what happened; rows that `isKept` refuses are left out. */
export function calibrate(
  stated: readonly Float64Array[],
  rows: readonly ShownRows[],
  { horizonBars, barMs, isKept }: CalibrationOptions,
): Calibration {
  const series = rows.map(({ time, realised, from, until }, s) => {
    const column = stated[s].subarray(from, until);
    return {
      time,
      realised,
      stated: isKept === undefined ? column : column.map((value, i) => (isKept(time[i]) ? value : NaN)),
    };
  });
  const edge = measureEdge(series, { horizonBars, barMs });
  if (edge === undefined) return { slope: undefined, believed: 0, t: 0 };
  const { slope, error } = edge;
  return {
    slope,
    believed: slope > 0 ? slope * Math.max(0, 1 - (error / slope) ** 2) : 0,
    t: error > 0 ? slope / error : 0,
  };
}

interface CalibrationOptions {
  readonly horizonBars: number;
  readonly barMs: number;
  readonly isKept?: ((timeMs: number) => boolean) | undefined;
}

/** Parts of the measured bars that are judged by what the others teach. */
const PARTS = 5;

/** Each part of a span with the bars that teach about it: the others, less those whose returns reach into it. */
export function crossParts(
  measured: Span,
  horizonBars: number,
  barMs: number,
): readonly (Span & { readonly isKept: (timeMs: number) => boolean })[] {
  const margin = (horizonBars + 1) * barMs;
  const width = (measured.untilMs - measured.fromMs) / PARTS;
  if (!(width > 2 * margin)) return [];
  return Array.from({ length: PARTS }, (_, part) => {
    const fromMs = measured.fromMs + part * width;
    const untilMs = fromMs + width;
    return { fromMs, untilMs, isKept: (time) => time < fromMs - margin || time >= untilMs + margin };
  });
}

export const barMsOf = ({ timeframe }: Pick<Panel, 'timeframe'>): number => TIMEFRAME_MS[timeframe];
