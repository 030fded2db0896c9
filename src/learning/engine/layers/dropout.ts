import type { Pass } from '../network.ts';
import { type Tensor, tf } from '../tf.ts';

/** Zeroes a share `rate` of the values in training and scales up the rest (inverted dropout). */
export function dropout(pass: Pass, x: Tensor, rate: number): Tensor {
  if (!pass.training || rate === 0) return x;
  const keep = 1 - rate;
  return tf.mul(x, tf.mul(tf.cast(pass.mask(x.shape, keep), 'float32'), 1 / keep));
}
