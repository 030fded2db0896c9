import { dense } from '../../engine/layers/dense.ts';
import { gru } from '../../engine/layers/gru.ts';
import { toSteps } from '../../engine/layers/sequence.ts';
import { defineNetwork } from '../../engine/network.ts';
import { type Tensor, tf } from '../../engine/tf.ts';
import type { Architecture } from '../../learners/deep/architecture.ts';
import { directionHead } from '../../learners/deep/direction-head.ts';
import { oneWindow } from '../../learners/deep/inputs.ts';
import { stepDropout } from '../../learners/deep/layers.ts';
import type { GruParams } from './index.ts';

export const gruArchitecture: Architecture<GruParams> = {
  inputs: oneWindow,
  head: directionHead,
  network: ({ hidden, layers, dropout: rate }, { features, lookBack, outputs }) =>
    defineNetwork('gru', (declare) => {
      const recurrent = Array.from({ length: layers }, (_, i) =>
        gru(declare, `gru.${i}`, { inputs: i === 0 ? features : hidden, hidden }),
      );
      const head = dense(declare, 'head', { inputs: hidden, outputs });

      return (pass, { observed }) => {
        let steps: readonly Tensor[] = toSteps(observed);
        for (const layer of recurrent) steps = stepDropout(pass, layer(pass, { steps }), rate);
        return { output: head(pass, tf.transpose(steps[lookBack - 1])) };
      };
    }),
};
