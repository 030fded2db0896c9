import type { ActionSpace } from '../../../core/environments/environment.ts';

/**
 * The two halves of PPO's loss (Schulman et al. 2017, eq. 7 and 9) with their gradients derived by hand, as
 * Stable-Baselines3 writes the loss: value loss is the plain mean square, KL the estimator E[(r - 1) - log r].
 */

/** Rows of a minibatch as the actor's loss reads them. */
export interface PolicyBatch {
  readonly rows: number;
  /** [rows] of indices, or [rows, size]. */
  readonly actions: Float32Array;
  readonly oldLogProbabilities: Float32Array;
  /** As they enter, normalised or not. */
  readonly advantages: Float32Array;
}

/** What the actor said, [rows, stride], and where its gradient goes; `logStd` [size] only for continuous actions. */
export interface PolicyOutput {
  readonly said: Float32Array;
  readonly delta: Float32Array;
  readonly stride: number;
  readonly logStd: Float32Array;
  readonly logStdGradient: Float32Array;
}

export interface PolicyFigures {
  policyLoss: number;
  /** Mean over the rows. */
  entropy: number;
  approxKl: number;
  clipFraction: number;
}

/** Gradient of `mean(-min(A r, A clip(r))) - entCoef * mean(entropy)`; writes the figures of the batch. */
export function policyGradient(
  space: ActionSpace,
  { rows, actions, oldLogProbabilities, advantages }: PolicyBatch,
  { said, delta, stride, logStd, logStdGradient }: PolicyOutput,
  { clipRange, entCoef }: { readonly clipRange: number; readonly entCoef: number },
  figures: PolicyFigures,
): void {
  let gained = 0;
  let entropy = 0;
  let divergence = 0;
  let clipped = 0;
  const count = space.kind === 'discrete' ? space.count : space.size;
  const judge = space.kind === 'discrete' ? judgeDiscrete : judgeGaussian;
  logStdGradient.fill(0);
  const row = { said, delta, logStd, logStdGradient, actions, count };
  for (let b = 0; b < rows; b++) {
    const at = b * stride;
    const logRatio = judge.logProbability(row, at, b) - oldLogProbabilities[b];
    const ratio = Math.exp(logRatio);
    const advantage = advantages[b];
    const nearby = Math.min(Math.max(ratio, 1 - clipRange), 1 + clipRange);
    const free = advantage * ratio;
    const held = advantage * nearby;
    gained += Math.min(free, held);
    divergence += ratio - 1 - logRatio;
    if (Math.abs(ratio - 1) > clipRange) clipped++;
    // Where the clipped gain is the smaller one it does not depend on the policy.
    const pull = free <= held ? -free / rows : 0;
    entropy += judge.gradient(row, at, b, pull, entCoef / rows);
  }
  figures.policyLoss = -gained / rows;
  figures.entropy = entropy / rows;
  figures.approxKl = divergence / rows;
  figures.clipFraction = clipped / rows;
}

interface Row {
  readonly said: Float32Array;
  readonly delta: Float32Array;
  readonly logStd: Float32Array;
  readonly logStdGradient: Float32Array;
  readonly actions: Float32Array;
  readonly count: number;
}

/** A distribution of actions: `gradient` adds `pull` times that of the log-probability, less `spread` times the entropy's. */
interface Judge {
  /** Of the action of row `b`, whose outputs start at `at`. */
  logProbability(row: Row, at: number, b: number): number;
  /** Returns the entropy. */
  gradient(row: Row, at: number, b: number, pull: number, spread: number): number;
}

/** Softmax over the logits; `delta` holds the log-probabilities in between. */
const judgeDiscrete: Judge = {
  logProbability({ said, delta, actions, count }, at, b) {
    let top = said[at];
    for (let k = 1; k < count; k++) if (said[at + k] > top) top = said[at + k];
    let total = 0;
    for (let k = 0; k < count; k++) total += Math.exp(said[at + k] - top);
    const all = top + Math.log(total);
    for (let k = 0; k < count; k++) delta[at + k] = said[at + k] - all;
    return said[at + actions[b]] - all;
  },
  gradient({ delta, actions, count }, at, b, pull, spread) {
    let entropy = 0;
    for (let k = 0; k < count; k++) entropy -= Math.exp(delta[at + k]) * delta[at + k];
    for (let k = 0; k < count; k++) {
      const log = delta[at + k];
      const probability = Math.exp(log);
      const isTaken = k === actions[b] ? 1 : 0;
      delta[at + k] = pull * (isTaken - probability) + spread * probability * (log + entropy);
    }
    return entropy;
  },
};

const LOG_2_PI = Math.log(2 * Math.PI);

/** A normal distribution around each mean, its deviation the same in all states. */
const judgeGaussian: Judge = {
  logProbability({ said, logStd, actions, count }, at, b) {
    let sum = 0;
    for (let k = 0; k < count; k++) {
      const z = (actions[b * count + k] - said[at + k]) / Math.exp(logStd[k]);
      sum -= 0.5 * z * z + logStd[k] + 0.5 * LOG_2_PI;
    }
    return sum;
  },
  gradient({ said, delta, logStd, logStdGradient, actions, count }, at, b, pull, spread) {
    let entropy = 0;
    for (let k = 0; k < count; k++) {
      const deviation = Math.exp(logStd[k]);
      const z = (actions[b * count + k] - said[at + k]) / deviation;
      delta[at + k] = (pull * z) / deviation;
      logStdGradient[k] += pull * (z * z - 1) - spread;
      entropy += logStd[k] + 0.5 * (1 + LOG_2_PI);
    }
    return entropy;
  },
};

/** Rows of a minibatch as the critic's loss reads them. */
export interface ValueBatch {
  readonly rows: number;
  readonly returns: Float32Array;
  readonly oldValues: Float32Array;
}

/** Gradient of `vfCoef * mean((returns - values)²)`, values no further than `clipRangeVf` from the old ones; the loss. */
export function valueGradient(
  { rows, returns, oldValues }: ValueBatch,
  { said, delta, stride }: Pick<PolicyOutput, 'said' | 'delta' | 'stride'>,
  { vfCoef, clipRangeVf = Infinity }: { readonly vfCoef: number; readonly clipRangeVf?: number | undefined },
): number {
  let sum = 0;
  for (let b = 0; b < rows; b++) {
    const change = said[b * stride] - oldValues[b];
    const isHeld = Math.abs(change) > clipRangeVf;
    const predicted = isHeld ? oldValues[b] + Math.sign(change) * clipRangeVf : said[b * stride];
    const missed = returns[b] - predicted;
    sum += missed * missed;
    delta[b * stride] = isHeld ? 0 : (-2 * vfCoef * missed) / rows;
  }
  return sum / rows;
}
