import { parameterCount } from '../../engine/weights.ts';
import { standardise } from '../../../core/environments/normalise.ts';
import type { ActionSpace } from '../../../core/environments/environment.ts';
import { bestAction } from '../../learners/agent/actions.ts';
import { type AgentRecord, fittedAgent, readAgent } from '../../learners/agent/fitted-agent.ts';
import { createKernel } from '../../learners/agent/kernel.ts';
import { createMlp, mlpLayers } from '../../learners/agent/mlp.ts';
import { observationSize } from '../../learners/agent/refits.ts';
import { known, trainAgent } from '../../learners/agent/train.ts';
import type { Decide } from '../../learners/agent/trading-agent.ts';
import type { NetworkLayers } from '../../../core/forecast/layers.ts';
import type { Artifact, FittedModel, FitTask, Model } from '../../../core/forecast/model.ts';
import { createPpo, type PpoAgentState, type PpoState } from './learner.ts';
import { actorCriticParameters, actorShape, criticShape } from './network.ts';
import { PpoAgentParams } from './params.ts';

const SPACE = { kind: 'box', size: 1, low: -1, high: 1 } as const satisfies ActionSpace;

/** Trains a PPO agent whose action is the target position. */
export async function fitPpo(
  task: FitTask<PpoAgentParams>,
  forecasters: readonly Model[],
): Promise<FittedModel> {
  const { params, seed } = task;
  const trained = await trainAgent<PpoAgentState, PpoState>(task, forecasters, 'target', {
    decider: (weights, inputs) => decider(inputs, params, weights),
    create: async (environment) => {
      const learner = await createPpo({ environment, params, seed, totalSteps: params.totalTimesteps });
      return {
        get steps() {
          return learner.steps;
        },
        iterate: async () => {
          const { meanReward, policyLoss, valueLoss, entropy, approxKl, explainedVariance } =
            await learner.iterate();
          const figures = known({
            meanReward,
            approxKl,
            entropy,
            explainedVariance,
            policyLoss,
            valueLoss,
          });
          return { loss: policyLoss + params.vfCoef * valueLoss, figures };
        },
        weights: () => learner.agent(),
        state: () => learner.state(),
        restore: (state) => learner.restore(state),
        dispose: () => learner.dispose(),
      };
    },
  });
  const { weights, scaler, observation, refits, keptAtStep, validationLogGrowth, figures } = trained;
  return fitted(
    {
      params,
      observation,
      scaler,
      refits,
      moments: { mean: Array.from(weights.mean), variance: Array.from(weights.variance) },
      figures: known({ keptAtStep, validationLogGrowth, ...figures }),
      weights: weights.parameters,
    },
    forecasters,
  );
}

export const ppoLayers = (params: PpoAgentParams): NetworkLayers =>
  mlpLayers(
    {
      actor: actorShape(observationSize(params), SPACE, params),
      critic: criticShape(observationSize(params), params),
    },
    SPACE.size,
  );

export async function loadPpo(artifact: Artifact, forecasters: readonly Model[]): Promise<FittedModel> {
  return fitted(
    await readAgent(artifact, PpoAgentParams, forecasters, ({ observation, params }) =>
      parameterCount(actorCriticParameters(observation.length, SPACE, params)),
    ),
    forecasters,
  );
}

function fitted(record: AgentRecord<PpoAgentParams>, forecasters: readonly Model[]): FittedModel {
  const { mean, variance } = record.moments;
  const state = {
    parameters: record.weights,
    mean: Float64Array.from(mean),
    variance: Float64Array.from(variance),
  };
  const decide = decider(record.observation.length, record.params, state);
  return fittedAgent(record, { forecasters, actions: 'target', decide });
}

function decider(
  inputs: number,
  params: PpoAgentParams,
  { parameters, mean, variance }: PpoAgentState,
): Decide {
  const kernel = createKernel();
  const actor = createMlp(kernel, actorShape(inputs, SPACE, params), 1);
  actor.load(parameters, 0);
  const moments = { mean, variance, count: 1 };
  const viewed = kernel.allocate(inputs);
  const action = new Float32Array(1);
  return (seen) => {
    if (params.normalizeObservation) standardise(moments, seen, 1, viewed.values, params.clipObs);
    else viewed.values.set(seen);
    actor.forward(viewed.at, 1);
    bestAction(SPACE, actor.output, 0, action, 0);
    return action[0];
  };
}
