import { causalConv1d } from '../engine/layers/conv1d.ts';
import { dense } from '../engine/layers/dense.ts';
import { lstm } from '../engine/layers/lstm.ts';
import { toSteps } from '../engine/layers/sequence.ts';
import { zeros } from '../engine/initializers.ts';
import { defineNetwork, type Network } from '../engine/network.ts';
import { type Tensor, tf } from '../engine/tf.ts';
import { attentionOverSteps } from '../learners/deep/layers.ts';

export interface DeepInputs {
  /** [rows, lookback, assets] */
  readonly x: Tensor;
  /** [rows, assets]: 1 where the asset can be held. */
  readonly mask: Tensor;
}

/** What an asset that cannot be held gets for a score: exp of it is zero in float32. */
const NEVER = 100;

/** LSTM over the window, attention over its steps, softmax over the assets that can be held. Weights [rows, assets]. */
export const deepNetwork = ({
  assets,
  hidden,
}: {
  readonly assets: number;
  readonly hidden: number;
}): Network<DeepInputs, Tensor> =>
  defineNetwork('deep-allocator', (declare) => {
    const recurrent = lstm(declare, 'lstm', { inputs: assets, hidden });
    const attend = attentionOverSteps(declare, { size: hidden, hidden });
    const head = dense(declare, 'head', { inputs: hidden, outputs: assets });
    return (pass, { x, mask }) => {
      const { steps } = recurrent(pass, { steps: toSteps(x) });
      const { seen } = attend(pass, steps);
      return tf.softmax(tf.add(head(pass, seen), tf.mul(tf.sub(mask, 1), NEVER)));
    };
  });

export interface EiieInputs extends DeepInputs {
  /** [rows, 1 + assets], cash first: the weights held until now, from the portfolio vector memory. */
  readonly previous: Tensor;
}

/**
 * Ensemble of identical independent evaluators (Jiang, Xu and Liang 2017): one small convolutional network scores every asset from its own
 * window and its own weight so far, a bias is the score of cash, and a softmax makes weights [rows, 1 + assets] of them.
 */
export const eiieNetwork = ({
  assets,
  lookback,
  hidden,
}: {
  readonly assets: number;
  readonly lookback: number;
  readonly hidden: number;
}): Network<EiieInputs, Tensor> =>
  defineNetwork('eiie-allocator', (declare) => {
    const filters = 3;
    const first = causalConv1d(declare, 'conv', { inputs: 1, outputs: filters, width: 3 });
    const second = dense(declare, 'window', { inputs: lookback * filters, outputs: hidden });
    const score = dense(declare, 'score', { inputs: hidden + 1, outputs: 1 });
    const cash = declare('cash', [1], zeros);
    return (pass, { x, mask, previous }) => {
      const rows = x.shape[0];
      const series = tf.reshape(tf.transpose(x, [0, 2, 1]), [rows * assets, lookback, 1]);
      const seen = tf.relu(first(pass, series));
      const features = tf.relu(second(pass, tf.reshape(seen, [rows * assets, lookback * filters])));
      const held = tf.reshape(tf.slice(previous, [0, 1], [rows, assets]), [rows * assets, 1]);
      const scores = tf.reshape(score(pass, tf.concat([features, held], 1)), [rows, assets]);
      const open = tf.add(scores, tf.mul(tf.sub(mask, 1), NEVER));
      const bias = tf.mul(tf.ones([rows, 1]), pass.value(cash));
      return tf.softmax(tf.concat([bias, open], 1));
    };
  });
