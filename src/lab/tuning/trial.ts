import type { Random } from '../../core/foundation/random.ts';
import type { Params, Space } from './space.ts';

/** One set of parameters, and what is known of it. Every value is to be minimised. */
export interface Trial {
  /** In the order in which they were suggested, from 0. */
  readonly number: number;
  readonly state: 'running' | 'complete' | 'pruned' | 'failed';
  readonly params: Params;
  /** One per objective; empty until the trial is complete. */
  readonly values: readonly number[];
  /** Reported on the way, by step: a fold, an epoch. */
  readonly intermediate: readonly (readonly [step: number, value: number])[];
  /** By how much constraints are violated, summed; 0: feasible. */
  readonly violation: number;
}

/**
 * A way to choose the next parameters: a function of the trials it is shown, the trial's number and the stream of chance
 * given with it, so that every suggestion can be made again.
 */
export interface Sampler {
  suggest(
    space: Space,
    trials: readonly Trial[],
    next: { readonly number: number; readonly random: Random },
  ): Params;
}

export const finished = (trials: readonly Trial[]): readonly Trial[] =>
  trials.filter(({ state }) => state === 'complete' || state === 'pruned');
