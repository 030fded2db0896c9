import { z } from 'zod';
import { searchRanges } from '../../../core/forecast/search-range.ts';
import { FEATURES } from './features.ts';

/** Parameters of every model that reads rows of features and takes a side by the probability it states. */
export const TABULAR_PARAMS = {
  features: z
    .array(z.string())
    .min(1)
    .default([...FEATURES])
    .describe('Names from the feature catalogue'),
  horizonBars: z
    .int()
    .min(1)
    .default(4)
    .describe('Bars of the return that is forecast')
    .register(searchRanges, { low: 1, high: 48, log: true }),
  entryQuantile: z
    .number()
    .min(0)
    .lt(1)
    .default(0.7)
    .describe('Enter on probabilities further from even than this quantile of past ones')
    .register(searchRanges, { low: 0, high: 0.95 }),
};

/** Of those among them that forecast a class. */
export const TABULAR_CLASS_PARAMS = {
  classWeights: z
    .enum(['balanced', 'none'])
    .default('none')
    .describe('balanced: rises and falls weigh the same in sum; none: every row weighs the same')
    .register(searchRanges, { choices: ['balanced', 'none'] }),
  smote: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Synthetic training rows (SMOTE) fill the rarer class up to this share of the other; 0: none'),
};
export type TabularClassParams = z.output<z.ZodObject<typeof TABULAR_CLASS_PARAMS>>;

export type TabularParams = z.output<z.ZodObject<typeof TABULAR_PARAMS>>;
