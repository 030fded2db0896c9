import type { Candles } from '../market/candles.ts';
import { type Timeframe, TIMEFRAME_MS } from '../market/timeframe.ts';
import type { InputColumn, InputName } from './inputs.ts';
import type { Bar } from './kernels/indicators.ts';

/** What a person or a model needs to know about one column. */
export interface Feature {
  readonly name: string;
  readonly group: string;
  /** The formula in words, with the value taken where it would be undefined. */
  readonly about: string;
  /** Paper, book or convention the formula follows. */
  readonly source: string;
  readonly unit: FeatureUnitName;
  /** Columns of the symbol's own candles, and of other inputs as `<input>.<column>`. */
  readonly inputs: readonly FeatureInput[];
  /** What it reads beside the symbol's own candles: see inputs.ts. */
  readonly needs: readonly InputName[];
  /**
   * Leading bars without a value: row `warmUpBars` is the first that has one. A feature that needs other inputs
   * has one this long after they begin, and none while they are too old to say anything about now.
   */
  readonly warmUpBars: (timeframe: Timeframe) => number;
}

type FeatureInput = keyof Candles | InputColumn;

export type FeatureUnitName =
  'fraction' | 'percent' | 'score' | 'flag' | 'bars' | 'days' | 'index' | 'log' | 'category';

/** Takes the next closed bar and writes one value a feature to `out`. */
export type Step = (bar: Bar, out: Float64Array) => void;

/** Takes the next row of an input, in the order in which they became known: its values and its own time. */
export type Observe = (values: Float64Array, timeMs: number) => void;

/** A kernel at work: before each step, `observe[i]` is given the rows of need `i` known by the bar's close. */
export interface RunningKernel {
  readonly step: Step;
  readonly observe: readonly Observe[];
}

/**
 * Features computed together. A step is given bars one by one and never sees a later one, so a feature cannot
 * look ahead, and a live bar gets the same bits as a historical one.
 */
export interface FeatureKernel {
  readonly features: readonly Feature[];
  readonly needs: readonly Need[];
  start(timeframe: Timeframe): RunningKernel;
}

/** An input and the columns of it that a kernel observes, in this order. */
interface Need {
  readonly input: InputName;
  readonly columns: readonly string[];
}

interface Shared {
  readonly group: string;
  readonly source: string;
  readonly unit: FeatureUnitName;
  readonly inputs: readonly (keyof Candles)[];
}

interface Row extends Partial<Omit<Shared, 'group'>> {
  readonly name: string;
  readonly about: string;
  /** Bars, or a function of the timeframe for windows that are stated in days. */
  readonly warmUp: number | ((timeframe: Timeframe) => number);
}

/** A kernel whose step writes the features of `rows` in this order; a row overrides what all `shared`. */
export function kernel(
  shared: Shared,
  rows: readonly Row[],
  start: (timeframe: Timeframe) => Step,
): FeatureKernel {
  return kernelWith(shared, [], rows, (timeframe) => ({ step: start(timeframe), observe: [] }));
}

/**
 * A kernel that also observes other inputs. Where one of them has no row that still counts, its features have no
 * value, whatever the step writes.
 */
export function kernelWith(
  shared: Shared,
  needs: readonly Need[],
  rows: readonly Row[],
  start: (timeframe: Timeframe) => RunningKernel,
): FeatureKernel {
  const observed = needs.flatMap(({ input, columns }) =>
    columns.map((column): InputColumn => `${input}.${column}`),
  );
  const features = rows.map(({ warmUp, ...row }) => ({
    ...shared,
    ...row,
    inputs: [...(row.inputs ?? shared.inputs), ...observed],
    needs: needs.map(({ input }) => input),
    warmUpBars: typeof warmUp === 'number' ? () => warmUp : warmUp,
  }));
  return { features, needs, start };
}

/** Bars in `days` days, at least one. */
export const barsIn = (days: number, timeframe: Timeframe): number =>
  Math.max(1, Math.round((days * TIMEFRAME_MS['1d']) / TIMEFRAME_MS[timeframe]));
