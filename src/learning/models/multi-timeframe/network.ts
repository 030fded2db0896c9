import { multiHeadAttention } from '../../engine/layers/attention.ts';
import { dense } from '../../engine/layers/dense.ts';
import { embedding } from '../../engine/layers/embedding.ts';
import { gru } from '../../engine/layers/gru.ts';
import { layerNorm } from '../../engine/layers/layer-norm.ts';
import { toSteps } from '../../engine/layers/sequence.ts';
import { defineNetwork, within } from '../../engine/network.ts';
import { type Tensor, tf } from '../../engine/tf.ts';
import type { Architecture } from '../../learners/deep/architecture.ts';
import { branchOf, multipleOf } from '../../learners/deep/branches.ts';
import { directionHead } from '../../learners/deep/direction-head.ts';
import { stepDropout } from '../../learners/deep/layers.ts';
import { networkInputs } from '../../learners/deep/params.ts';
import { importance, percentOf } from '../../../core/forecast/explanation.ts';
import type { MultiTimeframeParams } from './index.ts';

export const multiTimeframeArchitecture: Architecture<MultiTimeframeParams> = {
  inputs: (params, panel) => ({
    branches: params.multiples.map((multiple, i) =>
      branchOf(multipleOf(panel.timeframe, multiple), panel, {
        lookBack: i === params.multiples.length - 1 ? params.longestLookBack : params.lookBack,
        longerFeatures: params.longerFeatures,
        own: networkInputs(params),
      }),
    ),
    futureBars: 0,
  }),
  head: directionHead,
  explain: ({ multiples }, { attention }, { timeframe }) => [
    importance(
      'attention to the timeframes',
      '%',
      multiples.map((multiple, i) => [multipleOf(timeframe, multiple), percentOf(attention[i])] as const),
    ),
  ],
  network: ({ hidden, layers, heads, dropout: rate }, { branches, outputs }) =>
    defineNetwork('multi-timeframe', (declare) => {
      const encoders = branches.map(({ features }, b) =>
        Array.from({ length: layers }, (_, i) =>
          gru(within(declare, `branch.${b}`), `gru.${i}`, { inputs: i === 0 ? features : hidden, hidden }),
        ),
      );
      const names = embedding(declare, 'timeframe', { classes: branches.length, size: hidden });
      const attend = multiHeadAttention(declare, 'attention', { size: hidden, heads });
      const norm = layerNorm(declare, 'norm', { size: hidden });
      const head = dense(declare, 'head', { inputs: branches.length * hidden, outputs });

      return (pass, inputs) => {
        const states = branches.map(({ name }, b) => {
          let steps: readonly Tensor[] = toSteps(inputs[name]);
          for (const layer of encoders[b]) steps = stepDropout(pass, layer(pass, { steps }), rate);
          return tf.transpose(steps[steps.length - 1]); // [rows, hidden]
        });
        const order = tf.tensor(Int32Array.from(branches.keys()), [branches.length], 'int32');
        const x = tf.add(tf.stack(states, 1), tf.expandDims(names(pass, order), 0)); // [rows, branches, hidden]
        const { output, weights } = attend(pass, x);
        const joined = norm(pass, tf.add(x, output));
        return {
          output: head(pass, tf.reshape(joined, [-1, branches.length * hidden])),
          // [branches]: what all timeframes and heads pay to each
          explanation: { attention: tf.mean(weights, [0, 1, 2]) },
        };
      };
    }),
};
