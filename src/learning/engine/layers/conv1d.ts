import { fanInUniform } from '../initializers.ts';
import { type Declare, type Layer, named, within } from '../network.ts';
import { type Tensor, tf } from '../tf.ts';
import { linear } from './dense.ts';

/**
 * Convolution over time that sees the present and the past only, [batch, time, inputs] to
 * [batch, time, outputs]: zeros on the left, none on the right. Weight [outputs, inputs, width] and
 * initialisation of torch.nn.Conv1d. Done as shifted views side by side and one GEMM.
 */
export function causalConv1d(
  declare: Declare,
  name: string,
  options: {
    readonly inputs: number;
    readonly outputs: number;
    readonly width: number;
    readonly dilation?: number;
  },
): Layer {
  const { inputs, outputs, width, dilation = 1 } = options;
  const own = within(declare, name);
  const weight = own('weight', [outputs, inputs, width], fanInUniform(inputs * width));
  const bias = own('bias', [outputs], fanInUniform(inputs * width));
  return named(`causal convolution "${name}"`, (pass, x) => {
    const [batch, time] = x.shape;
    const padded = tf.pad(x, [
      [0, 0],
      [(width - 1) * dilation, 0],
      [0, 0],
    ]);
    const views = Array.from({ length: width }, (_, k) =>
      tf.slice(padded, [0, k * dilation, 0], [batch, time, inputs]),
    );
    const kernel = tf.reshape(tf.transpose(pass.value(weight), [0, 2, 1]), [outputs, width * inputs]);
    return linear(width === 1 ? x : tf.concat(views, 2), kernel, pass.value(bias));
  });
}

/** The largest value of each `size` steps, [batch, time, features]; a remainder is dropped from the oldest. */
export const maxPool1d = (x: Tensor, size: number): Tensor => tf.max(windows(x, size), 2);
/** The mean of each `size` steps. */
export const averagePool1d = (x: Tensor, size: number): Tensor => tf.mean(windows(x, size), 2);

function windows(x: Tensor, size: number): Tensor {
  const [batch, time, features] = x.shape;
  const count = Math.floor((time ?? 0) / size);
  const recent = tf.slice(x, [0, (time ?? 0) - count * size, 0], [-1, -1, -1]);
  return tf.reshape(recent, [batch, count, size, features ?? 0]);
}
