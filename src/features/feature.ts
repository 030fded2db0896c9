import type { Candles } from '../market/candles.ts';
import { type Timeframe, TIMEFRAME_MS } from '../market/timeframe.ts';
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
  readonly inputs: readonly (keyof Candles)[];
  /** Leading bars without a value: row `warmUpBars` is the first that has one. */
  readonly warmUpBars: (timeframe: Timeframe) => number;
}

export type FeatureUnitName =
  'fraction' | 'percent' | 'score' | 'flag' | 'bars' | 'days' | 'index' | 'log' | 'category';

/** Takes the next closed bar and writes one value a feature to `out`. */
export type Step = (bar: Bar, out: Float64Array) => void;

/**
 * Features computed together. A step is given bars one by one and never sees a later one, so a feature cannot
 * look ahead, and a live bar gets the same bits as a historical one.
 */
export interface FeatureKernel {
  readonly features: readonly Feature[];
  start(timeframe: Timeframe): Step;
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
  const features = rows.map(({ warmUp, ...row }) => ({
    ...shared,
    ...row,
    warmUpBars: typeof warmUp === 'number' ? () => warmUp : warmUp,
  }));
  return { features, start };
}

/** Bars in `days` days, at least one. */
export const barsIn = (days: number, timeframe: Timeframe): number =>
  Math.max(1, Math.round((days * TIMEFRAME_MS['1d']) / TIMEFRAME_MS[timeframe]));
