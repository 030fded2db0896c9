import { z } from 'zod';
import { deepModel } from '../../learners/deep/deep-model.ts';
import { directionParams, quickDirection } from '../../learners/deep/direction-params.ts';

const Params = z.strictObject({
  ...directionParams,
  classWeights: directionParams.classWeights.default('none'),
  sidewaysSigmas: z
    .number()
    .min(0)
    .default(0.5)
    .describe('A return of fewer standard deviations than this, either way, counts as sideways'),
  outlookBars: z.int().min(2).default(24).describe('Bars over which volatility and regime are forecast'),
  highVolatilityPct: z
    .number()
    .gt(0)
    .lt(100)
    .default(20)
    .describe('Share of training bars, of each symbol, whose outlook counts as high volatility'),
  rangingPct: z
    .number()
    .gt(0)
    .lt(100)
    .default(50)
    .describe('Share of training bars whose outlook moves too little to be bull or bear'),
  fullSizeSigmas: z
    .number()
    .positive()
    .default(0.1)
    .describe('Expected return, in standard deviations, that is worth a whole position'),
});
export type MultiTaskParams = z.output<typeof Params>;

/** One trunk that several questions about the same bars keep from learning only noise. */
export const multiTask = deepModel<MultiTaskParams>({
  id: 'multi-task',
  summary: 'direction, volatility, regime and position size from one recurrent trunk',
  source: 'Kendall, Gal & Cipolla 2018, Multi-Task Learning Using Uncertainty to Weigh Losses',
  params: Params,
  quickParams: quickDirection,
  architecture: async () => (await import('./architecture.ts')).multiTaskArchitecture,
});
