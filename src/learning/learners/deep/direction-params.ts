import { z } from 'zod';
import { searchRanges } from '../../../core/forecast/search-range.ts';
import { classParams } from './class-params.ts';
import { trainingParams } from './params.ts';

/** Hyper-parameters of a network that forecasts the direction: long or short once the odds leave the middle. */
export const directionParams = {
  ...trainingParams,
  ...classParams,
  hidden: z
    .int()
    .min(1)
    .default(64)
    .describe('Units of each layer')
    .register(searchRanges, { low: 8, high: 128, log: true }),
  layers: z
    .int()
    .min(1)
    .default(2)
    .describe('Layers one above the other')
    .register(searchRanges, { low: 1, high: 3 }),
  horizonBars: z
    .int()
    .min(1)
    .default(4)
    .describe('Bars over which the direction is forecast')
    .register(searchRanges, { low: 1, high: 48, log: true }),
  buyAbove: z.number().min(0.5).max(1).default(0.53).describe('Long above this probability of a rise'),
  sellBelow: z.number().min(0).max(0.5).default(0.47).describe('Short below it'),
  minimumConfidence: z.number().min(0).max(1).default(0.5).describe('Least probability for a long position'),
};

/** What `train --mode quick` changes: a shorter window, a smaller network, and a few thousand windows an epoch. */
export const quickDirection = {
  lookBack: 48,
  hidden: 24,
  layers: 1,
  epochs: 3,
  windowsPerEpoch: 4096,
  validationWindows: 2048,
};
