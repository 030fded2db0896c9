import type { ActionSpace } from '../../environments/environment.ts';
import { normal, type Random } from '../../foundation/random.ts';

/**
 * Draws an action from what the actor said about one state, writes it to `taken[at]` (discrete: its index) and
 * returns its log-probability.
 */
export function sampleAction(
  space: ActionSpace,
  said: Float64Array,
  logStd: Float32Array | undefined,
  random: Random,
  taken: Float32Array,
  at: number,
): number {
  if (space.kind === 'discrete') {
    let top = -Infinity;
    for (let k = 0; k < said.length; k++) if (said[k] > top) top = said[k];
    let total = 0;
    for (let k = 0; k < said.length; k++) total += Math.exp(said[k] - top);
    let left = random() * total;
    let chosen = 0;
    for (; chosen < said.length - 1; chosen++) {
      left -= Math.exp(said[chosen] - top);
      if (left < 0) break;
    }
    taken[at] = chosen;
    return said[chosen] - top - Math.log(total);
  }
  let logProbability = 0;
  for (let k = 0; k < said.length; k++) {
    const log = logStd?.[k] ?? 0;
    const deviation = Math.exp(log);
    taken[at + k] = said[k] + deviation * normal(random);
    // The action as it was rounded into the buffer is what the loss will see.
    const z = (taken[at + k] - said[k]) / deviation;
    logProbability -= 0.5 * z * z + log + 0.5 * Math.log(2 * Math.PI);
  }
  return logProbability;
}

/** The most likely action, as the environment takes it. */
export function bestAction(space: ActionSpace, said: Float64Array, into: Float32Array, at: number): void {
  if (space.kind === 'discrete') {
    let best = 0;
    for (let k = 1; k < said.length; k++) if (said[k] > said[best]) best = k;
    into[at] = best;
  } else for (let k = 0; k < said.length; k++) into[at + k] = clip(said[k], space.low, space.high);
}

/** Actions as the environment takes them: a Gaussian has no bounds, the environment has. */
export function boundActions(space: ActionSpace, taken: Float32Array, into: Float32Array): void {
  if (space.kind === 'discrete') into.set(taken);
  else for (let k = 0; k < taken.length; k++) into[k] = clip(taken[k], space.low, space.high);
}

const clip = (value: number, low: number, high: number): number =>
  value < low ? low : value > high ? high : value;
