import { expect, it } from 'vitest';
import { z } from 'zod';
import {
  catalogue,
  computeFeatures,
  featureSteps,
  streamFeatures,
  warmUpBars,
} from '../../../src/core/features/catalogue.ts';
import { finish } from '../../../src/core/foundation/steps.ts';
import { findLeaks } from '../../../src/core/features/causality.ts';
import { defineFeature, type FeatureDefinition } from '../../../src/core/features/define-feature.ts';
import { sliceCandles } from '../../../src/core/market/candles.ts';
import { randomCandles } from './random-candles.ts';

const Parameters = z.object({ weight: z.number().gt(0).max(1).default(0.5) });

/** The example of the documentation. */
const smoothRange: FeatureDefinition<typeof Parameters> = {
  name: 'smooth_range',
  about: 'exponential mean of (high - low) / close',
  inputs: ['high', 'low', 'close'],
  parameters: Parameters,
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
const candles = randomCandles(400, 3);

it("computes a user's feature beside the catalogue's", () => {
  const known = [...catalogue, defineFeature(smoothRange)];
  const { columns } = computeFeatures(['smooth_range', 'rsi_14'], candles, '1h', {}, known);
  let expected = 0;
  for (let row = 0; row < 400; row++) {
    const range = (candles.high[row] - candles.low[row]) / candles.close[row];
    expected += 0.5 * (range - expected);
    expect(columns[0][row]).toBe(expected);
  }
  expect(columns[1]).toEqual(computeFeatures(['rsi_14'], candles, '1h').columns[0]);
  expect(warmUpBars(['smooth_range'], '1h', known)).toBe(0);
});

it('takes parameters from settings, and says which do not fit', () => {
  const known = [defineFeature(smoothRange, { weight: 1 })];
  const [column] = computeFeatures(['smooth_range'], candles, '1h', {}, known).columns;
  expect(column[7]).toBeCloseTo((candles.high[7] - candles.low[7]) / candles.close[7], 14);
  const wrong = (): unknown => defineFeature(smoothRange, { weight: 2 });
  expect(wrong).toThrow('The parameters of the feature "smooth_range" do not fit.');
  expect(wrong).toThrow(expect.objectContaining({ hint: expect.stringContaining('weight') as string }));
  expect(() => defineFeature({ ...smoothRange, name: 'Smooth Range' })).toThrow(
    'A feature cannot be named "Smooth Range".',
  );
});

it("resumes a user's feature from its memory", () => {
  const known = [defineFeature(smoothRange)];
  const [whole] = computeFeatures(['smooth_range'], candles, '1h', {}, known).columns;
  const before = streamFeatures(['smooth_range'], '1h', {}, known);
  before.append(sliceCandles(candles, 0, 123));
  const after = streamFeatures(['smooth_range'], '1h', {}, known);
  after.restore(before.state() ?? new Float64Array(0));
  expect(after.append(sliceCandles(candles, 123, 400)).columns[0]).toEqual(whole.subarray(123));
});

it('leaves unknown what a feature does not write, and other features what it writes to its inputs', () => {
  const known = [
    ...catalogue,
    defineFeature({
      ...smoothRange,
      name: 'vandal',
      create: () => ({
        update: ({ close }) => {
          close.fill(0);
        },
      }),
    }),
  ];
  const { columns } = computeFeatures(['vandal', 'return_1'], candles, '1h', {}, known);
  expect(columns[0].every(Number.isNaN)).toBe(true);
  expect(columns[1]).toEqual(computeFeatures(['return_1'], candles, '1h').columns[0]);
});

it('is found out when it looks ahead in its block', () => {
  const known = [
    defineFeature({
      ...smoothRange,
      name: 'prophet',
      create: () => ({
        update: ({ length, close }, out) => {
          for (let i = 0; i < length; i++) out[i] = close[Math.min(i + 1, length - 1)];
        },
      }),
    }),
    defineFeature(smoothRange),
  ];
  const names = known.map(({ name }) => name);
  const search = findLeaks(names, candles, {
    timeframe: '1h',
    inputs: {},
    compute: (seen, inputs) => featureSteps(names, seen, '1h', inputs, known),
    stream: (inputs) => streamFeatures(names, '1h', inputs, known),
    cuts: [200],
  });
  const leaks = finish(search);
  expect(leaks.map(({ feature }) => feature)).toEqual(['prophet']);
});
