import { z } from 'zod';
import { searchRanges } from '../../../core/forecast/search-range.ts';
import { deepModel } from '../../learners/deep/deep-model.ts';
import { directionParams, quickDirection } from '../../learners/deep/direction-params.ts';

const Params = z.strictObject({
  ...directionParams,
  lookBack: directionParams.lookBack.default(48),
  layers: directionParams.layers.default(1).describe('LSTM layers'),
  channels: z
    .array(z.int().min(1))
    .min(1)
    .default([24, 24, 24])
    .describe('Channels of the convolution blocks; the n-th looks at bars 2^n apart'),
  heads: z
    .int()
    .min(1)
    .default(2)
    .describe('Graphs that are learned side by side')
    .register(searchRanges, { low: 1, high: 4 }),
});
export type TcnGraphLstmParams = z.output<typeof Params>;

/**
 * Three ideas one after the other: dilated causal convolutions read each symbol's bars, a graph that is learned carries what they say from symbol to
 * symbol at every bar, and an LSTM follows that over the window.
 */
export const tcnGraphLstm = deepModel<TcnGraphLstmParams>({
  id: 'tcn-graph-lstm',
  summary:
    'dilated causal convolutions per symbol, a learned graph across symbols at every bar, an LSTM over time',
  source:
    'Bai, Kolter & Koltun 2018 (TCN); Velickovic et al. 2018 (GAT); learned adjacency: Wu, Pan, Long, Jiang & Zhang 2019, Graph WaveNet',
  params: Params,
  quickParams: { ...quickDirection, lookBack: 32, channels: [12, 12], heads: 1 },
  architecture: async () => (await import('./network.ts')).tcnGraphLstmArchitecture,
});
