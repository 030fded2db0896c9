import { multiHeadAttention } from '../../src/learning/engine/layers/attention.ts';
import { dense } from '../../src/learning/engine/layers/dense.ts';
import { gru } from '../../src/learning/engine/layers/gru.ts';
import { layerNorm } from '../../src/learning/engine/layers/layer-norm.ts';
import { lstm } from '../../src/learning/engine/layers/lstm.ts';
import { toSteps } from '../../src/learning/engine/layers/sequence.ts';
import { defineNetwork, type Layer, type Network, within } from '../../src/learning/engine/network.ts';
import { type Tensor, tf } from '../../src/learning/engine/tf.ts';

/** The networks of bench/peers/engine_torch.py, layer for layer. */
export const networks: Readonly<
  Record<string, { readonly network: Network; readonly shape: readonly number[] }>
> = {
  mlp: {
    shape: [64, 20],
    network: defineNetwork('mlp', (declare) => {
      const first = dense(declare, 'first', { inputs: 20, outputs: 64 });
      const second = dense(declare, 'second', { inputs: 64, outputs: 64 });
      const head = dense(declare, 'head', { inputs: 64, outputs: 1 });
      return (pass, x) => head(pass, tf.tanh(second(pass, tf.tanh(first(pass, x)))));
    }),
  },
  lstm: {
    shape: [128, 168, 8],
    network: defineNetwork('lstm', (declare) => {
      const lower = lstm(declare, 'lower', { inputs: 8, hidden: 128 });
      const upper = lstm(declare, 'upper', { inputs: 128, hidden: 128 });
      const head = dense(declare, 'head', { inputs: 128, outputs: 1 });
      return (pass, x) =>
        head(pass, tf.transpose(upper(pass, lower(pass, { steps: toSteps(x) })).final.hidden));
    }),
  },
  gru: {
    shape: [128, 168, 8],
    network: defineNetwork('gru', (declare) => {
      const lower = gru(declare, 'lower', { inputs: 8, hidden: 128 });
      const upper = gru(declare, 'upper', { inputs: 128, hidden: 128 });
      const head = dense(declare, 'head', { inputs: 128, outputs: 1 });
      return (pass, x) => {
        const steps = upper(pass, { steps: lower(pass, { steps: toSteps(x) }) });
        return head(pass, tf.transpose(steps[steps.length - 1]));
      };
    }),
  },
  transformer: {
    shape: [64, 168, 8],
    network: defineNetwork('transformer', (declare) => {
      const embed = dense(declare, 'embed', { inputs: 8, outputs: 64 });
      const layers = [0, 1].map((i): Layer => {
        const own = within(declare, `layer${i}`);
        const attention = multiHeadAttention(own, 'attention', { size: 64, heads: 4, causal: true });
        const norms = ['norm1', 'norm2'].map((name) => layerNorm(own, name, { size: 64 }));
        const wide = dense(own, 'wide', { inputs: 64, outputs: 256 });
        const narrow = dense(own, 'narrow', { inputs: 256, outputs: 64 });
        return (pass, x) => {
          const attended = norms[0](pass, tf.add(x, attention(pass, x).output));
          return norms[1](pass, tf.add(attended, narrow(pass, tf.relu(wide(pass, attended)))));
        };
      });
      const head = dense(declare, 'head', { inputs: 64, outputs: 1 });
      return (pass, x: Tensor) => {
        const encoded = layers.reduce((value, layer) => layer(pass, value), embed(pass, x));
        return head(pass, tf.reshape(tf.slice(encoded, [0, 167, 0], [-1, 1, -1]), [-1, 64]));
      };
    }),
  },
};
