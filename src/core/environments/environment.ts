import type { Random } from '../foundation/random.ts';

/**
 * A world an agent learns in: Gymnasium's `Env`, written for columns. Observations and actions are entries of
 * larger arrays that the caller owns, so that stepping allocates nothing. Its dynamics are deterministic; chance
 * enters through `reset` only, so a snapshot is all that a resumed run needs.
 */
export interface Environment {
  readonly id: string;
  /** Name of each entry of an observation: the layout that an agent is trained for. */
  readonly observation: readonly string[];
  readonly actions: ActionSpace;
  /** Steps after which an episode is cut off: a truncation, not a termination. */
  readonly maxSteps: number;
  /** True when the last step ended the episode for good: no value follows it. */
  readonly terminated: boolean;
  /** Starts an episode and writes its first observation into `into` from `at` on. */
  reset(random: Random, into: Float32Array, at: number): void;
  /**
   * Takes the action that starts at `actions[actionAt]` (discrete: its index), writes the next observation and
   * returns the reward.
   */
  step(actions: Float32Array, actionAt: number, into: Float32Array, at: number): number;
  /** The state in numbers; `restore` continues from it bit for bit. */
  snapshot(): readonly number[];
  restore(state: readonly number[]): void;
}

export type ActionSpace =
  | { readonly kind: 'discrete'; readonly count: number }
  | { readonly kind: 'box'; readonly size: number; readonly low: number; readonly high: number };

/** Numbers that one action takes in a buffer. */
export const actionWidth = (space: ActionSpace): number => (space.kind === 'discrete' ? 1 : space.size);
