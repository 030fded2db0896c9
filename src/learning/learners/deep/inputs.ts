import type { FeatureColumn, Panel, Series } from '../../../core/dataset/panel.ts';
import { fitScaler, type Scaler, scaleRows } from '../../../core/dataset/scaler.ts';
import { windowEnds } from '../../../core/dataset/windows.ts';
import { computeFeatures } from '../../../core/features/catalogue.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { type Candles, lowerBound } from '../../../core/market/candles.ts';
import { resampleCandles } from '../../../core/market/resample.ts';
import type { PairSymbol } from '../../../core/market/symbol.ts';
import { type BarLength, openOfBar } from '../../../core/market/bar-length.ts';
import { isTimeframe, type Timeframe, TIMEFRAME_MS } from '../../../core/market/timeframe.ts';

/** What is known of a bar before it happens: its place in the day and in the week. */
export const CALENDAR_INPUTS = ['hour_sin', 'hour_cos', 'weekday_sin', 'weekday_cos'] as const;

/** The newest closed bars of one timeframe: an input [rows, lookBack, features] of this name. */
export interface Branch {
  readonly name: string;
  /** The panel's, or one that its bars make up, or one whose bars stand beside. */
  readonly timeframe: BarLength;
  /** Its bars stand beside those of the panel: see `Series.views`. */
  readonly beside?: true;
  readonly lookBack: number;
  /** Columns of the panel; of another length, features that are computed from its bars. */
  readonly features: readonly string[];
  /** Left out, by name, where the bars of training hold too few whole windows of it: see `withWholeBranches`. */
  readonly omittable?: true;
  /**
   * A window may lack while the others are there: its input is then 0, and so is a further input `has_<name>` [rows]
   * that is 1 elsewhere. Not for the first branch.
   */
  readonly optional?: true;
}

/** An input that a model is made for and does without. */
export interface AbsentInput {
  readonly name: string;
  readonly reason: string;
}

/** What a network reads at the close of a bar. */
export interface InputLayout {
  readonly branches: readonly Branch[];
  /** Bars after the close whose calendar is read, with that of the first branch and the symbol; 0: neither. */
  readonly futureBars: number;
  /**
   * All symbols of a bar stand together in a batch, in the order of training: `symbols` rows a bar, and an
   * input `present` [rows] that is 0 for a symbol without a window there.
   */
  readonly together?: true;
  /** What else the model would read. It is not there at all: no zeros stand in its place. */
  readonly absent?: readonly AbsentInput[];
}

/** The layout of a network that reads one window of the panel's own bars. */
export const oneWindow = (
  { lookBack }: { readonly lookBack: number },
  { timeframe, features }: PanelShape,
  futureBars = 0,
): InputLayout => ({ branches: [{ name: 'observed', timeframe, lookBack, features }], futureBars });

/** What all series of a panel have in common. */
export interface PanelShape {
  readonly timeframe: Timeframe;
  /** Names of the feature columns. */
  readonly features: readonly string[];
  /** Of the bars beside, which every series has. */
  readonly lengths: readonly BarLength[];
}

export const shapeOf = ({ timeframe, series }: Panel): PanelShape => ({
  timeframe,
  features: series[0].features.names,
  lengths: (series[0].views ?? []).map(({ length }) => length),
});

/** When the newest bar opened that has closed by `ms`. */
const openOfClosed = (ms: number, length: BarLength): number => openOfBar(openOfBar(ms, length) - 1, length);

/** One symbol's bars as a network reads them. */
export interface SeriesInputs {
  readonly symbol: PairSymbol;
  /** Place among the symbols that the model was trained on. */
  readonly symbolIndex: number;
  readonly time: Float64Array;
  /** Standard deviation of one bar's log return, known at its close. */
  readonly volatility: Float64Array;
  /** In the order of the layout. */
  readonly branches: readonly BranchInputs[];
  /** Rows at which every branch has its window. */
  readonly ends: Int32Array;
}

interface BranchInputs {
  /** Scaled features, row by row: [rows of the branch, features]. */
  readonly values: Float32Array;
  /** For every bar of the panel the branch's row that ends the window at its close, or -1 where it has none. */
  readonly last: Int32Array;
}

/** Below this the market stood still: a return divided by it would only measure rounding. */
export const LEAST_VOLATILITY = 1e-5;

/** A series' volatility: its first feature column. */
export const volatilityOf = ({ features }: Series): Float64Array =>
  Float64Array.from(features.columns[0], (value) => Math.max(Math.fround(value), LEAST_VOLATILITY));

