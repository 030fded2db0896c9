import { z } from 'zod';
import { searchRanges } from '../../../core/forecast/search-range.ts';
import { classParams } from '../../learners/deep/class-params.ts';
import { deepModel } from '../../learners/deep/deep-model.ts';
import { trainingParams } from '../../learners/deep/params.ts';

const Params = z.strictObject({
  ...trainingParams,
  ...classParams,
  dropout: trainingParams.dropout.default(0.2),
  epochs: trainingParams.epochs.default(50),
  hidden: z
    .int()
    .min(1)
    .default(128)
    .describe('Units of each LSTM layer')
    .register(searchRanges, { low: 8, high: 192, log: true }),
  layers: z.int().min(1).default(2).describe('LSTM layers').register(searchRanges, { low: 1, high: 3 }),
  channels: z
    .array(z.int().min(1))
    .min(1)
    .default([64, 128])
    .describe('Channels of the convolutions over the five numbers of a bar; each halves the time axis'),
  horizonBars: z
    .int()
    .min(1)
    .default(4)
    .describe('Bars over which the direction is forecast')
    .register(searchRanges, { low: 1, high: 48, log: true }),
  buyAbove: z.number().min(0.5).max(1).default(0.65).describe('Long above this probability of a rise'),
  sellBelow: z.number().min(0).max(0.5).default(0.35).describe('Short below it'),
  minimumConfidence: z.number().min(0).max(1).default(0.7).describe('Least probability for a long position'),
});
export type LstmCnnParams = z.output<typeof Params>;

/** Long memory and local shape side by side: an LSTM over all inputs, causal convolutions over the bars alone. */
export const lstmCnn = deepModel<LstmCnnParams>({
  id: 'lstm-cnn',
  summary: 'LSTM and causal CNN side by side: calibrated probability of a rise',
  source: 'Kim & Kim 2019, Forecasting stock prices with a feature fusion LSTM-CNN model',
  params: Params,
  quickParams: { lookBack: 48, hidden: 32, channels: [16, 32], epochs: 4, windowsPerEpoch: 8192 },
  architecture: async () => (await import('./network.ts')).lstmCnnArchitecture,
});
