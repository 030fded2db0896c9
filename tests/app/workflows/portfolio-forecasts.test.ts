import { describe, expect, it } from 'vitest';
import {
  expectedWithForecasts,
  forecastAt,
  type ForecastSeries,
} from '../../../src/app/workflows/portfolio-forecasts.ts';

const DAY = 86_400_000;
const BARS = 40;

/** A model that is right about every other day's sign and size, over two days. */
function series(change: (row: number) => number = () => 0): ForecastSeries {
  const said = Float64Array.from({ length: BARS }, (_, k) => (k % 2 === 0 ? 0.02 : -0.02) + change(k));
  return {
    symbol: 'BTC/USDT',
    runId: 'days',
    model: 'ridge',
    horizonBars: 2,
    time: Float64Array.from({ length: BARS }, (_, k) => k * DAY),
    forecast: said,
    realised: Float64Array.from({ length: BARS }, (_, k) => (k < BARS - 3 ? said[k] : NaN)),
    barMs: DAY,
  };
}

describe('forecasts of a portfolio', () => {
  it('count what had come of them by then: a return over two days ends at the open of the third bar after', () => {
    const record = forecastAt(series(), 10 * DAY)?.record;
    // Row 7 was filled at the open of bar 8 and ended at the open of bar 10, which is past when bar 10 closes.
    expect(record?.forecast.length).toBe(8);
    expect(record?.latest).toBe(0.02);
  });

  it('of an earlier bar do not change with anything that came later', () => {
    const later = (row: number): number => (row > 10 ? 1 : 0);
    expect(forecastAt(series(later), 10 * DAY)).toEqual(forecastAt(series(), 10 * DAY));
    expect(forecastAt(series(later), 20 * DAY)).not.toEqual(forecastAt(series(), 20 * DAY));
  });

  it('say nothing of bars that the series does not have, or has no opinion of', () => {
    const own = series((row) => (row === 12 ? NaN : 0));
    expect(forecastAt(own, -DAY)).toBeUndefined();
    expect(forecastAt(own, 12 * DAY)).toBeUndefined();
    expect(forecastAt(own, 41 * DAY)).toBeUndefined();
  });

  it('with a record of being right move the expected return all the way, others keep what the window says', () => {
    const flat = [Float64Array.from({ length: 30 }, (_, k) => (k % 2 === 0 ? 0.01 : -0.01))];
    const returns = [flat[0], flat[0].map((value) => -value)];
    const known = forecastAt(series(), 30 * DAY);
    const [moved, kept] = expectedWithForecasts(
      returns,
      ['BTC/USDT', 'ETH/USDT'],
      known === undefined ? [] : [known],
    );
    // 2 % over two bars, and a mean of zero.
    expect(moved).toBeCloseTo(0.01, 10);
    expect(kept).toBeCloseTo(0, 10);
  });
});
