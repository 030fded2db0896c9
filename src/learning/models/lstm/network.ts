import { bidirectionalLstm } from '../../engine/layers/bidirectional.ts';
import { dense } from '../../engine/layers/dense.ts';
import { toSteps } from '../../engine/layers/sequence.ts';
import { defineNetwork } from '../../engine/network.ts';
import { type Tensor, tf } from '../../engine/tf.ts';
import type { Architecture } from '../../learners/deep/architecture.ts';
import { directionHead } from '../../learners/deep/direction-head.ts';
import { oneWindow } from '../../learners/deep/inputs.ts';
import { attentionByLag, attentionOverSteps, stepDropout } from '../../learners/deep/layers.ts';
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
      const attend = attentionOverSteps(declare, { size: 2 * hidden, hidden });
      const head = dense(declare, 'head', { inputs: 2 * hidden, outputs });

      return (pass, { observed }) => {
        let steps: readonly Tensor[] = toSteps(observed);
        for (const layer of recurrent) steps = stepDropout(pass, layer(pass, steps), rate);
        const { seen, weights } = attend(pass, steps);
        return { output: head(pass, seen), explanation: { attention: tf.mean(weights, 0) } };
      };
    }),
};
