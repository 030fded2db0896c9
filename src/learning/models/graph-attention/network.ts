import { dense } from '../../engine/layers/dense.ts';
import { graphAttention } from '../../engine/layers/graph-attention.ts';
import { gru } from '../../engine/layers/gru.ts';
import { toSteps } from '../../engine/layers/sequence.ts';
import { defineNetwork } from '../../engine/network.ts';
import { type Tensor, tf } from '../../engine/tf.ts';
import type { Architecture } from '../../learners/deep/architecture.ts';
import { directionHead } from '../../learners/deep/direction-head.ts';
import { oneWindow } from '../../learners/deep/inputs.ts';
import { stepDropout } from '../../learners/deep/layers.ts';
import { percentOf } from '../../../core/forecast/explanation.ts';
import type { GraphAttentionParams } from './index.ts';

export const graphAttentionArchitecture: Architecture<GraphAttentionParams> = {
  inputs: (params, panel) => ({ ...oneWindow(params, panel), together: true }),
  head: directionHead,
  explain: (_, { graph }, { symbols }) => [
    {
      kind: 'matrix',
      title: 'attention of each symbol (row) to each (column)',
      unit: '%',
      rows: [...symbols],
      columns: [...symbols],
      values: symbols.map((_row, i) =>
        Array.from(graph.subarray(i * symbols.length, (i + 1) * symbols.length), percentOf),
      ),
    },
  ],
  network: ({ hidden, layers, heads, dropout: rate }, { features, lookBack, symbols, outputs }) =>
    defineNetwork('graph-attention', (declare) => {
      const recurrent = Array.from({ length: layers }, (_, i) =>
        gru(declare, `gru.${i}`, { inputs: i === 0 ? features : hidden, hidden }),
      );
      const graphs = Array.from({ length: heads }, (_, i) =>
        graphAttention(declare, `graph.${i}`, { inputs: hidden, outputs: hidden }),
      );
      const head = dense(declare, 'head', { inputs: (1 + heads) * hidden, outputs });

      return (pass, { observed, present }) => {
        let steps: readonly Tensor[] = toSteps(observed);
        for (const layer of recurrent) steps = stepDropout(pass, layer(pass, { steps }), rate);
        const own = tf.transpose(steps[lookBack - 1]); // [bars x symbols, hidden]
        const x = tf.reshape(own, [-1, symbols, hidden]);
        const there = tf.reshape(present, [-1, symbols]); // [bars, symbols]
        // Everybody listens to those that are there, and to itself.
        const edges = tf.maximum(tf.expandDims(there, 1), tf.eye(symbols)); // [bars, symbols, symbols]
        const heard = graphs.map((layer) => layer(pass, { x, edges }));
        const attention = tf.div(tf.addN(heard.map(({ weights }) => weights)), heads);
        const listening = tf.expandDims(there, 2); // [bars, symbols, 1]
        const joined = tf.concat([x, ...heard.map(({ output }) => output)], 2);
        return {
          output: head(pass, tf.reshape(joined, [-1, (1 + heads) * hidden])),
          explanation: {
            // [symbols, symbols], over the bars at which the listener was there
            graph: tf.div(tf.sum(tf.mul(attention, listening), 0), tf.maximum(tf.sum(listening, 0), 1)),
          },
        };
      };
    }),
};
