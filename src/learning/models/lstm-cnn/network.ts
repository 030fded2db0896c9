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
import type { LstmCnnParams } from './index.ts';

/** The inputs after the volatility that describe the bar itself: gap, body, range, close, volume. */
const BAR = { first: 1, count: 5 };

export const lstmCnnArchitecture: Architecture<LstmCnnParams> = {
  inputs: oneWindow,
  head: directionHead,
  network: ({ hidden, layers, channels, dropout: rate }, { features, lookBack, outputs }) =>
    defineNetwork('lstm-cnn', (declare) => {
      const bar = Math.min(BAR.count, features - BAR.first);
      const recurrent = Array.from({ length: layers }, (_, i) =>
        lstm(declare, `lstm.${i}`, { inputs: i === 0 ? features : hidden, hidden }),
      );
      const convolutions = channels.map((count, i) =>
        causalConv1d(declare, `cnn.${i}`, {
          inputs: i === 0 ? bar : channels[i - 1],
          outputs: count,
          width: 3,
        }),
      );
      const joined = hidden + (channels.at(-1) ?? 0);
      const fusion = dense(declare, 'fusion', { inputs: joined, outputs: hidden });
      const head = dense(declare, 'head', { inputs: hidden, outputs });

      return (pass, { observed }) => {
        let steps: readonly Tensor[] = toSteps(observed); // lookBack x [features, rows]
        for (const layer of recurrent) steps = stepDropout(pass, layer(pass, { steps }).steps, rate);
        const memory = tf.transpose(steps[lookBack - 1]); // [rows, hidden]

        let image = tf.slice(observed, [0, 0, BAR.first], [-1, -1, bar]); // [rows, time, bar]
        for (const layer of convolutions) image = maxPool1d(tf.relu(layer(pass, image)), 2);
        const shape = tf.mean(image, 1); // [rows, channels]

        return { output: head(pass, tf.relu(fusion(pass, tf.concat([memory, shape], 1)))) };
      };
    }),
};
