import { type Tensor, tf } from './tf.ts';

/** Mean of squared errors. */
export const meanSquared = (forecast: Tensor, actual: Tensor): Tensor =>
  tf.mean(tf.square(tf.sub(forecast, actual)));

/** Mean of |e| - 0.5 where |e| > 1, e^2 / 2 inside (torch's smooth_l1_loss, beta 1; Huber 1964). */
export function smoothL1(forecast: Tensor, actual: Tensor): Tensor {
  const error = tf.sub(forecast, actual);
  const inside = tf.clipByValue(error, -1, 1);
  // inside (e - inside / 2) is e^2 / 2 where |e| is below one and |e| - 1/2 above.
  return tf.mean(tf.mul(inside, tf.sub(error, tf.mul(inside, 0.5))));
}

/** Mean binary cross-entropy of logits against labels in [0, 1]. */
export const binaryCrossEntropy = (logits: Tensor, labels: Tensor): Tensor =>
  tf.mean(tf.sub(tf.softplus(logits), tf.mul(logits, labels)));

/** Mean cross-entropy of logits [rows, classes] against int32 classes [rows]; optional weights a class. */
export function crossEntropy(logits: Tensor, classes: Tensor, classWeights?: readonly number[]): Tensor {
  const count = logits.shape[1] ?? 0;
  const chosen = tf.cast(tf.oneHot(tf.cast(classes, 'int32'), count), 'float32');
  const logProbability = tf.logSoftmax(logits);
  if (!classWeights) return tf.neg(tf.mean(tf.sum(tf.mul(chosen, logProbability), 1)));
  const weights = tf.mul(chosen, tf.tensor1d([...classWeights]));
  return tf.neg(tf.div(tf.sum(tf.mul(weights, logProbability)), tf.sum(weights)));
}

/**
 * Quantile (pinball) loss: forecast [rows, quantiles], actual [rows, 1]; max(q e, (q - 1) e) summed over the
 * quantiles, mean over the rows (Koenker & Bassett 1978; Lim et al. 2021, eq. 24).
 */
export function quantileLoss(forecast: Tensor, actual: Tensor, quantiles: readonly number[]): Tensor {
  const error = tf.sub(actual, forecast);
  const cost = tf.add(tf.mul(error, tf.tensor1d([...quantiles])), tf.relu(tf.neg(error)));
  return tf.mean(tf.sum(cost, -1));
}
