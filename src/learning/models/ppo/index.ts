import { agentFeatures } from '../../learners/agent/refits.ts';
import { classicalModels } from '../classical.ts';
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
  quickParams: { totalTimesteps: 20_480, evaluations: 5 },
  features: (params) => agentFeatures(params, classicalModels),
  fit: async (task) => (await import('./agent.ts')).fitPpo(task, classicalModels),
  load: async (artifact) => (await import('./agent.ts')).loadPpo(artifact, classicalModels),
};
