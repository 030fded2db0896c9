import { z } from 'zod';
import { deepModel } from '../../learners/deep/deep-model.ts';
import { directionParams, quickDirection } from '../../learners/deep/direction-params.ts';

const Params = z.strictObject(directionParams);
export type LstmParams = z.output<typeof Params>;

export const lstmModel = deepModel<LstmParams>({
  id: 'lstm',
  summary: 'bidirectional LSTM inside the window, with attention over its bars',
  source: 'Hochreiter & Schmidhuber 1997; Zhou et al. 2016, Attention-Based Bidirectional LSTM',
  params: Params,
  quickParams: quickDirection,
  architecture: async () => (await import('./network.ts')).lstmArchitecture,
});
