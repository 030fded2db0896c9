import { z } from 'zod';
import { longerFeatures } from '../../learners/deep/branches.ts';
import { deepModel } from '../../learners/deep/deep-model.ts';
import { directionParams, quickDirection } from '../../learners/deep/direction-params.ts';

const Params = z
  .strictObject({
    ...directionParams,
    lookBack: directionParams.lookBack
      .default(48)
      .describe('Bars in the window of every timeframe but the longest'),
    longestLookBack: z.int().min(2).default(14).describe('Bars in the window of the longest timeframe'),
    multiples: z
      .array(z.int().min(1))
      .min(2)
      .default([1, 4, 24])
      .describe('Timeframes that are read, in bars of the data: 1h, 4h and 1d of hourly bars'),
    longerFeatures,
    heads: z.int().min(1).default(4).describe('Attention heads; they divide the hidden size'),
  })
  .refine(({ hidden, heads }) => hidden % heads === 0, { error: 'heads must divide hidden', path: ['heads'] })
  .refine(
    ({ multiples }) => multiples[0] === 1 && multiples.every((m, i) => i === 0 || m > multiples[i - 1]),
    {
      error: 'multiples must ascend from 1',
      path: ['multiples'],
    },
  );
export type MultiTimeframeParams = z.output<typeof Params>;

export const multiTimeframe = deepModel<MultiTimeframeParams>({
  id: 'multi-timeframe',
  summary: 'the closed bars of several timeframes, weighed against each other by attention',
  source: 'Vaswani et al. 2017; a recurrent encoder a timeframe, attention over them',
  params: Params,
  quickParams: { ...quickDirection, lookBack: 32, longestLookBack: 7 },
  architecture: async () => (await import('./network.ts')).multiTimeframeArchitecture,
});
