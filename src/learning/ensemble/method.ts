import type { z } from 'zod';
import type { MetaLearner } from './meta-learners.ts';
import type { Model } from '../../core/forecast/model.ts';

/** How forecasts of several models become one. A method says what each counts; combine.ts does the rest. */
export interface EnsembleMethod<Params = unknown> {
  readonly id: string;
  readonly summary: string;
  /** Paper or published rule. */
  readonly source: string;
  /** Parameters with their defaults; what `ensembles.<id>` in config.yaml may hold. */
  readonly params: z.ZodType<Params>;
  /** Every voter counts alike, with what it states itself: nothing is learned. */
  readonly plain?: boolean;
  /** Only the side that each model takes counts, not how far. */
  readonly votes?: boolean;
  /** Which members vote; absent: those that have skill. */
  readonly members?: EnsembleMembers;
  /** Asked for each member once per span of decisions. */
  weigh(params: Params, seen: Shown): Weighing;
}

export interface EnsembleMembers {
  /** By id of the model; absent: all. */
  readonly models?: readonly string[];
  /** Those that were found without skill too. */
  readonly unskilled?: boolean;
  /** Each model as it came out of every seed, not of the first alone. */
  readonly allSeeds?: boolean;
}

export interface MemberFacts {
  readonly id: string;
  readonly kind: Model['kind'];
}

/** What the voters stated on bars that no fit has seen, as returns, and what came true; complete rows only. */
export interface Shown {
  readonly voters: readonly MemberFacts[];
  /** One column a voter; empty columns where nothing was measured yet. */
  readonly stated: readonly Float64Array[];
  readonly realised: Float64Array;
  /**
   * By voter, how many standard errors the worth of its statements lies above 0: over the ensemble's horizon, or over its own
   * where that is shorter.
   */
  readonly evidence: readonly number[];
}

export interface Weighing {
  /** By voter. They are made to sum to 1 over those with an opinion, unless `asFitted`. */
  readonly weights: Float64Array;
  /** Coefficients of a regression: taken as they are. */
  readonly asFitted?: boolean;
  /** Each opinion counts with the model's own confidence. */
  readonly byConfidence?: boolean;
  /** Models that say the same share one vote. */
  readonly sharesVotes?: boolean;
  /** Decides in place of the weights, which then only say who counted for how much. */
  readonly meta?: MetaLearner;
  /** The weights move with what each has earned since. */
  readonly follows?:
    | { readonly kind: 'sharpe'; readonly halfLifeDays: number }
    | { readonly kind: 'hedge'; readonly rate: number; readonly share: number };
}

/** Keeps the types of a method's parameters together where it is written, and forgets them for lists. */
export const defineMethod = <Params>(method: EnsembleMethod<Params>): EnsembleMethod => method;
