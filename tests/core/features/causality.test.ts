import { expect, it } from 'vitest';
import { catalogue, featureSteps, streamFeatures } from '../../../src/core/features/catalogue.ts';
import { finish } from '../../../src/core/foundation/steps.ts';
import { findLeaks } from '../../../src/core/features/causality.ts';
import { randomCandles } from './random-candles.ts';
import { randomInputs } from './random-inputs.ts';

const names = catalogue.map(({ name }) => name);
const candles = randomCandles(400, 9);
const inputs = randomInputs(candles, '1h', 9);

it('finds no leak in the catalogue', () => {
  const leaks = finish(
    findLeaks(names, candles, {
      timeframe: '1h',
      inputs,
      compute: (seen, known) => featureSteps(names, seen, '1h', known),
      stream: (known) => streamFeatures(names, '1h', known),
      cuts: [1, 100, 399],
    }),
  );
  expect(leaks).toEqual([]);
});

it('finds a feature that reads the next bar, one that is scaled by the whole series, and only these', () => {
  const planted = ['return_1', 'sma_distance_25', 'rsi_14'];
  const leaks = finish(
    findLeaks(planted, candles, {
      timeframe: '1h',
      inputs: {},
      *compute(seen) {
        const { columns } = yield* featureSteps(planted, seen, '1h');
        const known = columns[1].filter((value) => !Number.isNaN(value));
        const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
        return {
          names: planted,
          columns: [
            columns[0].map(
              (_, row) => seen.close[Math.min(row + 1, seen.close.length - 1)] / seen.close[row] - 1,
            ),
            columns[1].map((value) => value - mean),
            columns[2],
          ],
        };
      },
      stream: () => streamFeatures(planted, '1h'),
      cuts: [200],
    }),
  );
  expect(leaks.map(({ feature }) => feature).sort()).toEqual(['return_1', 'sma_distance_25']);
});

it('finds features that read a row at the time it describes, before it is known, and only these', () => {
  const planted = ['vix', 'fear_greed'];
  const leaks = finish(
    findLeaks(planted, candles, {
      timeframe: '1h',
      inputs,
      *compute(seen, known) {
        const early = known.vix && { ...known.vix, known: known.vix.time };
        return yield* featureSteps(planted, seen, '1h', early ? { ...known, vix: early } : known);
      },
      stream: (known) => streamFeatures(planted, '1h', known),
      cuts: [200],
    }),
  );
  expect(leaks.map(({ feature }) => feature)).toEqual(['vix']);
});
