import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstFault } from '../../src/data/candle-faults.ts';
import { syntheticCandles } from '../../src/data/synthetic/generate.ts';
import { openSynthetic } from '../../src/data/synthetic/source.ts';
import { type Candles, candlesBetween } from '../../src/core/market/candles.ts';
import { findGaps } from '../../src/core/market/gaps.ts';

const DAY = 86_400_000;
const SINCE = Date.UTC(2022, 0, 1);
const UNTIL = Date.UTC(2025, 0, 1);
const make = (request: Partial<Parameters<typeof syntheticCandles>[0]> = {}): Candles =>
  syntheticCandles({
    symbol: 'BTC/USDT',
    timeframe: '1h',
    sinceMs: SINCE,
    untilMs: UNTIL,
    seed: 42,
    ...request,
  });

const logReturns = ({ close }: Candles): Float64Array =>
  close.slice(1).map((price, i) => Math.log(price / close[i]));
const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
function moment(values: Float64Array, power: number): number {
  const centre = mean(values);
  return mean(values.map((value) => (value - centre) ** power));
}
function correlation(a: Float64Array, b: Float64Array): number {
  const [ma, mb] = [mean(a), mean(b)];
  return mean(a.map((value, i) => (value - ma) * (b[i] - mb))) / Math.sqrt(moment(a, 2) * moment(b, 2));
}

describe('synthetic candles', () => {
  const candles = make();

  test('are possible bars without a gap', () => {
    expect(candles.time.length).toBe((UNTIL - SINCE) / 3_600_000);
    expect(firstFault(candles, '1h')).toBeUndefined();
    expect(findGaps(candles.time, '1h')).toEqual([]);
  });

  test('are the same bars whatever range is asked for', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(100), fc.nat(23), (day, days, hour) => {
        const sinceMs = SINCE + day * DAY + hour * 3_600_000;
        const untilMs = Math.min(UNTIL, sinceMs + days * DAY);
        expect({ ...make({ sinceMs, untilMs }) }).toEqual({ ...candlesBetween(candles, sinceMs, untilMs) });
      }),
      { numRuns: 10 },
    );
  });

  test('are none before the first that there is', () => {
    const years = { sinceMs: Date.UTC(2004, 0, 1), untilMs: Date.UTC(2004, 1, 1) };
    expect(make(years).time).toHaveLength(0);
    expect(make({ ...years, untilMs: Date.UTC(2017, 0, 2) }).time[0]).toBe(Date.UTC(2017, 0, 1));
  });

  test('are the same for the same seed and differ for another', () => {
    expect({ ...make() }).toEqual({ ...candles });
    expect(make({ seed: 43 }).close).not.toEqual(candles.close);
  });

  test('open and close each day at the same price in every timeframe', () => {
    const daily = make({ timeframe: '1d' });
    const perDay = candles.open.filter((_, row) => row % 24 === 0);
    for (const [day, open] of daily.open.entries()) expect(perDay[day]).toBeCloseTo(open, 8);
  });

  test('have fat tails: a kurtosis above the 3 of the normal distribution', () => {
    const returns = logReturns(make({ timeframe: '1d', sinceMs: Date.UTC(2017, 0, 1) }));
    expect(moment(returns, 4) / moment(returns, 2) ** 2).toBeGreaterThan(4);
  });

  test('cluster in volatility: the size of a move says something about the next', () => {
    const sizes = logReturns(candles).map(Math.abs);
    expect(correlation(sizes.slice(0, -24), sizes.slice(24))).toBeGreaterThan(0.05);
  });

  test('move together across pairs, but not as one', () => {
    const [a, b] = [
      logReturns(make({ timeframe: '1d' })),
      logReturns(make({ timeframe: '1d', symbol: 'ETH/USDT' })),
    ];
    expect(correlation(a, b)).toBeGreaterThan(0.3);
    expect(correlation(a, b)).toBeLessThan(0.95);
  });
});

test('makes a year of minutes in short pages, and lets others have their turn between them', async () => {
  const [sinceMs, untilMs] = [Date.UTC(2024, 0, 1, 0, 30), Date.UTC(2025, 0, 1)];
  const controller = new AbortController();
  setImmediate(() => controller.abort(new Error('stopped')));
  let [rows, pages] = [0, 0];
  await expect(async () => {
    const request = { symbol: 'BTC/USDT', timeframe: '1m', sinceMs, untilMs } as const;
    for await (const { candles } of openSynthetic({ seed: 1 }).pages({
      ...request,
      signal: controller.signal,
    })) {
      pages++;
      rows = candles.time.length;
    }
  }).rejects.toThrow('stopped');
  expect(pages).toBe(1);
  expect(rows).toBe(6 * 1_440);
});
