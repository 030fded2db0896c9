import { causalConv1d } from '../engine/layers/conv1d.ts';
import { dense } from '../engine/layers/dense.ts';
import { lstm } from '../engine/layers/lstm.ts';
import { toSteps } from '../engine/layers/sequence.ts';
import { constant, zeros } from '../engine/initializers.ts';
import { type Declare, defineNetwork, type Layer, type Network } from '../engine/network.ts';
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

/** What every evaluator saw in its asset's own window: features [rows, assets, hidden], from shared parameters. */
function evaluators(
  declare: Declare,
  assets: number,
  lookback: number,
  hidden: number,
): Layer<Tensor, Tensor> {
  const filters = 3;
  const first = causalConv1d(declare, 'conv', { inputs: 1, outputs: filters, width: 3 });
  const second = dense(declare, 'window', { inputs: lookback * filters, outputs: hidden });
  return (pass, x) => {
    const rows = x.shape[0];
    const series = tf.reshape(tf.transpose(x, [0, 2, 1]), [rows * assets, lookback, 1]);
    const seen = tf.relu(first(pass, series));
    return tf.relu(second(pass, tf.reshape(seen, [rows * assets, lookback * filters])));
  };
}

/** A score [rows, 1 + assets] for cash, a bias, and for every asset from its features and its own weight so far. */
function scoring(
  declare: Declare,
  assets: number,
  hidden: number,
): Layer<{ readonly features: Tensor; readonly mask: Tensor; readonly previous: Tensor }, Tensor> {
  const score = dense(declare, 'score', { inputs: hidden + 1, outputs: 1 });
  const cash = declare('cash', [1], zeros);
  return (pass, { features, mask, previous }) => {
    const rows = mask.shape[0];
    const held = tf.reshape(tf.slice(previous, [0, 1], [rows, assets]), [rows * assets, 1]);
    const scores = tf.reshape(score(pass, tf.concat([features, held], 1)), [rows, assets]);
    const open = tf.add(scores, tf.mul(tf.sub(mask, 1), NEVER));
    const bias = tf.mul(tf.ones([rows, 1]), pass.value(cash));
    return tf.concat([bias, open], 1);
  };
}

interface WindowShape {
  readonly assets: number;
  readonly lookback: number;
  readonly hidden: number;
}

/**
 * Ensemble of identical independent evaluators (Jiang, Xu and Liang 2017): one small convolutional network scores every asset from its own
 * window and its own weight so far, a bias is the score of cash, and a softmax makes weights [rows, 1 + assets] of them.
 */
export const eiieNetwork = ({ assets, lookback, hidden }: WindowShape): Network<EiieInputs, Tensor> =>
  defineNetwork('eiie-allocator', (declare) => {
    const evaluate = evaluators(declare, assets, lookback, hidden);
    const score = scoring(declare, assets, hidden);
    return (pass, { x, mask, previous }) =>
      tf.softmax(score(pass, { features: evaluate(pass, x), mask, previous }));
  });

export interface PolicyOutputs {
  /** [rows, 1 + assets]: means of the scores whose softmax are the weights; that of an asset that cannot be held is far below. */
  readonly scores: Tensor;
  /** [rows] */
  readonly value: Tensor;
  /** [1]: logarithm of the scores' deviation, the same in all states. */
  readonly logStd: Tensor;
}

/**
 * A stochastic policy over weights, and its critic: the evaluators of EIIE say the means of normal scores, and the softmax of what is drawn is
 * the portfolio, so that weights are logistic-normal (Aitchison and Shen 1980). The critic sees the mean features of what can be held, and how much is cash.
 */
export const policyNetwork = ({
  assets,
  lookback,
  hidden,
}: WindowShape): Network<EiieInputs, PolicyOutputs> =>
  defineNetwork('ppo-allocator', (declare) => {
    const evaluate = evaluators(declare, assets, lookback, hidden);
    const score = scoring(declare, assets, hidden);
    const critic = dense(declare, 'critic', { inputs: hidden + 1, outputs: 1 });
    const logStd = declare('log_std', [1], constant(-0.5));
    return (pass, { x, mask, previous }) => {
      const rows = x.shape[0];
      const features = evaluate(pass, x);
      const open = tf.reshape(mask, [rows, assets, 1]);
      const sum = tf.sum(tf.mul(tf.reshape(features, [rows, assets, hidden]), open), 1);
      const mean = tf.div(sum, tf.maximum(tf.sum(mask, 1, true), 1));
      const cash = tf.slice(previous, [0, 0], [rows, 1]);
      return {
        scores: score(pass, { features, mask, previous }),
        value: tf.reshape(critic(pass, tf.concat([mean, cash], 1)), [rows]),
        logStd: pass.value(logStd),
      };
    };
  });
