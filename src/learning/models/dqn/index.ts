import { agentFeatures } from '../../learners/agent/refits.ts';
import { forecasters, SEEN_IN_FULL, SEEN_IN_QUICK } from '../forecasters.ts';
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
  quickParams: { totalTimesteps: 8192, evaluations: 4, forecasts: SEEN_IN_QUICK },
  fullParams: { forecasts: SEEN_IN_FULL },
  features: (params) => agentFeatures(params, forecasters),
  layers: async (params) => (await import('./agent.ts')).dqnLayers(params),
  fit: async (task) => (await import('./agent.ts')).fitDqn(task, forecasters),
  load: async (artifact) => (await import('./agent.ts')).loadDqn(artifact, forecasters),
};
