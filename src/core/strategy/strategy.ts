import type { z } from 'zod';
import type { Edge } from './edge.ts';
import type { Reason } from './reason.ts';

/**
 * What to hold, given what a model expects and what it costs to get there. A model states a belief; a strategy decides.
 * A strategy keeps no state of its own: what it remembers is what is held, so that a restart, a backtest and a paper
 * session that see the same bars decide the same.
 */
export interface Strategy<Params = unknown> {
  readonly id: string;
  readonly summary: string;
  /** Paper or published rule. */
  readonly source: string;
  /** Parameters with their defaults; what `strategies.<id>` in config.yaml may hold. */
  readonly params: z.ZodType<Params>;
  /** Decides on how well the forecaster did out of sample: `Setting.edge`. */
  readonly restsOnSkill?: boolean;
  /** ... and on when its side was right: `Edge.labels`. */
  readonly restsOnLabels?: boolean;
  /**
   * States its position anew at every bar, so that one that drifts with the price is brought back. What any other
   * strategy wants is ordered when it changes, and then left alone.
   */
  readonly restates?: boolean;
  /** The rule for one forecaster: made once, asked at the close of every bar. */
  prepare(params: Params, setting: Setting): Rule;
}

/** Decides at the close of one bar for one symbol. A pure function of what it is shown. */
export type Rule = (seen: Situation) => Decision;

/** What holds for all bars of one forecaster. */
export interface Setting {
  /** What a trade costs one way, fee and slippage, as a fraction of its value. */
  readonly cost: number;
  readonly allowShort: boolean;
  /** How the forecaster did out of sample; `undefined`: never measured. */
  readonly edge: Edge | undefined;
}

/** Everything a strategy may know at the close of a bar. `NaN`: not known, or not stated by the model. */
export interface Situation {
  /** What is held, in [-1, 1] of the capital allotted to the symbol. */
  readonly held: number;
  /** Bars of the forecast return. */
  readonly horizonBars: number;
  /** The position that the model itself would take, in [-1, 1]. */
  readonly position: number;
  /** In [0, 1]. */
  readonly confidence: number;
  readonly probabilityUp: number;
  /** Simple return over the horizon, as a fraction. */
  readonly expectedReturn: number;
  /** Lower, middle and upper quantile of that return (10 %, 50 %, 90 % or the nearest that the model states). */
  readonly lowQuantile: number;
  readonly medianQuantile: number;
  readonly highQuantile: number;
  /** Deviation of the return of one bar, from bars up to this one. */
  readonly volatility: number;
  /** The lowest of those of all symbols that are decided together at this bar; its own when it is alone. */
  readonly calmest: number;
}

/** What a rule wants, and why. */
export interface Decision {
  /** Wanted from the next open on, in [-1, 1] of the capital allotted to the symbol; `NaN`: keep what is held. */
  readonly target: number;
  readonly reason: Reason;
}

/** A figure as a reason states it. */
export const ifKnown = (value: number): number | undefined => (Number.isNaN(value) ? undefined : value);

/** What a reason says where a negative `wanted` may not be. */
export const barred = (
  wanted: number,
  { allowShort }: Pick<Setting, 'allowShort'>,
): { readonly noShorts?: true } => (wanted < 0 && !allowShort ? { noShorts: true } : {});

/** Without short sales a negative target means flat. */
export const allowed = (target: number, { allowShort }: Pick<Setting, 'allowShort'>): number =>
  Math.min(1, Math.max(allowShort ? -1 : 0, target));
