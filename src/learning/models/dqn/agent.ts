import { parameterCount } from '../../engine/weights.ts';
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
import { createDqn, type DqnState } from './learner.ts';
import { qParameters, qShape, rankedFrom } from './network.ts';
import { DqnAgentParams } from './params.ts';

const ACTIONS = 3;
const SPACE: ActionSpace = { kind: 'discrete', count: ACTIONS };

/** Trains a DQN agent that sells, holds or buys. */
export async function fitDqn(
  task: FitTask<DqnAgentParams>,
  forecasters: readonly Model[],
): Promise<FittedModel> {
  const { params, seed } = task;
  const trained = await trainAgent<Float32Array, DqnState>(task, forecasters, 'buy-hold-sell', {
    decider: (weights, inputs) => decider(inputs, params, weights),
    create: async (environment) => {
      const learner = await createDqn({ environment, params, seed, totalSteps: params.totalTimesteps });
      return {
        get steps() {
          return learner.steps;
        },
        iterate: async () => {
          const { meanReward, loss, exploration } = await learner.iterate();
          return { loss, figures: known({ meanReward, loss, exploration }) };
        },
        weights: () => learner.parameters(),
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
      moments: { mean: [], variance: [] },
      figures: known({ keptAtStep, validationLogGrowth, ...figures }),
      weights,
    },
    forecasters,
  );
}

export const dqnLayers = (params: DqnAgentParams): NetworkLayers =>
  mlpLayers({ q: qShape(observationSize(params), ACTIONS, params) });

export async function loadDqn(artifact: Artifact, forecasters: readonly Model[]): Promise<FittedModel> {
  return fitted(
    await readAgent(artifact, DqnAgentParams, forecasters, ({ observation, params }) =>
      parameterCount(qParameters(observation.length, ACTIONS, params)),
    ),
    forecasters,
  );
}

const fitted = (record: AgentRecord<DqnAgentParams>, forecasters: readonly Model[]): FittedModel =>
  fittedAgent(record, {
    forecasters,
    actions: 'buy-hold-sell',
    decide: decider(record.observation.length, record.params, record.weights),
  });

function decider(inputs: number, params: DqnAgentParams, weights: Float32Array): Decide {
  const kernel = createKernel();
  const online = createMlp(kernel, qShape(inputs, ACTIONS, params), 1);
  online.load(weights, 0);
  const input = kernel.allocate(inputs);
  const action = new Float32Array(1);
  return (seen) => {
    input.values.set(seen);
    online.forward(input.at, 1);
    bestAction(SPACE, online.output, rankedFrom(params), action, 0);
    return action[0];
  };
}
