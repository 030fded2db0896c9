import { z } from 'zod';
import { searchRanges } from '../../../core/forecast/search-range.ts';
import { deepModel } from '../../learners/deep/deep-model.ts';
import { trainingParams } from '../../learners/deep/params.ts';

const Params = z
  .strictObject({
    ...trainingParams,
    epochs: trainingParams.epochs.default(100),
    hidden: z
      .int()
      .min(1)
      .default(64)
      .describe('Size of every internal vector')
      .register(searchRanges, { low: 8, high: 128, step: 8 }),
    layers: z
      .int()
      .min(1)
      .default(1)
      .describe('LSTM layers of the encoder and of the decoder')
      .register(searchRanges, { low: 1, high: 3 }),
    heads: z.int().min(1).default(4).describe('Attention heads; they divide the hidden size'),
    horizonsBars: z
      .array(z.int().min(1))
      .min(1)
      .default([1, 4, 24])
      .describe('Bars over which returns are forecast'),
    decisionBars: z.int().min(1).default(4).describe('The horizon that decides the position'),
    thresholdPct: z
      .number()
      .min(0)
      .default(2)
      .describe('Least median return for a position, in percent')
      .register(searchRanges, { low: 0, high: 3 }),
    minimumConfidence: z
      .number()
      .min(0)
      .max(1)
      .default(0.6)
      .describe('Least probability that the return has the sign of the position'),
  })
  .refine(({ hidden, heads }) => hidden % heads === 0, { error: 'heads must divide hidden', path: ['heads'] })
  .refine(({ horizonsBars, decisionBars }) => horizonsBars.includes(decisionBars), {
    error: 'decisionBars must be one of horizonsBars',
    path: ['decisionBars'],
  });
export type TftParams = z.output<typeof Params>;

/** Quantiles of the return at several horizons, with the inputs and the past bars that they rest on. */
export const tft = deepModel<TftParams>({
  id: 'tft',
  summary: 'Temporal Fusion Transformer: return quantiles 1, 4 and 24 bars ahead, explained',
  source: 'Lim, Arik, Loeff & Pfister 2021, Temporal Fusion Transformers, Int. J. Forecasting 37(4)',
  params: Params,
  quickParams: {
    lookBack: 48,
    hidden: 16,
    heads: 2,
    epochs: 3,
    windowsPerEpoch: 4096,
    validationWindows: 1024,
  },
  architecture: async () => (await import('./architecture.ts')).tftArchitecture,
});