/** A branch of one series before scaling. */
export interface BranchColumns {
  readonly time: Float64Array;
  readonly columns: readonly FeatureColumn[];
}

/** The bars of one branch of a series, all of them and their features. */
export function branchColumns(
  { symbol, candles, features, views }: Series,
  branch: Branch,
  timeframe: Timeframe,
): BranchColumns {
  if (branch.timeframe === timeframe) {
    const columns = branch.features.map((name) => features.columns[features.names.indexOf(name)]);
    return { time: candles.time, columns };
  }
  const beside = views?.find(({ length }) => length === branch.timeframe);
  if (branch.beside && beside === undefined)
    throw new UserError(`The model reads ${branch.timeframe} bars of ${symbol}, and none are stored.`, {
      hint: `Fetch them: crypto-trader fetch --symbols ${symbol} --timeframe ${isTimeframe(branch.timeframe) ? branch.timeframe : '1d'}`,
    });
  const bars = branch.beside
    ? (beside?.candles ?? candles)
    : longerBars(candles, timeframe, branch.timeframe);
  const { columns } = computeFeatures(branch.features, bars, featureLength(branch.timeframe));
  return { time: bars.time, columns };
}

/** No window of the catalogue's is shorter than a week where it is stated in days. */
export const featureLength = (length: BarLength): Timeframe => (isTimeframe(length) ? length : '1d');

/** Finds the bars of a branch in what is shown of a series. */
export type ReadBranch = typeof branchColumns;

const resampled = new WeakMap<Candles, Map<BarLength, Candles>>();

/** Worked out once, however many models and branches read them: candles never change. */
export function longerBars(candles: Candles, from: Timeframe, to: BarLength): Candles {
  const known = resampled.get(candles) ?? new Map<BarLength, Candles>();
  const longer = known.get(to) ?? resampleCandles(candles, from, to);
  resampled.set(candles, known.set(to, longer));
  return longer;
}

/**
 * The layout without those omittable branches of which fewer than half of the bars of training have a whole window:
 * waiting for them would cost the model the greater part of its examples. What remains is never empty.
 */
export function withWholeBranches(panel: Panel, layout: InputLayout, untilMs: number): InputLayout {
  const { series, timeframe } = panel;
  if (!layout.branches.some(({ omittable }) => omittable)) return layout;
  const found = layout.branches.map((branch) => {
    let [bars, whole] = [0, 0];
    for (const one of series) {
      const { time } = one.candles;
      const rows = lowerBound(time, untilMs - TIMEFRAME_MS[timeframe] + 1);
      const last = windowRows(time, timeframe, branch, branchColumns(one, branch, timeframe));
      bars += rows;
      whole += last.subarray(0, rows).filter((row) => row >= 0).length;
    }
    return { branch, bars, whole };
  });
  const isShort = ({ branch, bars, whole }: (typeof found)[number]): boolean =>
    branch.omittable === true && (branch.optional === true ? whole === 0 : whole < bars / 2);
  const short = found.filter(isShort).map(({ branch: { name, lookBack }, bars, whole }) => ({
    name,
    reason: `only ${whole} of ${bars} bars of training have ${lookBack} whole ${name} bars before them`,
  }));
  return without(layout, short);
}

/** The layout without these branches, which it then names as absent. Throws `UserError` when none is left. */
export function without(layout: InputLayout, absent: readonly AbsentInput[]): InputLayout {
  const branches = layout.branches.filter(({ name }) => !absent.some((one) => one.name === name));
  const known = layout.absent?.filter(({ name }) => !absent.some((one) => one.name === name)) ?? [];
  const all = [...known, ...absent];
  if (branches.length > 0) return { ...layout, branches, ...(all.length > 0 && { absent: all }) };
  throw new UserError(
    `None of the timeframes of the model can be read here: ${all.map(({ name, reason }) => `${name} (${reason})`).join(', ')}.`,
    { hint: 'Fetch more history, or choose other timeframes.' },
  );
}

