import { fanInUniform, xavierUniform, zeros } from '../initializers.ts';
import { type Declare, type Layer, named, within } from '../network.ts';
import { type Tensor, tf } from '../tf.ts';
import { dense, linear } from './dense.ts';

export interface AttentionOutput {
  readonly output: Tensor;
  /** [batch, heads, queries, keys]; of the interpretable form the mean over heads, [batch, queries, keys]. */
  readonly weights: Tensor;
}

export interface MultiHeadOptions {
  readonly size: number;
  readonly heads: number;
  /** Each step sees itself and the past only. */
  readonly causal?: boolean;
}

/**
 * Multi-head self-attention (Vaswani et al. 2017), [batch, time, size], with the layout and initialisation
 * of torch.nn.MultiheadAttention: in_proj Xavier uniform, biases zero.
 */
export function multiHeadAttention(
  declare: Declare,
  name: string,
  { size, heads, causal = false }: MultiHeadOptions,
): Layer<Tensor, AttentionOutput> {
  const own = within(declare, name);
  const weight = own('in_proj_weight', [3 * size, size], xavierUniform);
  const bias = own('in_proj_bias', [3 * size], zeros);
  const project = dense(own, 'out_proj', { inputs: size, outputs: size, biasInitializer: zeros });
  const depth = size / heads;
  return named(`attention "${name}"`, (pass, x) => {
    if (!Number.isInteger(depth)) throw new Error(`${size} features do not divide into ${heads} heads`);
    const [batch, time] = x.shape;
    const weights = tf.split(pass.value(weight), 3);
    const biases = tf.split(pass.value(bias), 3);
    const [q, k, v] = weights.map((part, i) => headsFirst(linear(x, part, biases[i]), heads));
    const attention = attend(q, k, causal);
    const mixed = tf.transpose(tf.matMul(attention, v), [0, 2, 1, 3]); // [batch, time, heads, depth]
    return { output: project(pass, tf.reshape(mixed, [batch, time ?? 0, size])), weights: attention };
  });
}

/**
 * Interpretable multi-head attention (Lim et al. 2021, eq. 13-16): queries and keys a head, one shared value,
 * heads averaged. Causal, each step included. Only the last `queries` steps are asked for.
 */
export function interpretableAttention(
  declare: Declare,
  name: string,
  { size, heads }: { readonly size: number; readonly heads: number },
): Layer<{ readonly x: Tensor; readonly queries: number }, AttentionOutput> {
  const own = within(declare, name);
  const depth = size / heads;
  const weight = own('qkv_linears.weight', [(2 * heads + 1) * depth, size], fanInUniform(size));
  const project = dense(own, 'out_proj', { inputs: depth, outputs: size, bias: false });
  return named(`interpretable attention "${name}"`, (pass, { x, queries }) => {
    if (!Number.isInteger(depth)) throw new Error(`${size} features do not divide into ${heads} heads`);
    const time = x.shape[1] ?? 0;
    const [toQuery, toKey, toValue] = tf.split(pass.value(weight), [size, size, depth]);
    const asking = tf.slice(x, [0, time - queries, 0], [-1, queries, -1]);
    const query = headsFirst(linear(asking, toQuery), heads);
    const attention = attend(query, headsFirst(linear(x, toKey), heads), true);
    const mean = tf.mean(attention, 1); // [batch, queries, time]
    return { output: project(pass, tf.matMul(mean, linear(x, toValue))), weights: mean };
  });
}

/** [batch, time, heads x depth] to [batch, heads, time, depth]. */
function headsFirst(x: Tensor, heads: number): Tensor {
  const [batch, time, size] = x.shape;
  return tf.transpose(tf.reshape(x, [batch, time ?? 0, heads, (size ?? 0) / heads]), [0, 2, 1, 3]);
}

/** Softmax of the scaled scores; the queries are the last of the keys' steps. */
function attend(query: Tensor, key: Tensor, causal: boolean): Tensor {
  const depth = query.shape[3] ?? 1;
  const scores = tf.matMul(tf.mul(query, 1 / Math.sqrt(depth)), key, false, true);
  if (!causal) return tf.softmax(scores);
  const [queries, keys] = [query.shape[2] ?? 0, key.shape[2] ?? 0];
  const future = Float32Array.from({ length: queries * keys }, (_, at) =>
    at % keys > Math.floor(at / keys) + keys - queries ? -1e9 : 0,
  );
  return tf.softmax(tf.add(scores, tf.tensor(future, [queries, keys])));
}
