import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { alignColumn, alignMarket } from '../../../src/core/trading/align.ts';
import { type Candles, emptyCandles } from '../../../src/core/market/candles.ts';

const HOUR_MS = 3_600_000;

/** Bars at these hours; every price is 100 times the hour. */
function candlesAt(...hours: readonly number[]): Candles {
  const candles = emptyCandles(hours.length);
  hours.forEach((hour, row) => {
    candles.time[row] = hour * HOUR_MS;
    for (const column of ['open', 'high', 'low', 'close'] as const) candles[column][row] = 100 * hour;
    candles.volume[row] = hour;
  });
  return candles;
}

describe('series on a common clock', () => {
  const market = alignMarket([candlesAt(1, 2, 4), candlesAt(2, 3, 4)], '1h');

  test('its times are the union of theirs', () => {
    expect(Array.from(market.time, (ms) => ms / HOUR_MS)).toEqual([1, 2, 3, 4]);
    expect(market.barMs).toBe(HOUR_MS);
  });

  test('a symbol that lacks a bar has no price there', () => {
    expect(Array.from(market.candles[0].close)).toEqual([100, 200, NaN, 400]);
    expect(Array.from(market.candles[1].open)).toEqual([NaN, 200, 300, 400]);
    expect(market.candles[0].time).toBe(market.time);
  });

  test('columns beside the candles go to the same rows', () => {
    expect(Array.from(alignColumn(market, 0, Float64Array.of(7, 8, 9)))).toEqual([7, 8, NaN, 9]);
  });

  test('series that share their times are used without a copy', () => {
    const same = candlesAt(1, 2, 3);
    expect(alignMarket([same, candlesAt(1, 2, 3)], '1h').candles[0].close).toBe(same.close);
  });

  test('every bar arrives once, at its time', () => {
    const hours = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(hours, { minLength: 1, maxLength: 4 }), (all) => {
        const series = all.map((own) => candlesAt(...own.toSorted((a, b) => a - b)));
        const aligned = alignMarket(series, '1h');
        series.forEach((own, s) => {
          const present = Array.from(aligned.candles[s].close, (close, row) => [
            aligned.time[row],
            close,
          ]).filter(([, close]) => !Number.isNaN(close));
          expect(present).toEqual(Array.from(own.close, (close, row) => [own.time[row], close]));
        });
      }),
    );
  });
});
