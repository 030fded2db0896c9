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

export type TabularParams = z.output<z.ZodObject<typeof TABULAR_PARAMS>>;
