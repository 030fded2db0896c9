import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forwardReturns, labelEndMs, labelledRows } from '../../../src/core/dataset/labels.ts';
import { sliceCandles } from '../../../src/core/market/candles.ts';
import { candlesOf, HOUR } from './series.ts';

describe('forward returns', () => {
  it('run from the next open to the open after the horizon', () => {
    const candles = candlesOf([100, 110, 121, 60.5, 121]);
    expect([...forwardReturns(candles, '1h', 1)]).toEqual([121 / 110 - 1, -0.5, 1, NaN, NaN]);
    expect([...forwardReturns(candles, '1h', 2)]).toEqual([60.5 / 110 - 1, 0, NaN, NaN, NaN]);
  });

  it('are unknown across a missing bar', () => {
    const candles = candlesOf([100, 110, 121, 100, 50], [0, 1, 2, 4, 5]);
    expect([...forwardReturns(candles, '1h', 1)]).toEqual([121 / 110 - 1, NaN, NaN, NaN, NaN]);
  });

  it('do not depend on bars after the one at which they end', () => {
    const prices = fc.array(fc.double({ min: 1, max: 1000, noNaN: true }), { minLength: 4, maxLength: 30 });
    fc.assert(
      fc.property(prices, fc.integer({ min: 1, max: 5 }), fc.nat(), (opens, horizon, cutAt) => {
        const candles = candlesOf(opens);
        const cut = cutAt % opens.length;
        const full = forwardReturns(candles, '1h', horizon);
        const seen = forwardReturns(sliceCandles(candles, 0, cut), '1h', horizon);
        const known = Math.max(0, cut - horizon - 1);
        expect(seen.subarray(0, known)).toEqual(full.subarray(0, known));
        expect(seen.subarray(known).every(Number.isNaN)).toBe(true);
      }),
    );
  });
});

describe('rows to train on', () => {
  const candles = candlesOf([1, 2, 3, 4, 5, 6, 7, 8]);
  const labels = forwardReturns(candles, '1h', 2);

  it('are purged: no label ends after the end of training', () => {
    const range = { timeframe: '1h', horizonBars: 2, fromMs: HOUR, untilMs: 6 * HOUR } as const;
    // The label of row 3 is known at the open of bar 6; that of row 4 an hour too late.
    expect([...labelledRows(candles, labels, range)]).toEqual([1, 2, 3]);
    expect(labelEndMs(3 * HOUR, '1h', 2)).toBe(6 * HOUR);
  });

  it('leave out bars without a label', () => {
    const range = { timeframe: '1h', horizonBars: 2, fromMs: 0, untilMs: Infinity } as const;
    expect([...labelledRows(candles, labels, range)]).toEqual([0, 1, 2, 3, 4]);
  });
});
