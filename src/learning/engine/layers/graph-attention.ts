import { xavierUniform } from '../initializers.ts';
import { type Declare, type Layer, named, within } from '../network.ts';
import { type Tensor, tf } from '../tf.ts';

export interface GraphInput {
  /** [..., nodes, inputs] */
  readonly x: Tensor;
  /** [nodes, nodes], one where the row's node listens to the column's, itself included. */
  readonly edges: Tensor;
  /** [nodes, nodes], added to the scores: how far a row's node listens to a column's whatever they say. */
  readonly bias?: Tensor;
}

/**
 * Graph attention, one head (Velickovic et al. 2018): scores LeakyReLU(0.2), softmax over the neighbours,
 * ELU. Glorot initialisation as in the authors' code. Several heads: several layers side by side.
 */
export function graphAttention(
  declare: Declare,
  name: string,
  { inputs, outputs }: { readonly inputs: number; readonly outputs: number },
): Layer<GraphInput, { readonly output: Tensor; readonly weights: Tensor }> {
  const own = within(declare, name);
  const weight = own('weight', [inputs, outputs], xavierUniform);
  const listener = own('listener', [outputs, 1], xavierUniform);
  const speaker = own('speaker', [outputs, 1], xavierUniform);
  return named(`graph attention "${name}"`, (pass, { x, edges, bias }) => {
    const nodes = tf.reshape(tf.matMul(tf.reshape(x, [-1, inputs]), pass.value(weight)), [
      ...x.shape.slice(0, -1),
      outputs,
    ]);
    const score = (vector: Tensor): Tensor =>
      tf.reshape(tf.matMul(tf.reshape(nodes, [-1, outputs]), vector), [...x.shape.slice(0, -1), 1]);
    const columns = score(pass.value(speaker));
    const last = columns.rank - 1;
    const order = columns.shape.map((_, axis) =>
      axis === last ? last - 1 : axis === last - 1 ? last : axis,
    );
    const scores = tf.leakyRelu(tf.add(score(pass.value(listener)), tf.transpose(columns, order)), 0.2);
    const silent = tf.mul(tf.sub(1, edges), -1e9);
    const biased = bias === undefined ? scores : tf.add(scores, bias);
    const weights = tf.softmax(tf.add(biased, silent)); // [..., nodes, nodes]
    return { output: tf.elu(tf.matMul(weights, nodes)), weights };
  });
}
