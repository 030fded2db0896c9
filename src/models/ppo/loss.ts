import { type Rank, type Scalar, type Tensor, tf } from '../../engine/tf.ts';
import type { ActorOutput } from './network.ts';

const LOG_2_PI = Math.log(2 * Math.PI);

/** Log-probability of each row's action and entropy, both [rows]. Actions: one-hot [rows, count] or [rows, size]. */
export function evaluateActions(
  actor: ActorOutput,
  actions: Tensor,
): { readonly logProbability: Tensor; readonly entropy: Tensor } {
  if (actor.kind === 'discrete') {
    const logs = tf.logSoftmax(actor.logits); // [rows, count]
    return {
      logProbability: tf.sum(tf.mul(logs, actions), 1),
      entropy: tf.neg(tf.sum(tf.mul(tf.exp(logs), logs), 1)),
    };
  }
  const { mean, logStd } = actor;
  const [rows, size] = mean.shape;
  const z = tf.div(tf.sub(actions, mean), tf.exp(logStd)); // [rows, size]
  const spread = tf.sum(logStd);
  const squares = tf.mul(tf.sum(tf.square(z), 1), -0.5); // [rows]
  return {
    logProbability: tf.sub(squares, tf.add(spread, 0.5 * size * LOG_2_PI)),
    entropy: tf.mul(tf.add(spread, 0.5 * size * (1 + LOG_2_PI)), tf.ones([rows])),
  };
}

export interface PpoLossInputs {
  /** All [rows]; advantages as they enter, normalised or not. */
  readonly logProbability: Tensor;
  readonly entropy: Tensor;
  readonly values: Tensor;
  readonly oldLogProbability: Tensor;
  readonly advantages: Tensor;
  readonly returns: Tensor;
  readonly oldValues: Tensor;
  readonly clipRange: Tensor;
}

/**
 * The clipped surrogate objective (Schulman et al. 2017, eq. 7 and 9) as Stable-Baselines3 writes it: value loss
 * is the plain mean square, KL the estimator E[(r - 1) - log r].
 */
export function ppoLoss(
  inputs: PpoLossInputs,
  options: { readonly entCoef: number; readonly vfCoef: number; readonly clipRangeVf?: number | undefined },
): { readonly loss: Scalar; readonly metrics: Readonly<Record<PpoMetric, Tensor>> } {
  const { values, oldValues, returns, advantages, clipRange } = inputs;
  const { entCoef, vfCoef, clipRangeVf } = options;
  const logRatio = tf.sub(inputs.logProbability, inputs.oldLogProbability);
  const ratio = tf.exp(logRatio);
  const nearby = tf.minimum(tf.maximum(ratio, tf.sub(1, clipRange)), tf.add(1, clipRange));
  const gain = tf.minimum(tf.mul(advantages, ratio), tf.mul(advantages, nearby));
  const policyLoss = tf.neg(tf.mean(gain));
  const predicted =
    clipRangeVf === undefined
      ? values
      : tf.add(oldValues, tf.clipByValue(tf.sub(values, oldValues), -clipRangeVf, clipRangeVf));
  const valueLoss = tf.mean(tf.square(tf.sub(returns, predicted)));
  const entropy = tf.mean(inputs.entropy);
  const withValue = tf.add(policyLoss, tf.mul(valueLoss, vfCoef));
  const loss = entCoef === 0 ? withValue : tf.sub(withValue, tf.mul(entropy, entCoef));
  const approxKl = tf.mean(tf.sub(tf.sub(ratio, 1), logRatio));
  const clipped = tf.greater(tf.abs(tf.sub(ratio, 1)), clipRange);
  const clipFraction = tf.mean(tf.cast(clipped, 'float32'));
  return {
    loss: tf.reshape<Rank.R0>(loss, []),
    metrics: { policyLoss, valueLoss, entropy, approxKl, clipFraction },
  };
}

export type PpoMetric = 'policyLoss' | 'valueLoss' | 'entropy' | 'approxKl' | 'clipFraction';
