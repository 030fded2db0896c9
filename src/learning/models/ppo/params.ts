import { z } from 'zod';
import { searchRanges } from '../../../core/forecast/search-range.ts';
import { agentParams } from '../../learners/agent/params.ts';
import { forecasters } from '../forecasters.ts';

const share = z.number().min(0).max(1);
const schedule = z.enum(['constant', 'linear']);

/** PPO's hyper-parameters with the names and defaults of Stable-Baselines3, normalisation as its VecNormalize. */
export const PpoParams = z.strictObject({
  learningRate: z
    .number()
    .positive()
    .default(3e-4)
    .register(searchRanges, { low: 1e-5, high: 1e-2, log: true }),
  learningRateSchedule: schedule
    .default('constant')
    .describe('`linear`: down to 0 at the end of the training'),
  nSteps: z.int().min(1).default(2048).describe('Steps of each environment between updates'),
  batchSize: z.int().min(2).default(64).describe('Minibatch; divides nSteps times nEnvs'),
  nEpochs: z.int().min(1).default(10).register(searchRanges, { low: 3, high: 20 }),
  nEnvs: z.int().min(1).default(1).describe('Copies of the environment stepped together'),
  gamma: share.default(0.99),
  gaeLambda: share.default(0.95),
  clipRange: z.number().positive().default(0.2).register(searchRanges, { low: 0.1, high: 0.4 }),
  clipRangeSchedule: schedule.default('constant'),
  clipRangeVf: z.number().positive().optional().describe('Clips the change of the value; default: not'),
  normalizeAdvantage: z.boolean().default(true),
  entCoef: z.number().min(0).default(0).register(searchRanges, { low: 0, high: 0.05 }),
  vfCoef: z.number().min(0).default(0.5),
  maxGradNorm: z.number().positive().default(0.5),
  targetKl: z.number().positive().optional().describe('Ends the epochs when the KL exceeds 1.5 times this'),
  netArch: z.array(z.int().min(1)).min(1).default([64, 64]).describe('Hidden layers of actor and critic'),
  activation: z.enum(['tanh', 'relu']).default('tanh'),
  logStdInit: z.number().default(0).describe('Logarithm of the first deviation of continuous actions'),
  normalizeObservation: z.boolean().default(false),
  normalizeReward: z.boolean().default(false),
  clipObs: z.number().positive().default(10),
  clipReward: z.number().positive().default(10),
  threads: z
    .int()
    .min(1)
    .max(2)
    .default(1)
    .describe(
      '2: the critic learns beside the actor, to the same bits; pays with minibatches of 256 on idle cores',
    ),
});
export type PpoParams = z.output<typeof PpoParams>;

const AGENT_PARAMS = agentParams(forecasters);

/** Of the trading agent: eight windows are practised side by side, with an update every 2048 bars. */
export const PpoAgentParams = z.strictObject({
  ...PpoParams.shape,
  ...AGENT_PARAMS,
  nEnvs: PpoParams.shape.nEnvs.unwrap().default(8),
  nSteps: PpoParams.shape.nSteps.unwrap().default(256),
  normalizeReward: z.boolean().default(true),
});
export type PpoAgentParams = z.output<typeof PpoAgentParams>;