/** Location and scale of every branch's inputs, of all symbols together, in the bars closed by `untilMs`. */
export function fitScalers({ series, timeframe }: Panel, layout: InputLayout, untilMs: number): Scaler[] {
  return layout.branches.map((branch) => {
    const parts = series.map((one) => {
      const { time, columns } = branchColumns(one, branch, timeframe);
      const rows = lowerBound(time, openOfClosed(untilMs, branch.timeframe) + 1);
      return columns.map((column) => column.subarray(0, rows));
    });
    const column = new Float32Array(parts.reduce((bars, [{ length }]) => bars + length, 0));
    const rows = Int32Array.from(column, (_, row) => row);
    // One column at a time: a copy of all of them may be more than fits.
    const fitted = branch.features.map((_, c) =>
      fitScaler(
        [
          joinInto(
            column,
            parts.map((all) => all[c]),
          ),
        ],
        rows,
      ),
    );
    return {
      means: fitted.flatMap(({ means }) => means),
      deviations: fitted.flatMap(({ deviations }) => deviations),
    };
  });
}

/**
 * Scales the inputs of every series. Windows that end at bars before `sinceMs` may be left out. Throws `UserError` for a
 * symbol that the model has never seen.
 */
export function seriesInputs(
  { series, timeframe }: Panel,
  options: {
    readonly symbols: readonly PairSymbol[];
    readonly scalers: readonly Scaler[];
    readonly layout: InputLayout;
    readonly sinceMs?: number;
    readonly read?: ReadBranch | undefined;
  },
): SeriesInputs[] {
  const { branches } = options.layout;
  const { sinceMs = -Infinity, read: readBranch = branchColumns } = options;
  return series.map((one) => {
    const { time } = one.candles;
    const inputs = branches.map((branch, b): BranchInputs => {
      const read = readBranch(one, branch, timeframe);
      const closed = sinceMs === -Infinity ? sinceMs : openOfClosed(sinceMs, branch.timeframe);
      const from = Math.max(0, lowerBound(read.time, closed) - branch.lookBack);
      return {
        values: scaleRows(options.scalers[b], read.columns, { clip: 5, from }),
        last: windowRows(time, timeframe, branch, { ...read, from, sinceMs }),
      };
    });
    return {
      symbol: one.symbol,
      symbolIndex: indexOfSymbol(one.symbol, options.symbols),
      time,
      volatility: volatilityOf(one),
      branches: inputs,
      ends: rowsWithAll(inputs.filter((_, b) => branches[b].optional !== true)),
    };
  });
}

function rowsWithAll(branches: readonly BranchInputs[]): Int32Array {
  const [first, ...others] = branches;
  const rows: number[] = [];
  for (let row = 0; row < first.last.length; row++)
    if (first.last[row] >= 0 && others.every(({ last }) => last[row] >= 0)) rows.push(row);
  return Int32Array.from(rows);
}

/**
 * At the close of every bar of `time`, the row of the branch's newest closed bar when it ends a complete window,
 * else -1. A branch's bar counts from its close on, not while its first parts are already there.
 */
function windowRows(
  time: Float64Array,
  timeframe: Timeframe,
  branch: Branch,
  {
    time: opened,
    columns,
    from = 0,
    sinceMs = -Infinity,
  }: BranchColumns & { readonly from?: number; readonly sinceMs?: number },
): Int32Array {
  const ends = windowEnds(opened, columns, branch.timeframe, { lookBack: branch.lookBack, from });
  const last = new Int32Array(time.length).fill(-1);
  if (branch.timeframe === timeframe) {
    for (const row of ends) last[row] = row;
    return last;
  }
  const rowAt = new Map(Array.from(ends, (row) => [opened[row], row]));
  for (let row = lowerBound(time, sinceMs); row < last.length; row++) {
    const closed = openOfClosed(time[row] + TIMEFRAME_MS[timeframe], branch.timeframe);
    last[row] = rowAt.get(closed) ?? -1;
  }
  return last;
}

/** The input arrays of one batch, filled window by window. */
export interface WindowBatch {
  readonly feeds: Readonly<Record<string, Float32Array | Int32Array>>;
  /** Puts the window that ends at `row` into place `slot`. */
  fill(slot: number, series: SeriesInputs, row: number): void;
  /** Moves the window in place `slot` the share `share` of the way to the one that ends at `row`. */
  approach(slot: number, series: SeriesInputs, row: number, share: number): void;
  /** Leaves place `slot` without a window. */
  clear(slot: number): void;
}

