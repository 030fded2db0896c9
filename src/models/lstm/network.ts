import { bidirectionalLstm } from '../../engine/layers/bidirectional.ts';
import { dense } from '../../engine/layers/dense.ts';
import { fromSteps, toSteps } from '../../engine/layers/sequence.ts';
import { defineNetwork } from '../../engine/network.ts';
import { type Tensor, tf } from '../../engine/tf.ts';
import type { Architecture } from '../deep/architecture.ts';
import { directionHead } from '../deep/direction-head.ts';
import { oneWindow } from '../deep/inputs.ts';
import { attentionByLag, stepDropout } from '../deep/layers.ts';
import type { LstmParams } from './index.ts';

export const lstmArchitecture: Architecture<LstmParams> = {
  inputs: oneWindow,
  head: directionHead,
  explain: (_, { attention }) => [attentionByLag(attention)],
  network: ({ hidden, layers, dropout: rate }, { features, outputs }) =>
    defineNetwork('lstm', (declare) => {
      const recurrent = Array.from({ length: layers }, (_, i) =>
        bidirectionalLstm(declare, `lstm.${i}`, { inputs: i === 0 ? features : 2 * hidden, hidden }),
      );
      const key = dense(declare, 'attention.key', { inputs: 2 * hidden, outputs: hidden });
      const score = dense(declare, 'attention.score', { inputs: hidden, outputs: 1, bias: false });
      const head = dense(declare, 'head', { inputs: 2 * hidden, outputs });

      return (pass, { observed }) => {
        let steps: readonly Tensor[] = toSteps(observed);
        for (const layer of recurrent) steps = stepDropout(pass, layer(pass, steps), rate);
        const states = fromSteps(steps); // [rows, time, 2 hidden]
        const scores = score(pass, tf.tanh(key(pass, states))); // [rows, time, 1]
        const weights = tf.softmax(tf.squeeze(scores, [2])); // [rows, time]
        const seen = tf.sum(tf.mul(states, tf.expandDims(weights, 2)), 1);
        return { output: head(pass, seen), explanation: { attention: tf.mean(weights, 0) } };
      };
    }),
};
