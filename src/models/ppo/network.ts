import { constant } from '../../engine/initializers.ts';
import { defineNetwork, type Network } from '../../engine/network.ts';
import { type Tensor, tf } from '../../engine/tf.ts';
import type { ActionSpace } from '../../environments/environment.ts';
import { mlp, type MlpShape } from '../agent/mlp.ts';
import type { PpoParams } from './params.ts';

/** What the actor says about each row: logits, or the means and the one log deviation of a diagonal Gaussian. */
export type ActorOutput =
  | { readonly kind: 'discrete'; readonly logits: Tensor }
  | { readonly kind: 'box'; readonly mean: Tensor; readonly logStd: Tensor };

export interface ActorCriticOutput {
  readonly actor: ActorOutput;
  /** [rows] */
  readonly values: Tensor;
}

export const ACTOR = 'actor';
export const CRITIC = 'critic';
export const LOG_STD = 'logStd';

export const actorShape = (inputs: number, actions: ActionSpace, params: PpoShape): MlpShape => ({
  inputs,
  hidden: params.netArch,
  outputs: actions.kind === 'discrete' ? actions.count : actions.size,
  activation: params.activation,
});
export const criticShape = (inputs: number, params: PpoShape): MlpShape => ({
  inputs,
  hidden: params.netArch,
  outputs: 1,
  activation: params.activation,
});
export type PpoShape = Pick<PpoParams, 'netArch' | 'activation' | 'logStdInit'>;

/** Separate actor and critic, orthogonal weights with gains sqrt 2, 0.01 (policy) and 1 (value): SB3's MlpPolicy. */
export function actorCritic(
  inputs: number,
  actions: ActionSpace,
  params: PpoShape,
): Network<Tensor, ActorCriticOutput> {
  return defineNetwork('ppo', (declare) => {
    const actor = mlp(declare, ACTOR, actorShape(inputs, actions, params), 0.01);
    const critic = mlp(declare, CRITIC, criticShape(inputs, params), 1);
    const logStd =
      actions.kind === 'box' ? declare(LOG_STD, [actions.size], constant(params.logStdInit)) : undefined;
    return (pass, observations) => {
      const said = actor(pass, observations); // [rows, outputs]
      const values = tf.reshape(critic(pass, observations), [-1]); // [rows]
      return {
        values,
        actor: logStd
          ? { kind: 'box', mean: said, logStd: pass.value(logStd) }
          : { kind: 'discrete', logits: said },
      };
    };
  });
}
