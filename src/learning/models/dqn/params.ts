import { z } from 'zod';
import { searchRanges } from '../../../core/forecast/search-range.ts';
import { agentParams } from '../../learners/agent/params.ts';
import { forecasters } from '../forecasters.ts';

/** PyTorch's default. */
export const ADAM_EPSILON = 1e-8;

const share = z.number().min(0).max(1);

/** DQN's hyper-parameters with the names and defaults of Stable-Baselines3; double and dueling are off there too. */
export const DqnParams = z.strictObject({
  learningRate: z
    .number()
    .positive()
    .default(1e-4)
    .register(searchRanges, { low: 1e-5, high: 1e-2, log: true }),
  bufferSize: z.int().min(1).default(1_000_000).describe('Transitions that are remembered'),
  learningStarts: z.int().min(0).default(100).describe('Steps of random play before the first update'),
  batchSize: z.int().min(1).default(32).register(searchRanges, { low: 16, high: 256, log: true }),
  tau: share.default(1).describe('How far the target network moves towards the online one: 1 copies it'),
  gamma: share.default(0.99),
  trainFreq: z.int().min(1).default(4).describe('Steps of each environment between updates'),
  gradientSteps: z.int().min(1).default(1).describe('Gradient steps of one update'),
  targetUpdateInterval: z.int().min(1).default(10_000).describe('Steps between moves of the target network'),
  explorationFraction: share.default(0.1).describe('Share of the training over which exploration falls'),
  explorationInitialEps: share.default(1),
  explorationFinalEps: share.default(0.05),
  maxGradNorm: z.number().positive().default(10),
  nSteps: z
    .int()
    .min(1)
    .default(1)
    .describe('Rewards that are summed before bootstrapping')
    .register(searchRanges, { low: 1, high: 8 }),
  nEnvs: z.int().min(1).default(1).describe('Copies of the environment stepped together'),
  doubleQ: z
    .boolean()
    .default(false)
    .describe('The online network chooses the next action (van Hasselt 2016)'),
  dueling: z.boolean().default(false).describe('Value and advantages apart (Wang et al. 2016)'),
  netArch: z.array(z.int().min(1)).min(1).default([64, 64]),
});
export type DqnParams = z.output<typeof DqnParams>;

const AGENT_PARAMS = agentParams(forecasters);

/** Of the trading agent: double and dueling, with sixteen updates after every 64 bars of four windows. */
export const DqnAgentParams = z.strictObject({
  ...DqnParams.shape,
  ...AGENT_PARAMS,
  totalTimesteps: AGENT_PARAMS.totalTimesteps.unwrap().default(100_000),
  bufferSize: DqnParams.shape.bufferSize.unwrap().default(100_000),
  nEnvs: DqnParams.shape.nEnvs.unwrap().default(4),
  trainFreq: DqnParams.shape.trainFreq.unwrap().default(16),
  gradientSteps: DqnParams.shape.gradientSteps.unwrap().default(16),
  targetUpdateInterval: DqnParams.shape.targetUpdateInterval.unwrap().default(1000),
  doubleQ: z.boolean().default(true),
  dueling: z.boolean().default(true),
});
export type DqnAgentParams = z.output<typeof DqnAgentParams>;
