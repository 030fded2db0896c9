import { z } from 'zod';
import { searchRanges } from '../../../core/forecast/search-range.ts';

/** Hyper-parameters of every model that forecasts a class. */
export const classParams = {
  classWeights: z
    .enum(['balanced', 'none'])
    .default('balanced')
    .describe('balanced: in the loss every class weighs the same in sum; none: as often as it occurs')
    .register(searchRanges, { choices: ['balanced', 'none'] }),
  focalGamma: z
    .number()
    .min(0)
    .max(5)
    .default(0)
    .describe('Focal loss (Lin et al. 2017): how much the windows count less that are right already; 0: not')
    .register(searchRanges, { low: 0, high: 3 }),
  smote: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe(
      'Synthetic training windows (SMOTE) fill each class up to this share of the largest one; 0: none',
    ),
};

/** `classParams`, parsed; a model that forecasts no class has none of them. */
export type ClassParams = Partial<z.output<z.ZodObject<typeof classParams>>>;
