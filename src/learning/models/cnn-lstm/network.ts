import { causalConv1d, maxPool1d } from '../../engine/layers/conv1d.ts';
import { dense } from '../../engine/layers/dense.ts';
import { lstm } from '../../engine/layers/lstm.ts';
import { toSteps } from '../../engine/layers/sequence.ts';
import { defineNetwork } from '../../engine/network.ts';
import { type Tensor, tf } from '../../engine/tf.ts';
import type { Architecture } from '../../learners/deep/architecture.ts';
import { directionHead } from '../../learners/deep/direction-head.ts';
import { oneWindow } from '../../learners/deep/inputs.ts';
import { stepDropout } from '../../learners/deep/layers.ts';
import type { CnnLstmParams } from './index.ts';

export const cnnLstmArchitecture: Architecture<CnnLstmParams> = {
  inputs: oneWindow,
  head: directionHead,
  network: ({ hidden, layers, channels, dropout: rate }, { features, outputs }) =>
    defineNetwork('cnn-lstm', (declare) => {
      const widths = [features, ...channels];
      const convolutions = channels.map((count, i) =>
        causalConv1d(declare, `cnn.${i}`, { inputs: widths[i], outputs: count, width: 3 }),
      );
      const recurrent = Array.from({ length: layers }, (_, i) =>
        lstm(declare, `lstm.${i}`, { inputs: i === 0 ? widths[channels.length] : hidden, hidden }),
      );
      const head = dense(declare, 'head', { inputs: hidden, outputs });

      return (pass, { observed }) => {
        let image = observed; // [rows, time, channels]
        for (const layer of convolutions) image = maxPool1d(tf.relu(layer(pass, image)), 2);
        let steps: readonly Tensor[] = toSteps(image);
        for (const layer of recurrent) steps = stepDropout(pass, layer(pass, { steps }).steps, rate);
        return { output: head(pass, tf.transpose(steps[steps.length - 1])) };
      };
    }),
};
