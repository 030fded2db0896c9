import { z } from 'zod';
import { deepModel } from '../../learners/deep/deep-model.ts';
import { directionParams, quickDirection } from '../../learners/deep/direction-params.ts';

const Params = z.strictObject(directionParams);
export type GruParams = z.output<typeof Params>;

export const gruModel = deepModel<GruParams>({
  id: 'gru',
  summary: 'gated recurrent units, the last state decides',
  source: 'Cho et al. 2014, Learning Phrase Representations using RNN Encoder-Decoder',
  params: Params,
  quickParams: quickDirection,
  architecture: async () => (await import('./network.ts')).gruArchitecture,
});
