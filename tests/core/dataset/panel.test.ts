import { describe, expect, it } from 'vitest';
import { panelUntil, selectFeatures } from '../../../src/core/dataset/panel.ts';
import { candlesOf, HOUR } from './series.ts';

describe('a panel', () => {
  const features = { names: ['a', 'b'], columns: [Float64Array.of(1, 2, 3), Float64Array.of(4, 5, 6)] };
  const panel = {
    timeframe: '1h',
    series: [{ symbol: 'BTC/USDT', candles: candlesOf([1, 2, 3]), features }],
  } as const;

  it('cut at a time holds the bars that opened before it', () => {
    const [series] = panelUntil(panel, 2 * HOUR).series;
    expect([...series.candles.open]).toEqual([1, 2]);
    expect(series.features.columns.map((column) => [...column])).toEqual([[1, 2], [4, 5]]); // prettier-ignore
  });

  it('gives a model the features that it asked for, in its order', () => {
    const [series] = selectFeatures(panel, ['b', 'a']).series;
    expect(series.features.columns.map((column) => column[0])).toEqual([4, 1]);
    expect(() => selectFeatures(panel, ['c'])).toThrow(/without feature "c"/);
  });
});
