import type { Candles } from '../market/candles.ts';
import { type Timeframe, TIMEFRAME_MS } from '../market/timeframe.ts';
import type { Prices } from './columns/indicators.ts';
import type { Column } from './columns/plan.ts';
import type { FeatureInputs, InputColumn, InputName } from './inputs.ts';

/** What a person or a model needs to know about one column, and how it is computed. */
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
  /** Plans the column: blocks of closed bars in, a value a bar out, never from a later bar. */
  readonly column: (of: Sources) => Column;
}

type FeatureInput = keyof Candles | InputColumn;

export type FeatureUnitName =
  'fraction' | 'percent' | 'score' | 'flag' | 'bars' | 'days' | 'index' | 'log' | 'category';

/** What a feature is computed from: the columns of the symbol's closed bars, and its other inputs. */
export interface Sources extends Prices {
  /** Opens of the bars, epoch ms. */
  readonly time: Column;
  readonly volume: Column;
  readonly timeframe: Timeframe;
  readonly inputs: FeatureInputs;
}

export interface Shared {
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
  readonly column: (of: Sources) => Column;
}

/** Features of the symbol's own candles; a row overrides what all `shared`. */
export const features = (shared: Shared, rows: readonly Row[]): readonly Feature[] =>
  rows.map(({ warmUp, ...row }) => ({
    ...shared,
    ...row,
    needs: [],
    warmUpBars: typeof warmUp === 'number' ? () => warmUp : warmUp,
  }));

/** Bars in `days` days, at least one. */
export const barsIn = (days: number, timeframe: Timeframe): number =>
  Math.max(1, Math.round((days * TIMEFRAME_MS['1d']) / TIMEFRAME_MS[timeframe]));
