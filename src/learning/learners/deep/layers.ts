import { dense } from '../../engine/layers/dense.ts';
import { fromSteps, stepsIn } from '../../engine/layers/sequence.ts';
import { type Declare, type Layer, type Pass, within } from '../../engine/network.ts';
import { type Tensor, tf } from '../../engine/tf.ts';
import { type ExplanationPart, percentOf } from '../../../core/forecast/explanation.ts';

/** Dropout on every [units, rows] step with one mask for all of them: Gal & Ghahramani 2016. */
export function stepDropout(pass: Pass, steps: readonly Tensor[], rate: number): readonly Tensor[] {
  if (!pass.training || rate === 0) return steps;
  const [units, rows] = steps[0].shape;
  const kept = tf.cast(pass.mask([rows, units ?? 0], 1 - rate), 'float32');
  const factor = tf.mul(tf.transpose(kept), 1 / (1 - rate));
  return stepsIn(tf.mul(tf.stack([...steps]), factor));
}

/**
 * A mean of the steps, [size, rows] each, by what the network makes of them (Bahdanau et al. 2015): `seen` [rows, size] and
 * `weights` [rows, time].
 */
export function attentionOverSteps(
  declare: Declare,
  { size, hidden }: { readonly size: number; readonly hidden: number },
): Layer<readonly Tensor[], { readonly seen: Tensor; readonly weights: Tensor }> {
  const own = within(declare, 'attention');
  const key = dense(own, 'key', { inputs: size, outputs: hidden });
  const score = dense(own, 'score', { inputs: hidden, outputs: 1, bias: false });
  return (pass, steps) => {
    const states = fromSteps(steps); // [rows, time, size]
    const scores = score(pass, tf.tanh(key(pass, states))); // [rows, time, 1]
    const weights = tf.softmax(tf.squeeze(scores, [2]));
    return { seen: tf.sum(tf.mul(states, tf.expandDims(weights, 2)), 1), weights };
  };
}

/** Attention over the bars of the window, oldest first. */
export const attentionByLag = (
  weights: Float32Array,
  title = 'attention to the bars of the window',
): ExplanationPart => ({
  kind: 'by-lag',
  title,
  unit: '%',
  values: Array.from(weights, percentOf).reverse(),
});

/** Every `length` consecutive bars of [bars, size] as a window: [windows, length, size]. */
export function windowsOf(bars: Tensor, length: number): Tensor {
  const windows = bars.shape[0] - length + 1;
  const at = Int32Array.from({ length: windows * length }, (_, i) => Math.floor(i / length) + (i % length));
  return tf.gather(bars, tf.tensor(at, [windows, length], 'int32'));
}
