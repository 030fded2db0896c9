import type { ActionSpace } from '../../../core/environments/environment.ts';
import { normal, type Random } from '../../../core/foundation/random.ts';

const HALF_LOG_2_PI = 0.5 * Math.log(2 * Math.PI);

/** Numbers that an actor says about one state: a logit for each action, or the means. */
export const actorOutputs = (space: ActionSpace): number =>
  space.kind === 'discrete' ? space.count : space.size;

/**
 * Draws an action from what the actor said about one state, `said[from]` on, writes it to `taken[at]` (discrete: its
 * index) and returns its log-probability.
 */
export function sampleAction(
  space: ActionSpace,
  {
    said,
    from,
    logStd,
  }: { readonly said: Float32Array; readonly from: number; readonly logStd: Float32Array },
  random: Random,
  taken: Float32Array,
  at: number,
): number {
  if (space.kind === 'discrete') {
    const top = largest(said, from, space.count);
    let total = 0;
    for (let k = 0; k < space.count; k++) total += Math.exp(said[from + k] - top);
    let left = random() * total;
    let chosen = 0;
    for (; chosen < space.count - 1; chosen++) {
      left -= Math.exp(said[from + chosen] - top);
      if (left < 0) break;
    }
    taken[at] = chosen;
    return said[from + chosen] - top - Math.log(total);
  }
  let logProbability = 0;
  for (let k = 0; k < space.size; k++) {
    const mean = said[from + k];
    const deviation = Math.exp(logStd[k]);
    taken[at + k] = mean + deviation * normal(random);
    // The action as it was rounded into the buffer is what the loss will see.
    const z = (taken[at + k] - mean) / deviation;
    logProbability -= 0.5 * z * z + logStd[k] + HALF_LOG_2_PI;
  }
  return logProbability;
}

function largest(said: Float32Array, from: number, count: number): number {
  let top = -Infinity;
  for (let k = from; k < from + count; k++) if (said[k] > top) top = said[k];
  return top;
}

/** The most likely action, as the environment takes it. */
export function bestAction(
  space: ActionSpace,
  said: Float32Array,
  from: number,
  into: Float32Array,
  at: number,
): void {
  if (space.kind === 'discrete') {
    let best = 0;
    for (let k = 1; k < space.count; k++) if (said[from + k] > said[from + best]) best = k;
    into[at] = best;
  } else for (let k = 0; k < space.size; k++) into[at + k] = clip(said[from + k], space.low, space.high);
}

/** Actions as the environment takes them: a Gaussian has no bounds, the environment has. */
export function boundActions(space: ActionSpace, taken: Float32Array, into: Float32Array): void {
  if (space.kind === 'discrete') into.set(taken);
  else for (let k = 0; k < taken.length; k++) into[k] = clip(taken[k], space.low, space.high);
}

const clip = (value: number, low: number, high: number): number =>
  value < low ? low : value > high ? high : value;
