import { expect, it } from 'vitest';
import { selectFeatures } from '../../../src/core/dataset/panel.ts';
import { catalogue, computeFeatures } from '../../../src/core/features/catalogue.ts';
import { lateFeatures } from '../../../src/core/features/late-features.ts';
import { randomCandles } from './random-candles.ts';

const candles = randomCandles(500, 1, '4h');
const names = ['return_1', 'rsi_14', 'sma_distance_25', 'atr_14', 'volatility_20'];
const { columns } = computeFeatures(names, candles, '4h');

it('gives the columns of a table that was worked out at once, some or all, in any order', () => {
  const of = { candles, timeframe: '4h', inputs: {}, known: catalogue } as const;
  for (const valuesAtOnce of [1, 1000, 1200, 1e9]) {
    const late = lateFeatures(names, new Set(['atr_14']), of, valuesAtOnce);
    expect(late.names).toEqual(names);
    expect([...late.columns]).toEqual(
      columns.map((column, i) => (i === 3 ? Float32Array.from(column) : column)),
    );
    const some = late.pick?.(['volatility_20', 'return_1']);
    expect(some?.names).toEqual(['volatility_20', 'return_1']);
    expect([...(some?.columns ?? [])]).toEqual([columns[4], columns[0]]);
    const panel = { timeframe: '4h', series: [{ symbol: 'BTC/USDT', candles, features: late }] } as const;
    const [{ features }] = selectFeatures(panel, ['rsi_14']).series;
    expect(features.columns[0]).toEqual(columns[1]);
    expect(features.pick).toBeDefined();
  }
});

it('holds a few neighbours at a time: one that is read again behind others is worked out again', () => {
  let asked = 0;
  const counted = catalogue.map((feature) => ({
    ...feature,
    column: (...of: Parameters<typeof feature.column>) => {
      asked++;
      return feature.column(...of);
    },
  }));
  const of = { candles, timeframe: '4h', inputs: {}, known: counted } as const;
  const late = lateFeatures(names, new Set(), of, 1000);
  const read = (i: number): number => late.columns[i].length;
  read(0);
  read(1);
  read(0);
  expect(asked).toBe(2);
  read(2);
  expect(asked).toBe(4);
  read(0);
  expect(asked).toBe(6);
});
