import { z } from 'zod';
import { parseBarLength, shortestMs } from '../../../core/market/bar-length.ts';
import { longerFeatures } from '../../learners/deep/branches.ts';
import { deepModel } from '../../learners/deep/deep-model.ts';
import { directionParams, quickDirection } from '../../learners/deep/direction-params.ts';
import { networkInputs } from '../../learners/deep/params.ts';

const lengths = z.array(z.string().transform(parseBarLength));

const Params = z
  .strictObject({
    ...directionParams,
    lookBack: directionParams.lookBack
      .default(48)
      .describe('Bars in the window of every timeframe up to hours'),
    dayLookBack: z.int().min(2).default(14).describe('Bars in the window of days'),
    weekLookBack: z.int().min(2).default(52).describe('Bars in the window of weeks'),
    monthLookBack: z.int().min(2).default(12).describe('Bars in the window of months; 120: ten years'),
    fine: lengths
      .default(['1m', '5m', '10m'])
      .describe('Timeframes that a bidirectional LSTM reads, of those that are stored or made of the data'),
    finerFeatures: longerFeatures.describe('Inputs of stored bars that are shorter than those of the data'),
    coarse: lengths
      .default(['1h', '1d'])
      .describe('Timeframes that a GRU with attention reads, likewise; 1w and 1M too'),
    longerFeatures,
    text: z
      .array(z.string())
      .default([])
      .describe(
        'Features of texts that a branch of its own reads, such as news_decayed; none: no such branch',
      ),
    textLookBack: z.int().min(2).default(24).describe('Bars in the window of the text branch'),
  })
  .refine(({ fine, coarse }) => new Set([...fine, ...coarse]).size === fine.length + coarse.length, {
    error: 'a timeframe is named twice',
    path: ['coarse'],
  })
  .refine(
    ({ fine, coarse }) =>
      [...fine, ...coarse].every((one, i, all) => i === 0 || shortestMs(one) > shortestMs(all[i - 1])),
    { error: 'fine and then coarse timeframes must ascend', path: ['fine'] },
  );
export type LateFusionParams = z.output<typeof Params>;

/** What happens inside the hour and what has happened over days, read apart and weighed against each other at the end. */
export const lateFusion = deepModel<LateFusionParams>({
  id: 'late-fusion',
  summary:
    'bidirectional LSTMs over minutes, attention GRUs over hours and days, a GRU over texts, fused at the end',
  source:
    'Snoek, Worring & Smeulders 2005 (late fusion); Schuster & Paliwal 1997; Bahdanau, Cho & Bengio 2015',
  params: Params,
  quickParams: { ...quickDirection, lookBack: 32, dayLookBack: 7 },
  features: (params) => [...new Set([...networkInputs(params), ...params.text])],
  barLengths: ({ fine, coarse }) => [...fine, ...coarse],
  architecture: async () => (await import('./network.ts')).lateFusionArchitecture,
});
