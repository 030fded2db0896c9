import { type Tensor, tf } from '../tf.ts';

/** [batch, time, features] as one [features, batch] tensor a time step, as the recurrent layers take it. */
export function toSteps(x: Tensor): Tensor[] {
  return tf.unstack(tf.transpose(x, [1, 2, 0]));
}

/** The inverse of `toSteps`. */
export function fromSteps(steps: readonly Tensor[]): Tensor {
  return tf.transpose(tf.stack([...steps]), [2, 0, 1]);
}
