import { type Tensor, tf } from '../tf.ts';

/** [batch, time, features] as one [features, batch] tensor a time step, as the recurrent layers take it. */
export function toSteps(x: Tensor): Tensor[] {
  return stepsIn(tf.transpose(x, [1, 2, 0]));
}

/** The steps of a [time, ...] sequence. */
export function stepsIn(sequence: Tensor): Tensor[] {
  // TF.js cannot take the gradient of an unstack into one.
  return sequence.shape[0] === 1 ? [tf.squeeze(sequence, [0])] : tf.unstack(sequence);
}

/** The inverse of `toSteps`. */
export function fromSteps(steps: readonly Tensor[]): Tensor {
  return tf.transpose(tf.stack([...steps]), [2, 0, 1]);
}
