import { type Tensor, tf } from '../tf.ts';

/** [batch, time, features] as one [features, batch] tensor a time step, as the recurrent layers take it. */
export function toSteps(x: Tensor): Tensor[] {
  const steps = tf.transpose(x, [1, 2, 0]);
  // TF.js cannot take the gradient of an unstack into one.
  return x.shape[1] === 1 ? [tf.squeeze(steps, [0])] : tf.unstack(steps);
}

/** The inverse of `toSteps`. */
export function fromSteps(steps: readonly Tensor[]): Tensor {
  return tf.transpose(tf.stack([...steps]), [2, 0, 1]);
}
