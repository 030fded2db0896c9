import { agentFeatures } from '../../learners/agent/refits.ts';
import { classicalModels } from '../classical.ts';
import type { Model } from '../../../core/forecast/model.ts';
import { DqnAgentParams } from './params.ts';

/** An agent that sells, holds or buys and is paid by what its account gains. */
export const dqn: Model<DqnAgentParams> = {
  id: 'dqn',
  summary: 'agent trained by deep Q-learning in the trading environment',
  kind: 'agent',
  stochastic: true,
  usesValidation: true,
  source:
    'Mnih et al. 2015, van Hasselt et al. 2016, Wang et al. 2016; Stable-Baselines3 (MIT) for names and defaults',
  params: DqnAgentParams,
  quickParams: { totalTimesteps: 8192, evaluations: 4 },
  features: (params) => agentFeatures(params, classicalModels),
  fit: async (task) => (await import('./agent.ts')).fitDqn(task, classicalModels),
  load: async (artifact) => (await import('./agent.ts')).loadDqn(artifact, classicalModels),
};
