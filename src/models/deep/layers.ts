import type { Pass } from '../../engine/network.ts';
import { type Tensor, tf } from '../../engine/tf.ts';
import { type ExplanationPart, percentOf } from '../explanation.ts';

/** Dropout on every [units, rows] step with one mask for all of them: Gal & Ghahramani 2016. */
export function stepDropout(pass: Pass, steps: readonly Tensor[], rate: number): readonly Tensor[] {
  if (!pass.training || rate === 0) return steps;
  const [units, rows] = steps[0].shape;
  const kept = tf.cast(pass.mask([rows, units ?? 0], 1 - rate), 'float32');
  const factor = tf.mul(tf.transpose(kept), 1 / (1 - rate));
  return steps.map((step) => tf.mul(step, factor));
}

/** Attention over the bars of the window, oldest first. */
export const attentionByLag = (weights: Float32Array): ExplanationPart => ({
  kind: 'by-lag',
  title: 'attention to the bars of the window',
  unit: '%',
  values: Array.from(weights, percentOf).reverse(),
});
