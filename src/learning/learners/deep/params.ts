import { z } from 'zod';
import { searchRanges } from '../../../core/forecast/search-range.ts';
import { augmentParams } from './augment.ts';
import type { ClassParams } from './class-params.ts';
import { continualParams } from './continual-params.ts';
import { rateParams } from './rate-params.ts';

/** The volatility by which returns are divided before a network sees them; always the first input. */
export const VOLATILITY = 'ewma_volatility_97';

/** The bar itself in five numbers, then where the price stands, how it has moved, and how much is traded. */
const DEFAULT_FEATURES = [
  'open_gap',
  'bar_return',
  'high_low_range',
  'close_location',
  'volume_change_1',
  'momentum_score_10',
  'price_score_50',
  'rsi_14',
  'macd_histogram',
  'volatility_ratio_5_20',
  'volume_score_20',
  'log_return_1',
];

/** Hyper-parameters that every deep model has, with the defaults most of them share. */
export const trainingParams = {
  features: z
    .array(z.string())
    .min(1)
    .default(DEFAULT_FEATURES)
    .describe('Inputs from the feature catalogue, after the volatility that is always one'),
  lookBack: z
    .int()
    .min(2)
    .default(168)
    .describe('Bars in the input window')
    .register(searchRanges, { low: 12, high: 336, log: true }),
  batchSize: z
    .int()
    .min(1)
    .default(64)
    .describe('Windows in one optimiser step')
    .register(searchRanges, { low: 16, high: 256, log: true }),
  epochs: z.int().min(1).default(50).describe('Most passes over the training windows'),
  windowsPerEpoch: z
    .int()
    .min(1)
    .optional()
    .describe('Windows drawn for one epoch; all of them when left out'),
  validationWindows: z.int().min(1).default(4096).describe('Most windows, evenly spread, to validate on'),
  patience: z.int().min(1).default(5).describe('Epochs without a better validation loss before stopping'),
  learningRate: z
    .number()
    .positive()
    .default(1e-3)
    .describe('Highest learning rate; what becomes of it, schedule says')
    .register(searchRanges, { low: 1e-5, high: 1e-2, log: true }),
  ...rateParams,
  weightDecay: z
    .number()
    .min(0)
    .default(0.01)
    .describe('Of AdamW')
    .register(searchRanges, { low: 1e-4, high: 0.3, log: true }),
  clipNorm: z.number().positive().default(1).describe('Largest global norm of the gradient'),
  accumulate: z
    .int()
    .min(1)
    .default(1)
    .describe('Parts of a batch, one after the other, whose gradients make one step: less memory'),
  workers: z
    .int()
    .min(1)
    .optional()
    .describe('Threads that share each step; left out: all cores for a large network, one for a small'),
  dropout: z
    .number()
    .min(0)
    .max(0.9)
    .default(0.1)
    .describe('Share of activations left out in training')
    .register(searchRanges, { low: 0, high: 0.6 }),
  ...augmentParams,
  ...continualParams,
};

/** `trainingParams`, parsed, and `classParams` of a model that forecasts a class. */
export type DeepParams = z.output<z.ZodObject<typeof trainingParams, z.core.$strict>> & ClassParams;

/** Feature columns of a model's panel, in the order of the network's inputs. */
export const networkInputs = ({ features }: Pick<DeepParams, 'features'>): readonly string[] => [
  VOLATILITY,
  ...features.filter((name) => name !== VOLATILITY),
];
