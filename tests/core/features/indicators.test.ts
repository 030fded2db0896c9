import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Atr, Macd, Rsi, TrueRange } from '../../../src/core/features/kernels/indicators.ts';
import { RollingMean, RollingMoments } from '../../../src/core/features/kernels/rolling.ts';
import { Ema } from '../../../src/core/features/kernels/smoothing.ts';

const golden = new URL('../../../../shared/golden/indicators/', import.meta.url);
const Rows = z.array(z.record(z.string(), z.unknown()));

describe.skipIf(!existsSync(golden))(
  'indicator kernels against Stock.Indicators on 502 daily bars (skipped where ../shared is absent)',
  () => {
    // Collected even when skipped: without the files there is nothing to read.
    const read = (name: string): string =>
      existsSync(golden) ? readFileSync(new URL(name, golden), 'utf8') : '';
    const quotes = read('quotes.csv')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',').slice(1).map(Number))
      .map(([open, high, low, close, volume]) => ({ time: 0, open, high, low, close, volume }));

    /** Every expected value, `null` meaning none yet, within `1e-9`. */
    function compare(file: string, key: string, values: readonly number[]): void {
      const rows = Rows.parse(JSON.parse(read(`${file}.json`)));
      expect(rows.length).toBe(values.length);
      for (const [i, row] of rows.entries()) {
        const expected = row[key];
        if (typeof expected === 'number')
          expect(Math.abs(values[i] - expected), `${key} ${i}`).toBeLessThan(1e-9);
        else expect(values[i], `${key} ${i}`).toBeNaN();
      }
    }

    it('simple mean of 20', () => {
      const mean = new RollingMean(20);
      compare(
        'sma',
        'sma',
        quotes.map(({ close }) => mean.push(close)),
      );
    });

    it('exponential mean of 20', () => {
      const mean = new Ema(20);
      compare(
        'ema',
        'ema',
        quotes.map(({ close }) => mean.push(close)),
      );
    });

    it('RSI of 14', () => {
      const rsi = new Rsi(14);
      compare(
        'rsi',
        'rsi',
        quotes.map(({ close }) => rsi.push(close)),
      );
    });

    it('true range and ATR of 14', () => {
      const [range, atr] = [new TrueRange(), new Atr(14)];
      compare(
        'atr',
        'tr',
        quotes.map((bar) => range.push(bar)),
      );
      compare(
        'atr',
        'atr',
        quotes.map((bar) => atr.push(bar)),
      );
    });

    it('MACD (12, 26, 9)', () => {
      const macd = new Macd(12, 26, 9);
      const rows = quotes.map(({ close }) => {
        macd.push(close);
        return { line: macd.line, signal: macd.signal, histogram: macd.histogram };
      });
      compare(
        'macd',
        'macd',
        rows.map(({ line }) => line),
      );
      compare(
        'macd',
        'signal',
        rows.map(({ signal }) => signal),
      );
      compare(
        'macd',
        'histogram',
        rows.map(({ histogram }) => histogram),
      );
    });

    it('Bollinger bands (20, 2)', () => {
      const window = new RollingMoments(20);
      const rows = quotes.map(({ close }) => {
        window.push(close);
        return { mean: window.mean, deviation: window.populationDeviation };
      });
      compare(
        'bb',
        'upperBand',
        rows.map(({ mean, deviation }) => mean + 2 * deviation),
      );
      compare(
        'bb',
        'lowerBand',
        rows.map(({ mean, deviation }) => mean - 2 * deviation),
      );
    });
  },
);
