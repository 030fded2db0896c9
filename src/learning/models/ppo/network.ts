import { constant } from '../../engine/initializers.ts';
import type { Parameter } from '../../engine/network.ts';
import { type ActionSpace } from '../../../core/environments/environment.ts';
import { actorOutputs } from '../../learners/agent/actions.ts';
import { mlpParameters, type MlpShape } from '../../learners/agent/mlp.ts';
import type { PpoParams } from './params.ts';

export type PpoShape = Pick<PpoParams, 'netArch' | 'activation' | 'logStdInit'>;

export const actorShape = (inputs: number, actions: ActionSpace, params: PpoShape): MlpShape => ({
  inputs,
  hidden: params.netArch,
  outputs: actorOutputs(actions),
  activation: params.activation,
});
export const criticShape = (inputs: number, params: PpoShape): MlpShape => ({
  inputs,
  hidden: params.netArch,
  outputs: 1,
  activation: params.activation,
});

/**
 * Separate actor and critic, orthogonal weights with gains sqrt 2, 0.01 (policy) and 1 (value): SB3's MlpPolicy. The
 * flat vector holds the actor, the critic, then the log deviations of continuous actions.
 */
export function actorCriticParameters(
  inputs: number,
  actions: ActionSpace,
  params: PpoShape,
): readonly Parameter[] {
  return [
    ...mlpParameters('actor', actorShape(inputs, actions, params), 0.01),
    ...mlpParameters('critic', criticShape(inputs, params), 1),
    ...(actions.kind === 'box'
      ? [{ name: 'logStd', shape: [actions.size], initializer: constant(params.logStdInit) }]
      : []),
  ];
}
