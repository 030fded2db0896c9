import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  defineFeature,
  type FeatureCalculator,
  type FeatureDefinition,
  type OwnFeature,
} from '../../src/core/features/define-feature.ts';
import { checkFeature, FEATURE_LAWS } from '../../src/lab/contracts/check-feature.ts';

const laws = Object.keys(FEATURE_LAWS);
const parameters = z.strictObject({ weight: z.number().default(0.1) });
type Definition = FeatureDefinition<typeof parameters>;

const smoothRange: Definition = {
  name: 'smooth_range',
  about: 'exponential mean of (high - low) / close',
  inputs: ['high', 'low', 'close'],
  parameters,
  warmUpBars: () => 0,
  create: ({ parameters: { weight }, memory }) => {
    const state = memory(1);
    return {
      update: ({ length, high, low, close }, out) => {
        for (let i = 0; i < length; i++)
          out[i] = state[0] += weight * ((high[i] - low[i]) / close[i] - state[0]);
      },
    };
  },
};

const feature = (change: Partial<Definition>): OwnFeature => defineFeature({ ...smoothRange, ...change });
/** Writes what `value` says of each row of a block. */
const writing = (update: FeatureCalculator['update']): Partial<Definition> => ({
  create: () => ({ update }),
});

it.each(laws)('a sound one: %s', async (law) => FEATURE_LAWS[law](feature({})));

describe('a feature that breaks a law is caught', () => {
  let shared = 0;
  const violations: readonly (readonly [string, OwnFeature])[] = [
    [
      'has defaults for all parameters, and they survive JSON',
      { ...feature({}), withParameters: () => defineFeature(smoothRange, { weight: 0.5 }) },
    ],
    [
      'never looks ahead: history and live bars agree to the bit',
      // Inside a block of history the next bar is there; live it is not.
      feature(
        writing(({ length, close }, out) =>
          out.forEach((_, i) => (out[i] = close[Math.min(i + 1, length - 1)])),
        ),
      ),
    ],
    [
      'never looks ahead: history and live bars agree to the bit',
      feature(writing(({ length, close }, out) => out.fill(Math.max(...close.subarray(0, length))))),
    ],
    ['gives the same bits in blocks of any length', feature(writing(({ length }, out) => out.fill(length)))],
    [
      'gives the same bits again, whatever was computed in between',
      feature(writing(({ close }, out) => out.forEach((_, i) => (out[i] = shared += close[i])))),
    ],
    [
      'resumes from its stored state to the same bits',
      feature({
        create: () => {
          let mean = 0;
          return {
            update: ({ length, close }, out) => {
              for (let i = 0; i < length; i++) out[i] = mean += 0.1 * (close[i] - mean);
            },
          };
        },
      }),
    ],
    ['has no value in its warm-up, and finite ones from there on', feature({ warmUpBars: () => 5 })],
    [
      'has no value in its warm-up, and finite ones from there on',
      feature(
        writing(({ close, open }, out) => out.forEach((_, i) => (out[i] = Math.log(close[i] - open[i])))),
      ),
    ],
    [
      'reads no column of the candles that it does not name in `inputs`',
      feature({ inputs: ['high', 'low'] }),
    ],
    [
      'takes no longer for a bar when more bars came before it, and less than a millisecond',
      feature({
        create: () => {
          const seen: number[] = [];
          return {
            update: ({ close }, out) => {
              close.forEach((price, i) => {
                seen.push(price);
                // Everything so far, added up anew for every bar, and more than once.
                out[i] = 0;
                for (let again = 0; again < 6; again++)
                  out[i] += seen.reduce((sum, one) => sum + one, 0) / seen.length;
              });
            },
          };
        },
      }),
    ],
  ];

  it.each(violations)('%s', async (law, broken) => {
    await expect(FEATURE_LAWS[law](broken)).rejects.toThrow();
  });

  it('has a violation for every law', () => {
    expect([...new Set(violations.map(([law]) => law))]).toEqual(laws);
  });

  it('by name', async () => {
    const broken: string[] = [];
    for await (const verdict of checkFeature(feature({ inputs: ['high', 'low'] })))
      if (verdict.kind === 'broken') broken.push(verdict.law);
    expect(broken).toEqual(['reads no column of the candles that it does not name in `inputs`']);
  });
});
