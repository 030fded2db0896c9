import { forwardReturns } from '../../dataset/labels.ts';
import type { Panel, Series } from '../../dataset/panel.ts';
import { type Scaler, scaleColumn } from '../../dataset/scaler.ts';
import { windowEnds } from '../../dataset/windows.ts';
import { UserError } from '../../foundation/errors.ts';
import type { PairSymbol } from '../../market/symbol.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../market/timeframe.ts';

/** What is known of a bar before it happens: its place in the day and in the week. */
export const CALENDAR_INPUTS = ['hour_sin', 'hour_cos', 'weekday_sin', 'weekday_cos'] as const;

/** Sizes of one input window. */
export interface WindowSizes {
  readonly lookBack: number;
  /** Scaled feature columns. */
  readonly features: number;
  /** Bars after the window whose calendar is given too; 0: the network reads neither calendar nor symbol. */
  readonly futureBars: number;
}

/** One symbol's bars as a network reads them. */
export interface SeriesInputs {
  readonly symbol: PairSymbol;
  /** Place among the symbols that the model was trained on. */
  readonly symbolIndex: number;
  readonly time: Float64Array;
  /** Scaled features, row by row: [rows, features]. */
  readonly values: Float32Array;
  /** Standard deviation of one bar's log return, known at its close. */
  readonly volatility: Float64Array;
  /** Rows that end a complete window. */
  readonly ends: Int32Array;
}

/** Below this the market stood still: a return divided by it would only measure rounding. */
const LEAST_VOLATILITY = 1e-5;

/** Scales the columns of every series. Throws `UserError` for a symbol that the model has never seen. */
export function seriesInputs(
  { series, timeframe }: Panel,
  options: { readonly symbols: readonly PairSymbol[]; readonly scaler: Scaler; readonly lookBack: number },
): SeriesInputs[] {
  return series.map((one) => ({
    symbol: one.symbol,
    symbolIndex: indexOfSymbol(one.symbol, options.symbols),
    time: one.candles.time,
    values: interleave(one.features.columns.map((column, i) => scaleColumn(options.scaler, i, column, 5))),
    volatility: volatilityOf(one),
    ends: windowEnds(one.candles.time, one.features.columns, timeframe, options.lookBack),
  }));
}

/** Return from the next open over `horizonBars`, in standard deviations of such a return. */
export function scaledReturns(series: Series, timeframe: Timeframe, horizonBars: number): Float64Array {
  const volatility = volatilityOf(series);
  return forwardReturns(series.candles, timeframe, horizonBars).map(
    (change, row) => change / (volatility[row] * Math.sqrt(horizonBars)),
  );
}

/** A series' volatility: its first feature column. */
const volatilityOf = ({ features }: Series): Float64Array =>
  features.columns[0].map((value) => Math.max(value, LEAST_VOLATILITY));

/** The input arrays of one batch, filled window by window. */
export interface WindowBatch {
  readonly feeds: Readonly<Record<string, Float32Array | Int32Array>>;
  /** Puts the window that ends at `row` into place `slot`. */
  fill(slot: number, series: SeriesInputs, row: number): void;
}

export function windowBatch(
  rows: number,
  { lookBack, features, futureBars }: WindowSizes,
  timeframe: Timeframe,
): WindowBatch {
  const steps = lookBack + futureBars;
  const width = CALENDAR_INPUTS.length;
  const observed = new Float32Array(rows * lookBack * features);
  const known = new Float32Array(futureBars > 0 ? rows * steps * width : 0);
  const symbol = new Int32Array(futureBars > 0 ? rows : 0);
  const calendar = calendarOf(timeframe);
  return {
    feeds: futureBars > 0 ? { observed, known, symbol } : { observed },
    fill(slot, series, row) {
      const window = series.values.subarray((row + 1 - lookBack) * features, (row + 1) * features);
      observed.set(window, slot * lookBack * features);
      if (futureBars === 0) return;
      symbol[slot] = series.symbolIndex;
      const first = series.time[row] / TIMEFRAME_MS[timeframe] - lookBack + 1;
      for (let t = 0; t < steps; t++) known.set(calendar(first + t), (slot * steps + t) * width);
    },
  };
}

/** Shapes of a batch of `rows` windows. */
export const batchSpec = (rows: number, { lookBack, features, futureBars }: WindowSizes) => ({
  observed: { shape: [rows, lookBack, features], type: 'float32' as const },
  ...(futureBars > 0 && {
    known: { shape: [rows, lookBack + futureBars, CALENDAR_INPUTS.length], type: 'float32' as const },
    symbol: { shape: [rows], type: 'int32' as const },
  }),
});

/** The calendar of a bar by its number since the epoch: it repeats every week. */
function calendarOf(timeframe: Timeframe): (bar: number) => Float32Array {
  const barsPerDay = TIMEFRAME_MS['1d'] / TIMEFRAME_MS[timeframe];
  const week = Array.from({ length: 7 * barsPerDay }, (_, bar) => {
    const hour = (2 * Math.PI * bar) / barsPerDay;
    const weekday = (2 * Math.PI * Math.floor(bar / barsPerDay)) / 7;
    return Float32Array.of(Math.sin(hour), Math.cos(hour), Math.sin(weekday), Math.cos(weekday));
  });
  return (bar) => week[bar % week.length];
}

function interleave(columns: readonly Float64Array[]): Float32Array {
  const rows = columns[0].length;
  const values = new Float32Array(rows * columns.length);
  columns.forEach((column, c) => {
    for (let row = 0; row < rows; row++) values[row * columns.length + c] = column[row];
  });
  return values;
}

function indexOfSymbol(symbol: PairSymbol, symbols: readonly PairSymbol[]): number {
  const index = symbols.indexOf(symbol);
  if (index >= 0) return index;
  throw new UserError(`The model was not trained on ${symbol}, only on ${symbols.join(', ')}.`, {
    hint: 'Train again with that symbol in market.symbols.',
  });
}
