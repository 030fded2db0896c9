import { multiHeadAttention } from '../../engine/layers/attention.ts';
import { dense } from '../../engine/layers/dense.ts';
import { dropout } from '../../engine/layers/dropout.ts';
import { layerNorm } from '../../engine/layers/layer-norm.ts';
import { type Declare, defineNetwork, type Layer, within } from '../../engine/network.ts';
import { type Tensor, tf } from '../../engine/tf.ts';
import type { Architecture } from '../../learners/deep/architecture.ts';
import { directionHead } from '../../learners/deep/direction-head.ts';
import { oneWindow } from '../../learners/deep/inputs.ts';
import type { TransformerParams } from './index.ts';

export const transformerArchitecture: Architecture<TransformerParams> = {
  inputs: oneWindow,
  head: directionHead,
  network: ({ hidden, layers, heads, dropout: rate }, { features, lookBack, outputs }) =>
    defineNetwork('transformer', (declare) => {
      const embed = dense(declare, 'embedding', { inputs: features, outputs: hidden });
      const blocks = Array.from({ length: layers }, (_, i) =>
        encoderBlock(within(declare, `block.${i}`), { hidden, heads, rate }),
      );
      const norm = layerNorm(declare, 'norm', { size: hidden });
      const head = dense(declare, 'head', { inputs: hidden, outputs });

      return (pass, { observed }) => {
        let x = tf.add(embed(pass, observed), positions(lookBack, hidden)); // [rows, time, hidden]
        for (const block of blocks) x = block(pass, x);
        const last = tf.slice(x, [0, lookBack - 1, 0], [-1, 1, -1]);
        return { output: head(pass, norm(pass, tf.squeeze(last, [1]))) };
      };
    }),
};

/** x + attention(norm(x)), then x + feed-forward(norm(x)) through four times the width. */
function encoderBlock(
  declare: Declare,
  { hidden, heads, rate }: { readonly hidden: number; readonly heads: number; readonly rate: number },
): Layer {
  const attentionNorm = layerNorm(declare, 'attention_norm', { size: hidden });
  const attention = multiHeadAttention(declare, 'attention', { size: hidden, heads, causal: true });
  const forwardNorm = layerNorm(declare, 'forward_norm', { size: hidden });
  const widen = dense(declare, 'widen', { inputs: hidden, outputs: 4 * hidden });
  const narrow = dense(declare, 'narrow', { inputs: 4 * hidden, outputs: hidden });
  return (pass, x) => {
    const attended = attention(pass, attentionNorm(pass, x)).output;
    const y = tf.add(x, dropout(pass, attended, rate));
    const forwarded = narrow(pass, tf.relu(widen(pass, forwardNorm(pass, y))));
    return tf.add(y, dropout(pass, forwarded, rate));
  };
}

/** Sines and cosines of the place in the window: Vaswani et al. 2017, section 3.5; [1, time, size]. */
function positions(time: number, size: number): Tensor {
  const values = Float32Array.from({ length: time * size }, (_, at) => {
    const [step, i] = [Math.floor(at / size), at % size];
    const angle = step / 10000 ** ((2 * Math.floor(i / 2)) / size);
    return i % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  });
  return tf.tensor(values, [1, time, size]);
}
