import { agentFeatures } from '../../learners/agent/refits.ts';
import { forecasters, SEEN_IN_FULL, SEEN_IN_QUICK } from '../forecasters.ts';
import type { Model } from '../../../core/forecast/model.ts';
import { PpoAgentParams } from './params.ts';

/** An agent that chooses its target position itself and is paid by what its account gains. */
export const ppo: Model<PpoAgentParams> = {
  id: 'ppo',
  summary: 'agent trained by proximal policy optimisation in the trading environment',
  kind: 'agent',
  stochastic: true,
  usesValidation: true,
  source: 'Schulman et al. 2017; Stable-Baselines3 (MIT) for names and defaults',
  params: PpoAgentParams,
  quickParams: { totalTimesteps: 20_480, evaluations: 5, forecasts: SEEN_IN_QUICK },
  fullParams: { forecasts: SEEN_IN_FULL },
  features: (params) => agentFeatures(params, forecasters),
  layers: async (params) => (await import('./agent.ts')).ppoLayers(params),
  fit: async (task) => (await import('./agent.ts')).fitPpo(task, forecasters),
  load: async (artifact) => (await import('./agent.ts')).loadPpo(artifact, forecasters),
};
