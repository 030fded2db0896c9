import { z } from 'zod';
import { searchRanges } from '../../../core/forecast/search-range.ts';

/** What a network does so that it adapts: against forgetting, when it goes on from another run, and to learn quickly later. */
export const continualParams = {
  continual: z
    .enum(['none', 'replay', 'ewc', 'si', 'a-gem'])
    .default('none')
    .describe(
      'Going on from another run: fine-tune on all bars; or on the new ones alone, with what keeps the old ones known',
    ),
  importanceWeight: z
    .number()
    .min(0)
    .default(0.5)
    .describe('How firmly ewc and si hold the weights that mattered')
    .register(searchRanges, { low: 0.01, high: 100, log: true }),
  memory: z
    .int()
    .min(1)
    .default(1000)
    .describe('Old windows that replay, a-gem and ewc remember, as many of each market regime'),
  meta: z
    .enum(['none', 'maml', 'first-order', 'anil', 'reptile'])
    .default('none')
    .describe('Train for adapting in a few steps instead of for the mean of all windows'),
  innerRate: z
    .number()
    .positive()
    .default(0.01)
    .describe('Learning rate of the inner steps of meta-training')
    .register(searchRanges, { low: 1e-3, high: 0.1, log: true }),
  innerSteps: z.int().min(1).max(20).default(5).describe('Inner steps of meta-training'),
  supportWindows: z
    .int()
    .min(1)
    .default(10)
    .describe('Windows that each task of meta-training, and later each adaptation, learns from'),
  metaTasks: z
    .int()
    .min(1)
    .default(4)
    .describe('Tasks, spans of one symbol and regime, in one step of meta-training'),
};
export type ContinualParams = z.output<z.ZodObject<typeof continualParams>>;
