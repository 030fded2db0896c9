import { defineComposite } from '../composite.ts';
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
    const [attended] = attention([q, k, v], { causal }); // [batch, heads, time, depth]
    const mixed = tf.transpose(attended, [0, 2, 1, 3]);
    return {
      output: project(pass, tf.reshape(mixed, [batch, time ?? 0, size])),
      // Made when it is asked for: training needs no weights of what a query cannot see.
      get weights() {
        return attend(q, k, causal);
      },
    };
  });
}

/** About this many queries share their keys when each sees the past only. */
const QUERY_BLOCK = 64;

/**
 * Query, key and value [batch, heads, time, depth] to [batch, heads, time, depth]. Causal attention goes block by
 * block over the queries, each with the keys it may see: a third of the work of a long window falls away. The
 * gradient of the softmax takes its row sums from the small output, as FlashAttention does (Dao et al. 2022, eq. 4).
 */
const attention = defineComposite('Attention', {
  forward(inputs, { causal }) {
    return [
      tf.concat(
        attentionBlocks(inputs, causal === true).map(({ output }) => output),
        2,
      ),
    ];
  },
  backward([dOutput], inputs, { causal }) {
    const blocks = attentionBlocks(inputs, causal === true);
    const lengths = blocks.map(({ query }) => query.shape[2] ?? 0);
    const scale = scaleOf(inputs[0]);
    const parts = split(dOutput, lengths, 2).map((dOut, i) => {
      const { query, key, value, weights, output } = blocks[i];
      const rowSums = tf.sum(tf.mul(dOut, output), -1, true);
      const dScores = tf.mul(weights, tf.sub(tf.matMul(dOut, value, false, true), rowSums));
      return {
        query: tf.mul(tf.matMul(dScores, key), scale),
        // The small factor is the transposed one.
        key: tf.matMul(query, dScores, true), // [batch, heads, depth, keys]
        value: tf.matMul(dOut, weights, true),
      };
    });
    /** Keys and values of a block collect from it and all later blocks. */
    const collected = (ofBlocks: readonly Tensor[]): Tensor => {
      const pieces = ofBlocks.map((part, i) => split(part, causal ? lengths.slice(0, i + 1) : [], 3));
      const sums = pieces.map((_, at) =>
        pieces
          .slice(at)
          .map((piece) => piece[at])
          .reduce((a, b) => tf.add(a, b)),
      );
      return tf.transpose(tf.concat(sums, 3), [0, 1, 3, 2]);
    };
    return [
      tf.concat(
        parts.map((part) => part.query),
        2,
      ),
      collected(parts.map((part) => part.key)),
      collected(parts.map((part) => part.value)),
    ];
  },
});

interface AttentionBlock {
  /** Scaled. */
  readonly query: Tensor;
  /** Up to the block's last query. */
  readonly key: Tensor;
  readonly value: Tensor;
  /** [batch, heads, queries, keys] */
  readonly weights: Tensor;
  readonly output: Tensor;
}

function attentionBlocks([query, key, value]: readonly Tensor[], causal: boolean): AttentionBlock[] {
  const time = query.shape[2] ?? 0;
  const count = causal ? Math.max(1, Math.round(time / QUERY_BLOCK)) : 1;
  const ends = Array.from({ length: count }, (_, i) => Math.floor(((i + 1) * time) / count));
  const lengths = ends.map((end, i) => end - (ends[i - 1] ?? 0));
  return split(tf.mul(query, scaleOf(query)), lengths, 2).map((queries, i) => {
    const seen = (x: Tensor): Tensor => (ends[i] === time ? x : tf.slice(x, 0, x.shape.with(2, ends[i])));
    const [keys, values] = [seen(key), seen(value)];
    const weights = softmaxOf(tf.matMul(queries, keys, false, true), causal);
    return { query: queries, key: keys, value: values, weights, output: tf.matMul(weights, values) };
  });
}

const split = (x: Tensor, lengths: readonly number[], axis: number): Tensor[] =>
  lengths.length < 2 ? [x] : tf.split(x, [...lengths], axis);

export interface Asking {
  /** [batch, time, size] */
  readonly x: Tensor;
  /** The steps of `x` that ask; each sees itself and the steps before it. */
  readonly at: readonly number[];
}

/**
 * Interpretable multi-head attention (Lim et al. 2021, eq. 13-16): queries and keys a head, one shared value,
 * heads averaged. Only some steps ask, so keys and values are never made: q (x K)' = (q K') x', and
 * weights (x V) = (weights x) V, which are small products where few steps ask.
 */
export function interpretableAttention(
  declare: Declare,
  name: string,
  { size, heads }: { readonly size: number; readonly heads: number },
): Layer<Asking, AttentionOutput> {
  const own = within(declare, name);
  const depth = size / heads;
  const weight = own('qkv_linears.weight', [(2 * heads + 1) * depth, size], fanInUniform(size));
  const project = dense(own, 'out_proj', { inputs: depth, outputs: size, bias: false });
  return named(`interpretable attention "${name}"`, (pass, { x, at }) => {
    if (!Number.isInteger(depth)) throw new Error(`${size} features do not divide into ${heads} heads`);
    const [batch, steps] = x.shape;
    const [time, queries] = [steps ?? 0, at.length];
    const [toQuery, toKey, toValue] = tf.split(pass.value(weight), [size, size, depth]);
    const asking = tf.gather(x, tf.tensor([...at], [queries], 'int32'), 1);
    const query = split(
      tf.mul(linear(asking, toQuery), 1 / Math.sqrt(depth)),
      Array.from({ length: heads }, () => depth),
      2,
    );
    const keys = split(
      toKey,
      query.map(() => depth),
      0,
    ); // [depth, size] each
    const sought = tf.concat(
      query.map((part, i) => linear(part, tf.transpose(keys[i]))),
      1,
    ); // [batch, heads x queries, size]
    const scores = tf.reshape(tf.matMul(sought, x, false, true), [batch, heads, queries, time]);
    const weights = tf.mean(tf.softmax(tf.add(scores, hiding(at, time))), 1); // [batch, queries, time]
    return { output: project(pass, linear(tf.matMul(weights, x), toValue)), weights };
  });
}

/** [batch, time, heads x depth] to [batch, heads, time, depth]. */
function headsFirst(x: Tensor, heads: number): Tensor {
  const [batch, time, size] = x.shape;
  return tf.transpose(tf.reshape(x, [batch, time ?? 0, heads, (size ?? 0) / heads]), [0, 2, 1, 3]);
}

/** Softmax of the scaled scores; the queries are the last of the keys' steps. */
const attend = (query: Tensor, key: Tensor, causal: boolean): Tensor =>
  softmaxOf(tf.matMul(tf.mul(query, scaleOf(query)), key, false, true), causal);

const scaleOf = (query: Tensor): number => 1 / Math.sqrt(query.shape[3] ?? 1);

function softmaxOf(scores: Tensor, causal: boolean): Tensor {
  if (!causal) return tf.softmax(scores);
  const [queries, keys] = [scores.shape[2] ?? 0, scores.shape[3] ?? 0];
  const at = Array.from({ length: queries }, (_, i) => keys - queries + i);
  return tf.softmax(tf.add(scores, hiding(at, keys)));
}

/** What is added to scores [queries, keys] so that each query sees the keys up to its own step. */
const hiding = (at: readonly number[], keys: number): Tensor =>
  tf.tensor(
    Float32Array.from({ length: at.length * keys }, (_, i) =>
      i % keys > at[Math.floor(i / keys)] ? -1e9 : 0,
    ),
    [at.length, keys],
  );
