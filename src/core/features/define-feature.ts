import type { z } from 'zod';
import { issueLines } from '../../core/foundation/plain-issues.ts';
import { UserError } from '../foundation/errors.ts';
import type { Candles } from '../market/candles.ts';
import type { Timeframe } from '../market/timeframe.ts';
import { type Column, derive, type Memory } from './columns/plan.ts';
import type { Feature, FeatureUnitName } from './feature.ts';

/** Closed bars in the order of time: columns of `length` values; `time` is when each opened, epoch ms. */
export interface FeatureBlock extends Candles {
  readonly length: number;
}

/** One series' values, block of bars by block of bars. */
export interface FeatureCalculator {
  /**
   * Writes a value for every bar of the block to `out`; what it leaves alone is unknown (`NaN`). Blocks follow
   * each other without a gap and are of any length, of one bar when trading: what the next block needs of this
   * one has to be kept.
   */
  update(block: FeatureBlock, out: Float64Array): void;
}

/** A feature that is not of the catalogue. */
export interface OwnFeature extends Feature {
  readonly kind: 'feature';
  /** What it is computed with; a training run keeps them, and is given the same ever after. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The same feature with others. Throws `UserError` when they do not fit. */
  readonly withParameters: (given: unknown) => OwnFeature;
}

/** What `defineFeature` is given. */
export interface FeatureDefinition<Parameters extends z.ZodObject> {
  /** As settings name it: lower case, digits and underscores. */
  readonly name: string;
  /** The formula in words, with the value taken where it would be undefined. */
  readonly about: string;
  /** Paper, book or convention the formula follows. Default: "your own". */
  readonly source?: string;
  /** Default: `index`, a number without a unit. */
  readonly unit?: FeatureUnitName;
  /** The columns of the candles that it reads. */
  readonly inputs: readonly (keyof Candles)[];
  /** A zod object whose keys have defaults. */
  readonly parameters: Parameters;
  /** Leading bars without a value. */
  readonly warmUpBars: (parameters: z.output<Parameters>, timeframe: Timeframe) => number;
  /**
   * A calculator for one series from its first bar on. `memory(n)` is n numbers, 0 at first, that a stored session
   * brings back after a restart: keep there whatever `update` needs of the bars before.
   */
  readonly create: (of: {
    readonly parameters: z.output<Parameters>;
    readonly timeframe: Timeframe;
    readonly memory: Memory;
  }) => FeatureCalculator;
}

/**
 * A feature of your own, in ten lines: columns of closed bars in, a value a bar out.
 *
 * ```ts
 * export default defineFeature({
 *   name: 'smooth_range',
 *   about: 'exponential mean of (high - low) / close',
 *   inputs: ['high', 'low', 'close'],
 *   parameters: z.object({ weight: z.number().gt(0).max(1).default(0.1) }),
 *   warmUpBars: () => 0,
 *   create: ({ parameters: { weight }, memory }) => {
 *     const state = memory(1);
 *     return {
 *       update: ({ length, high, low, close }, out) => {
 *         for (let i = 0; i < length; i++)
 *           out[i] = state[0] += weight * ((high[i] - low[i]) / close[i] - state[0]);
 *       },
 *     };
 *   },
 * });
 * ```
 *
 * `update` is never given a bar that has not closed, so it cannot look ahead, and `findLeaks` proves that history
 * and live bars agree to the bit. `given` are parameters from settings (`ownFeatures.<name>`). Throws `UserError` for a bad name or bad
 * parameters.
 */
export function defineFeature<Parameters extends z.ZodObject>(
  definition: FeatureDefinition<Parameters>,
  given: unknown = {},
): OwnFeature {
  const { name, about, source = 'your own', unit = 'index', inputs, create, warmUpBars } = definition;
  if (!/^[a-z][a-z0-9_]*$/.test(name))
    throw new UserError(`A feature cannot be named "${name}".`, {
      hint: 'Use lower-case letters, digits and underscores, beginning with a letter: "my_feature_20".',
    });
  const parsed = definition.parameters.safeParse(given);
  if (!parsed.success)
    throw new UserError(`The parameters of the feature "${name}" do not fit.`, {
      hint: `${issueLines(parsed.error).join('; ')}\nCorrect ownFeatures.${name} in config.yaml.`,
    });
  const parameters = parsed.data;
  return {
    kind: 'feature',
    parameters,
    withParameters: (others) => defineFeature(definition, others),
    name,
    group: 'own',
    about,
    source,
    unit,
    inputs,
    needs: [],
    warmUpBars: (timeframe) => warmUpBars(parameters, timeframe),
    column: (of) => {
      const { time, open, high, low, close, volume, timeframe } = of;
      const key = `${name} ${JSON.stringify(parameters)}`;
      return derive(key, [time, open, high, low, close, volume], (out, memory) => {
        const calculator = create({ parameters, timeframe, memory });
        return (rows) => {
          // Copies: a calculator that writes to its inputs harms nobody else.
          const copy = ({ data, at }: Column): Float64Array => data.slice(at, at + rows);
          const block = {
            length: rows,
            time: copy(time),
            open: copy(open),
            high: copy(high),
            low: copy(low),
            close: copy(close),
            volume: copy(volume),
          };
          calculator.update(block, out.data.subarray(out.at, out.at + rows).fill(NaN));
        };
      });
    },
  };
}
