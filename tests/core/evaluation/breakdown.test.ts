import { describe, expect, test } from 'vitest';
import { breakDown, regimesOf } from '../../../src/core/evaluation/breakdown.ts';
import type { Trade } from '../../../src/core/trading/events.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const trade = (symbol: Trade['symbol'], side: Trade['side'], profitQuote: number): Trade => ({
  kind: 'trade',
  symbol,
  side,
  entryTime: 0,
  exitTime: HOUR_MS,
  barsHeld: 1,
  entryPrice: 100,
  exitPrice: 101,
  baseAmount: 1,
  feeQuote: 0,
  profitQuote,
  profitPct: profitQuote / 100,
  exit: 'target',
});

const run = (startMs: number, stepMs: number, returns: readonly number[], trades: readonly Trade[] = []) => ({
  time: Float64Array.from(returns, (_, row) => startMs + row * stepMs),
  returns: Float64Array.from(returns),
  benchmark: Float64Array.from(returns, () => 0.01),
  trades,
  barsPerYear: 365,
});

describe('a result part by part', () => {
  test('years and months compound their own bars, at midnight UTC', () => {
    // Two days before and two days after the turn of the year.
    const { years, months } = breakDown(run(Date.UTC(2024, 11, 30), DAY_MS, [0.1, 0.1, -0.5, 0.2]));
    expect(years.map(({ part, bars }) => [part, bars])).toEqual([
      ['2024', 2],
      ['2025', 2],
    ]);
    expect(years[0].returnPct).toBeCloseTo(21, 10); // 1.1 * 1.1
    expect(years[0].maxDrawdownPct).toBe(0);
    expect(years[1].returnPct).toBeCloseTo(-40, 10); // 0.5 * 1.2
    expect(years[1].benchmarkReturnPct).toBeCloseTo(2.01, 10);
    expect(years[1].maxDrawdownPct).toBeCloseTo(-50, 10);
    expect(months.map(({ part }) => part)).toEqual(['2024-12', '2025-01']);
  });

  test('hours of the day follow one another, and have no ratio from fewer than 20 bars', () => {
    const { hours } = breakDown(
      run(
        0,
        HOUR_MS,
        Array.from({ length: 36 }, (_, row) => (row === 13 ? 0.5 : 0)),
      ),
    );
    expect(hours.map(({ part }) => part)).toEqual(Array.from({ length: 24 }, (_, hour) => String(hour)));
    expect(hours[13]).toMatchObject({ bars: 1, returnPct: 50, sharpe: undefined });
    expect(hours[11].bars).toBe(2);
  });

  test('symbols and sides have the figures of their own trades', () => {
    const trades = [
      trade('ETH/USDT', 'long', 5),
      trade('BTC/USDT', 'long', -2),
      trade('BTC/USDT', 'short', 4),
    ];
    const { symbols, sides } = breakDown(run(0, HOUR_MS, [0, 0], trades));
    expect(symbols).toMatchObject([
      { part: 'BTC/USDT', tradeCount: 2, profitQuote: 2, winRatePct: 50, profitFactor: 2 },
      { part: 'ETH/USDT', tradeCount: 1, profitQuote: 5, winRatePct: 100, profitFactor: undefined },
    ]);
    expect(sides).toMatchObject([
      { part: 'long', tradeCount: 2, profitQuote: 3 },
      { part: 'short', tradeCount: 1, profitQuote: 4 },
    ]);
  });

  test('nothing traded, nothing broken down', () => {
    expect(breakDown(run(0, HOUR_MS, []))).toEqual({
      years: [],
      months: [],
      regimes: [],
      hours: [],
      symbols: [],
      sides: [],
    });
  });
});

describe('regimes', () => {
  // Daily bars: quiet days up and down, a month that rises, one that falls, one that is wild.
  const days = [
    ...Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? 0.01 : -0.01)),
    ...Array.from({ length: 60 }, () => 0.01),
    ...Array.from({ length: 60 }, () => -0.01),
    ...Array.from({ length: 45 }, (_, i) => (i % 2 === 0 ? 0.08 : -0.08)),
  ];
  const time = Float64Array.from(days, (_, row) => row * DAY_MS);
  const regimes = regimesOf({ time, benchmark: Float64Array.from(days) });

  test('are those of the 30 days before', () => {
    expect(regimes[0]).toBe('unknown');
    expect(regimes[45]).toBe('ranging');
    expect(regimes[110]).toBe('bull');
    expect(regimes[175]).toBe('bear');
    expect(regimes[220]).toBe('high volatility');
  });

  test('are not told by the bar itself', () => {
    const other = Float64Array.from(days);
    other[110] = -0.5;
    expect(regimesOf({ time, benchmark: other })[110]).toBe('bull');
  });

  test('forget a coin that lost everything once 30 days have passed', () => {
    const falling = Float64Array.from({ length: 70 }, (_, row) => (row === 0 ? -1 : -0.01));
    const after = new Set(regimesOf({ time: time.subarray(0, 70), benchmark: falling }).slice(31));
    expect(after.has('bear')).toBe(true);
    expect(after.has('bull')).toBe(false);
    expect(after.has('unknown')).toBe(false);
  });
});
