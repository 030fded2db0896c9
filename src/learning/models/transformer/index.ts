import { z } from 'zod';
import { deepModel } from '../../learners/deep/deep-model.ts';
import { directionParams, quickDirection } from '../../learners/deep/direction-params.ts';

const Params = z
  .strictObject({
    ...directionParams,
    heads: z.int().min(1).default(4).describe('Attention heads; they divide the hidden size'),
  })
  .refine(({ hidden, heads }) => hidden % heads === 0, {
    error: 'heads must divide hidden',
    path: ['heads'],
  });
export type TransformerParams = z.output<typeof Params>;

export const transformerModel = deepModel<TransformerParams>({
  id: 'transformer',
  summary: 'Transformer encoder with causal attention over the window',
  source: 'Vaswani et al. 2017; layer norm before each block as in Xiong et al. 2020',
  params: Params,
  quickParams: quickDirection,
  architecture: async () => (await import('./network.ts')).transformerArchitecture,
});
