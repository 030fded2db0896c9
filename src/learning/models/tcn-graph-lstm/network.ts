import { percentOf } from '../../../core/forecast/explanation.ts';
import { zeros } from '../../engine/initializers.ts';
import { causalConv1d } from '../../engine/layers/conv1d.ts';
import { dense } from '../../engine/layers/dense.ts';
import { graphAttention } from '../../engine/layers/graph-attention.ts';
import { lstm } from '../../engine/layers/lstm.ts';
import { stepsIn } from '../../engine/layers/sequence.ts';
import { defineNetwork } from '../../engine/network.ts';
import { type Tensor, tf } from '../../engine/tf.ts';
import type { Architecture } from '../../learners/deep/architecture.ts';
import { directionHead } from '../../learners/deep/direction-head.ts';
import { oneWindow } from '../../learners/deep/inputs.ts';
import { stepDropout } from '../../learners/deep/layers.ts';
import type { TcnGraphLstmParams } from './index.ts';

export const tcnGraphLstmArchitecture: Architecture<TcnGraphLstmParams> = {
  inputs: (params, panel) => ({ ...oneWindow(params, panel), together: true }),
  head: directionHead,
  explain: (_, { graph }, { symbols }) => [
    {
      kind: 'matrix',
      title: 'learned graph: what each symbol (row) takes from each (column), over the bars of the window',
      unit: '%',
      rows: [...symbols],
      columns: [...symbols],
      values: symbols.map((_row, i) =>
        Array.from(graph.subarray(i * symbols.length, (i + 1) * symbols.length), percentOf),
      ),
    },
  ],
  network: ({ hidden, layers, channels, heads, dropout: rate }, { features, lookBack, symbols, outputs }) =>
    defineNetwork('tcn-graph-lstm', (declare) => {
      const blocks = channels.map((count, i) => {
        const inputs = i === 0 ? features : channels[i - 1];
        return {
          convolution: causalConv1d(declare, `tcn.${i}`, {
            inputs,
            outputs: count,
            width: 3,
            dilation: 2 ** i,
          }),
          skip: inputs === count ? undefined : dense(declare, `skip.${i}`, { inputs, outputs: count }),
        };
      });
      const width = channels[channels.length - 1];
      const graphs = Array.from({ length: heads }, (_, i) => ({
        attention: graphAttention(declare, `graph.${i}`, { inputs: width, outputs: width }),
        // Which symbol listens to which, whatever they say: added to the scores.
        edges: declare(`edges.${i}`, [symbols, symbols], zeros),
      }));
      const joined = (1 + heads) * width;
      const recurrent = Array.from({ length: layers }, (_, i) =>
        lstm(declare, `lstm.${i}`, { inputs: i === 0 ? joined : hidden, hidden }),
      );
      const head = dense(declare, 'head', { inputs: hidden, outputs });

      return (pass, { observed, present }) => {
        let image = observed; // [bars x symbols, time, channels]
        for (const { convolution, skip } of blocks)
          image = tf.relu(tf.add(tf.relu(convolution(pass, image)), skip ? skip(pass, image) : image));
        // The symbols of one bar of the window side by side.
        const byBar = tf.transpose(tf.reshape(image, [-1, symbols, lookBack, width]), [0, 2, 1, 3]);
        const x = tf.reshape(byBar, [-1, symbols, width]); // [bars x time, symbols, width]
        const there = tf.reshape(present, [-1, 1, 1, symbols]); // [bars, 1, 1, symbols]
        // Everybody listens to those that are there, and to itself.
        const heard = tf.maximum(there, tf.reshape(tf.eye(symbols), [1, 1, symbols, symbols]));
        const edges = tf.reshape(tf.mul(heard, tf.ones([1, lookBack, 1, 1])), [-1, symbols, symbols]);
        const said = graphs.map((graph) =>
          graph.attention(pass, { x, edges, bias: pass.value(graph.edges) }),
        );
        const all = tf.concat([x, ...said.map(({ output }) => output)], 2); // [bars x time, symbols, joined]
        const sequence = tf.reshape(
          tf.transpose(tf.reshape(all, [-1, lookBack, symbols, joined]), [1, 3, 0, 2]),
          [lookBack, joined, -1],
        );
        let steps: readonly Tensor[] = stepsIn(sequence); // lookBack x [joined, bars x symbols]
        for (const layer of recurrent) steps = stepDropout(pass, layer(pass, { steps }).steps, rate);
        const attention = tf.div(tf.addN(said.map(({ weights }) => weights)), heads);
        const perBar = tf.mean(tf.reshape(attention, [-1, lookBack, symbols, symbols]), 1);
        const listening = tf.reshape(present, [-1, symbols, 1]); // [bars, symbols, 1]
        return {
          output: head(pass, tf.transpose(steps[steps.length - 1])),
          explanation: {
            // [symbols, symbols], over the bars at which the listener was there
            graph: tf.div(tf.sum(tf.mul(perBar, listening), 0), tf.maximum(tf.sum(listening, 0), 1)),
          },
        };
      };
    }),
};
