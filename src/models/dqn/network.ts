import { defineNetwork, type Network } from '../../engine/network.ts';
import { type Rank, type Scalar, type Tensor, tf } from '../../engine/tf.ts';
import { mlp, type MlpShape } from '../agent/mlp.ts';
import type { DqnParams } from './params.ts';

export const Q = 'q';

/** With dueling heads, output 0 is the state's value and the rest are the advantages. */
export const qShape = (inputs: number, actionCount: number, params: QShape): MlpShape => ({
  inputs,
  hidden: params.netArch,
  outputs: actionCount + (params.dueling ? 1 : 0),
  activation: 'relu',
});
export type QShape = Pick<DqnParams, 'netArch' | 'dueling'>;

/** Value of each action: [rows, inputs] -> [rows, actionCount]. */
export function qNetwork(inputs: number, actionCount: number, params: QShape): Network {
  return defineNetwork('dqn', (declare) => {
    const heads = mlp(declare, Q, qShape(inputs, actionCount, params));
    if (!params.dueling) return heads;
    return (pass, observations) => {
      const [value, advantages] = tf.split(heads(pass, observations), [1, actionCount], 1);
      return tf.add(value, tf.sub(advantages, tf.mean(advantages, 1, true)));
    };
  });
}

export interface QLossInputs {
  /** [rows, actionCount]: values of the actions now. */
  readonly values: Tensor;
  /** One-hot, [rows, actionCount]. */
  readonly actions: Tensor;
  /** [rows, actionCount]: what the target network says of the next state. */
  readonly nextValues: Tensor;
  /** [rows, actionCount]: what chooses the next action: `nextValues`, or the online network's with double DQN. */
  readonly choosing: Tensor;
  /** [rows, 1] */
  readonly rewards: Tensor;
  readonly discounts: Tensor;
}

/** Huber loss of the temporal difference (Mnih et al. 2015), mean over the rows; nothing flows into the target. */
export function qLoss(inputs: QLossInputs): Scalar {
  const { values, actions, nextValues, choosing, rewards, discounts } = inputs;
  const best = tf.cast(tf.equal(choosing, tf.max(choosing, 1, true)), 'float32');
  // Actions that are equally good share: with one best action this is its value.
  const next = tf.div(tf.sum(tf.mul(best, nextValues), 1, true), tf.sum(best, 1, true));
  const target = tf.add(rewards, tf.mul(discounts, next)); // [rows, 1]
  const taken = tf.sum(tf.mul(values, actions), 1, true); // [rows, 1]
  const distance = tf.abs(tf.sub(taken, target));
  const near = tf.minimum(distance, 1);
  return tf.reshape<Rank.R0>(tf.mean(tf.mul(near, tf.sub(distance, tf.mul(near, 0.5)))), []);
}
