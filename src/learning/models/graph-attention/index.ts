import { z } from 'zod';
import { deepModel } from '../../learners/deep/deep-model.ts';
import { directionParams, quickDirection } from '../../learners/deep/direction-params.ts';

const Params = z.strictObject({
  ...directionParams,
  lookBack: directionParams.lookBack.default(48),
  heads: z.int().min(1).default(4).describe('Graphs that are learned side by side'),
});
export type GraphAttentionParams = z.output<typeof Params>;

export const graphAttentionModel = deepModel<GraphAttentionParams>({
  id: 'graph-attention',
  summary: 'one recurrent encoder per symbol, and a learned graph of which symbol listens to which',
  source: 'Velickovic, Cucurull, Casanova, Romero, Lio & Bengio 2018, Graph Attention Networks',
  params: Params,
  quickParams: { ...quickDirection, lookBack: 32, heads: 2 },
  architecture: async () => (await import('./network.ts')).graphAttentionArchitecture,
});
