import type { ActionSpace } from '../../environments/environment.ts';
import type { Random } from '../../foundation/random.ts';
import type { Rollout } from './rollout.ts';

/** What the training step reads; `facts` [rows, 5]: FACTS in this order. */
export interface MinibatchFeeds {
  readonly [name: string]: Float32Array;
  readonly observations: Float32Array;
  /** One-hot for discrete actions. */
  readonly actions: Float32Array;
  readonly facts: Float32Array;
}

export const FACTS = ['oldLogProbability', 'advantage', 'return', 'oldValue', 'clipRange'] as const;

/**
 * Copies the rows `order[from]` to `order[from + batchSize]` of a rollout into row `row` on of the feeds.
 * Advantages get mean 0 and (sample) deviation 1 within the minibatch where asked for.
 */
export function gatherMinibatch(
  rollout: Rollout,
  order: Int32Array,
  { from, batchSize }: { readonly from: number; readonly batchSize: number },
  { feeds, row }: { readonly feeds: MinibatchFeeds; readonly row: number },
  options: {
    readonly space: ActionSpace;
    readonly size: number;
    readonly clipRange: number;
    readonly normalizeAdvantage: boolean;
  },
): void {
  const { space, size, clipRange, normalizeAdvantage } = options;
  const { mean, deviation } = normalizeAdvantage
    ? momentsOf(rollout.advantages, order, from, batchSize)
    : { mean: 0, deviation: 1 };
  const { observations, actions, facts } = feeds;
  for (let b = 0; b < batchSize; b++) {
    const source = order[from + b];
    const to = row + b;
    for (let k = 0; k < size; k++) observations[to * size + k] = rollout.observations[source * size + k];
    if (space.kind === 'discrete') {
      actions.fill(0, to * space.count, (to + 1) * space.count);
      actions[to * space.count + rollout.actions[source]] = 1;
    } else
      for (let k = 0; k < space.size; k++)
        actions[to * space.size + k] = rollout.actions[source * space.size + k];
    const at = to * FACTS.length;
    facts[at] = rollout.logProbabilities[source];
    facts[at + 1] = (rollout.advantages[source] - mean) / deviation;
    facts[at + 2] = rollout.returns[source];
    facts[at + 3] = rollout.values[source];
    facts[at + 4] = clipRange;
  }
}

function momentsOf(
  values: Float32Array,
  order: Int32Array,
  from: number,
  count: number,
): { readonly mean: number; readonly deviation: number } {
  let sum = 0;
  for (let b = 0; b < count; b++) sum += values[order[from + b]];
  const mean = sum / count;
  let squares = 0;
  for (let b = 0; b < count; b++) squares += (values[order[from + b]] - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / (count - 1)) + 1e-8 };
}

/** Puts `order` into a random order (Fisher & Yates). */
export function shuffle(order: Int32Array, random: Random): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
}
