import { z } from 'zod';
import { deepModel } from '../../learners/deep/deep-model.ts';
import { directionParams, quickDirection } from '../../learners/deep/direction-params.ts';

const Params = z.strictObject({
  ...directionParams,
  channels: z
    .array(z.int().min(1))
    .min(1)
    .default([32, 64])
    .describe('Channels of the convolutions; each halves the time axis'),
});
export type CnnLstmParams = z.output<typeof Params>;

export const cnnLstmModel = deepModel<CnnLstmParams>({
  id: 'cnn-lstm',
  summary: 'causal convolutions shorten the window, an LSTM reads what is left',
  source: 'Livieris, Pintelas & Pintelas 2020, A CNN-LSTM model for gold price time-series forecasting',
  params: Params,
  quickParams: { ...quickDirection, channels: [24, 24] },
  architecture: async () => (await import('./network.ts')).cnnLstmArchitecture,
});