export function windowBatch(rows: number, layout: InputLayout, timeframe: Timeframe): WindowBatch {
  const { branches, futureBars } = layout;
  const spec = batchSpec(rows, layout);
  const feeds = Object.fromEntries(
    Object.entries(spec).map(([name, { shape, type }]) => {
      const size = shape.reduce((product, length) => product * length, 1);
      return [name, type === 'int32' ? new Int32Array(size) : new Float32Array(size)];
    }),
  );
  const { known, symbol, present } = feeds;
  const [{ lookBack }] = branches;
  const steps = lookBack + futureBars;
  const calendar = calendarOf(timeframe);
  /** `undefined`: an optional branch has none there. */
  const windowAt = (b: number, { values, last }: BranchInputs, row: number): Float32Array | undefined => {
    const { lookBack: bars, features } = branches[b];
    if (last[row] < 0) return undefined;
    const end = (last[row] + 1) * features.length;
    return values.subarray(end - bars * features.length, end);
  };
  return {
    feeds,
    fill(slot, series, row) {
      for (let b = 0; b < branches.length; b++) {
        const { name, lookBack: bars, features, optional } = branches[b];
        const window = windowAt(b, series.branches[b], row);
        const size = bars * features.length;
        if (window === undefined) feeds[name].fill(0, slot * size, (slot + 1) * size);
        else feeds[name].set(window, slot * size);
        if (optional === true) feeds[`has_${name}`][slot] = window === undefined ? 0 : 1;
      }
      if (layout.together) present[slot] = 1;
      if (futureBars === 0) return;
      symbol[slot] = series.symbolIndex;
      const first = series.time[row] / TIMEFRAME_MS[timeframe] - lookBack + 1;
      for (let t = 0; t < steps; t++)
        known.set(calendar(first + t), (slot * steps + t) * CALENDAR_INPUTS.length);
    },
    approach(slot, series, row, share) {
      for (let b = 0; b < branches.length; b++) {
        const window = windowAt(b, series.branches[b], row);
        const values = feeds[branches[b].name];
        if (
          window === undefined ||
          (branches[b].optional === true && feeds[`has_${branches[b].name}`][slot] === 0)
        )
          continue;
        const from = slot * window.length;
        for (let i = 0; i < window.length; i++) values[from + i] += share * (window[i] - values[from + i]);
      }
    },
    clear(slot) {
      for (const [name, { shape }] of Object.entries(spec)) {
        const size = feeds[name].length / shape[0];
        feeds[name].fill(0, slot * size, (slot + 1) * size);
      }
    },
  };
}

/** Shapes of a batch of `rows` windows. */
export function batchSpec(rows: number, { branches, futureBars, together }: InputLayout): BatchShapes {
  const [{ lookBack }] = branches;
  const numbers = (...shape: readonly number[]) => ({ shape: [rows, ...shape], type: 'float32' as const });
  return {
    ...Object.fromEntries(
      branches.map(({ name, lookBack: bars, features }) => [name, numbers(bars, features.length)]),
    ),
    ...Object.fromEntries(
      branches.flatMap(({ name, optional }) => (optional ? [[`has_${name}`, numbers()]] : [])),
    ),
    ...(together && { present: numbers() }),
    ...(futureBars > 0 && {
      known: numbers(lookBack + futureBars, CALENDAR_INPUTS.length),
      symbol: { shape: [rows], type: 'int32' as const },
    }),
  };
}

type BatchShapes = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly type: 'float32' | 'int32' }>
>;

/** The calendar of a bar by its number since the epoch: it repeats every week. */
export function calendarOf(timeframe: Timeframe): (bar: number) => Float32Array {
  const barsPerDay = TIMEFRAME_MS['1d'] / TIMEFRAME_MS[timeframe];
  const week = Array.from({ length: 7 * barsPerDay }, (_, bar) => {
    const hour = (2 * Math.PI * bar) / barsPerDay;
    const weekday = (2 * Math.PI * Math.floor(bar / barsPerDay)) / 7;
    return Float32Array.of(Math.sin(hour), Math.cos(hour), Math.sin(weekday), Math.cos(weekday));
  });
  return (bar) => week[((bar % week.length) + week.length) % week.length];
}

/** The columns one behind the other, in `all`. */
export function joinInto<Column extends FeatureColumn>(
  all: Column,
  columns: readonly FeatureColumn[],
): Column {
  let offset = 0;
  for (const column of columns) {
    all.set(column, offset);
    offset += column.length;
  }
  return all;
}

function indexOfSymbol(symbol: PairSymbol, symbols: readonly PairSymbol[]): number {
  const index = symbols.indexOf(symbol);
  if (index >= 0) return index;
  throw new UserError(`The model was not trained on ${symbol}, only on ${symbols.join(', ')}.`, {
    hint: 'Train again with that symbol in market.symbols.',
  });
}
