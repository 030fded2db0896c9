import { fanInUniform } from '../initializers.ts';
import { type Declare, type Initializer, type Layer, named, type Parameter, within } from '../network.ts';
import { type Tensor, tf } from '../tf.ts';

export interface DenseOptions {
  readonly inputs: number;
  readonly outputs: number;
  readonly bias?: boolean;
  /** Default: PyTorch's Linear, U(-1/sqrt(inputs), 1/sqrt(inputs)) for weight and bias. */
  readonly weightInitializer?: Initializer;
  readonly biasInitializer?: Initializer;
}

/** y = x W^T + b over the last axis, weight [outputs, inputs] as in torch.nn.Linear. */
export function dense(declare: Declare, name: string, options: DenseOptions): Layer {
  const { weight, bias } = denseParameters(declare, name, options);
  return named(`dense "${name}"`, (pass, x) =>
    linear(x, pass.value(weight), bias ? pass.value(bias) : undefined),
  );
}

/** What `dense` declares, for layers that use the map otherwise than on a tensor as it is. */
export function denseParameters(
  declare: Declare,
  name: string,
  options: DenseOptions,
): { readonly weight: Parameter; readonly bias?: Parameter } {
  const { inputs, outputs, bias = true } = options;
  const own = within(declare, name);
  const initializer = fanInUniform(inputs);
  return {
    weight: own('weight', [outputs, inputs], options.weightInitializer ?? initializer),
    ...(bias && { bias: own('bias', [outputs], options.biasInitializer ?? initializer) }),
  };
}

/**
 * The same with given tensors: one GEMM over all leading axes. A weight [tasks, outputs, inputs] and a bias [tasks, outputs] are those of as
 * many tasks, whose rows stand one task after the other.
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  if (weight.rank === 3) {
    const [tasks, outputs, inputs] = weight.shape;
    const product = tf.matMul(tf.reshape(x, [tasks, -1, inputs]), weight, false, true);
    const sum = bias ? tf.add(product, tf.expandDims(bias, 1)) : product;
    return tf.reshape(sum, [...x.shape.slice(0, -1), outputs]);
  }
  const features = x.shape[x.rank - 1];
  const flat = tf.reshape(x, [-1, features]);
  const product = tf.matMul(flat, weight, false, true);
  const outputs = weight.shape[0];
  return tf.reshape(bias ? tf.add(product, bias) : product, [...x.shape.slice(0, -1), outputs]);
}
