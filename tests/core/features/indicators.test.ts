import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { catalogue, computeFeatures } from '../../../src/core/features/catalogue.ts';
import { minus, plus, scaled } from '../../../src/core/features/columns/arithmetic.ts';
import { atr, macd, rsi, trueRange } from '../../../src/core/features/columns/indicators.ts';
import type { Column } from '../../../src/core/features/columns/plan.ts';
import { ema } from '../../../src/core/features/columns/smoothing.ts';
import { mean, moments, populationDeviation } from '../../../src/core/features/columns/windows.ts';
import type { Feature } from '../../../src/core/features/feature.ts';
import { emptyCandles } from '../../../src/core/market/candles.ts';

const golden = new URL('../../golden/indicators/', import.meta.url);
const Published = z.record(z.string(), z.array(z.number().nullable()));

describe('indicators against Stock.Indicators on 502 daily bars', () => {
  const read = (name: string): string => readFileSync(new URL(name, golden), 'utf8');
  const quotes = read('quotes.csv')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').slice(1).map(Number))
    .map(([open, high, low, close, volume]) => ({ time: 0, open, high, low, close, volume }));

  const published = Published.parse(JSON.parse(read('indicators.json')));
  /** Every expected value, `null` meaning none yet, within `1e-9`. */
  function compare(key: string, values: ArrayLike<number>): void {
    const column = published[key];
    expect(column.length).toBe(values.length);
    for (const [i, expected] of column.entries()) {
      if (typeof expected === 'number')
        expect(Math.abs(values[i] - expected), `${key} ${i}`).toBeLessThan(1e-9);
      else expect(values[i], `${key} ${i}`).toBeNaN();
    }
  }

  const candles = emptyCandles(quotes.length);
  for (const name of ['open', 'high', 'low', 'close', 'volume'] as const)
    candles[name].set(quotes.map((quote) => quote[name]));
  /** A column planned by hand, over all quotes. */
  const values = (column: Feature['column']): Float64Array =>
    computeFeatures(['column'], candles, '1d', {}, [{ ...catalogue[0], name: 'column', column }]).columns[0];

  it.each<[title: string, key: string, column: Feature['column']]>([
    ['simple mean of 20', 'sma', ({ close }) => mean(close, 20)],
    ['exponential mean of 20', 'ema', ({ close }) => ema(close, 20)],
    ['RSI of 14', 'rsi', ({ close }) => rsi(close, 14)],
    ['true range', 'tr', trueRange],
    ['ATR of 14', 'atr', (of) => atr(of, 14)],
    ['MACD (12, 26, 9)', 'macd', ({ close }) => macd(close, SPANS).line],
    ['MACD signal', 'signal', ({ close }) => macd(close, SPANS).signal],
    ['MACD histogram', 'histogram', ({ close }) => minus(macd(close, SPANS).line, macd(close, SPANS).signal)],
    ['upper Bollinger band (20, 2)', 'upperBand', ({ close }) => band(close, 2)],
    ['lower Bollinger band (20, 2)', 'lowerBand', ({ close }) => band(close, -2)],
  ])('%s', (_, key, column) => compare(key, values(column)));
});

const SPANS = { fast: 12, slow: 26, signal: 9 };
const band = (close: Column, width: number): Column =>
  plus(moments(close, 20).mean, scaled(populationDeviation(close, 20), width));
