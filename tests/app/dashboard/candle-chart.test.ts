import { describe, expect, it } from 'vitest';
import { candleChart, together } from '../../../src/app/dashboard/candle-chart.ts';
import { textOf } from '../../../src/app/dashboard/lines.ts';
import type { CandleView, ForecastView } from '../../../src/app/dashboard/view.ts';

const HOUR = 3_600_000;
const candle = (i: number, open: number, high: number, low: number, close: number): CandleView => ({
  timeMs: i * HOUR,
  open,
  high,
  low,
  close,
});

/** Nine prices, 0 to 9 in ten half rows: five rows and the times below them. */
const size = { width: 40, rows: 6 };
const chart = (candles: readonly CandleView[], more: { fills?: Fills; forecast?: ForecastView } = {}) =>
  candleChart({ candles, fills: more.fills ?? [], forecast: more.forecast, candleMs: HOUR }, size)
    .slice(0, 5)
    .map((line) => textOf(line.slice(0, -1)));
type Fills = Parameters<typeof candleChart>[0]['fills'];

describe('a candle', () => {
  it('is a body with wicks, full where the price rose', () => {
    // From 9 at the top to 0: two prices a row.
    expect(chart([candle(0, 3, 9, 0, 5)])).toEqual(['│', '│', '█', '▀', '│']);
  });
  it('is another body where it fell: no colour is needed', () => {
    expect(chart([candle(0, 5, 9, 0, 3)])).toEqual(['│', '│', '▒', '▀', '│']);
  });
  it('of one price is half a cell', () => {
    expect(chart([candle(0, 0, 9, 0, 9), candle(1, 4, 4, 4, 4)])).toEqual(['█ ', '█ ', '█▄', '█ ', '█ ']);
  });
});

it('fills stand at their price, in the candle that their bar is part of', () => {
  const fills = [
    { timeMs: 0, side: 'buy' as const, price: 8.8 },
    { timeMs: HOUR, side: 'sell' as const, price: 0.2 },
    { timeMs: 9 * HOUR, side: 'sell' as const, price: 5 },
  ];
  const drawn = chart([candle(0, 0, 9, 0, 9), candle(1, 9, 9, 0, 0)], { fills });
  expect([drawn[0], drawn[4]]).toEqual(['▲▒', '█▼']);
  expect(drawn.join('')).not.toContain('5');
});

describe('a forecast', () => {
  const quantiles = [
    { level: 0.1, returnPct: -50 },
    { level: 0.5, returnPct: 0 },
    { level: 0.9, returnPct: 50 },
  ];
  const forecast = { model: 'tft', timeMs: HOUR, horizonBars: 4, quantiles };
  const candles = [candle(0, 10, 10, 10, 10), candle(1, 10, 10, 10, 10)];
  it('opens to the right of the candle it was made at, widest at its horizon, its middle marked', () => {
    const drawn = chart(candles, { forecast });
    const columns = Array.from({ length: 12 }, (_, i) => drawn.map((line) => line[3 + i] ?? ' ').join(''));
    expect(columns.at(-1)).toBe('░░·░░');
    const widths = columns.map((column) => column.trim().length);
    expect(widths).toEqual(widths.toSorted((a, b) => a - b));
  });
  it('is not drawn at a later candle: it was not made there', () => {
    const drawn = chart([...candles, candle(2, 10, 10, 10, 10)], { forecast });
    expect(drawn.join('')).not.toContain('░');
  });
});

it('prices stand at the right and times below', () => {
  const lines = candleChart(
    { candles: [candle(24, 1, 9, 0, 5)], fills: [], forecast: undefined, candleMs: HOUR },
    size,
  ).map(textOf);
  expect(lines.at(-1)).toBe('└01-02 00:00');
  expect(lines[0]).toBe('│ 8.50');
});

describe('several bars as one candle', () => {
  it('open with the first, close with the last, and reach as far as any', () => {
    const bars = [candle(0, 1, 5, 1, 2), candle(1, 2, 9, 2, 3), candle(2, 3, 4, 0, 4)];
    expect(together(bars, 2, HOUR)).toEqual([candle(0, 1, 9, 1, 3), candle(2, 3, 4, 0, 4)]);
  });
  it('stay what they are when the first bars are dropped: they follow the clock', () => {
    const bars = Array.from({ length: 9 }, (_, i) => candle(i, i, i, i, i));
    expect(together(bars.slice(2), 4, HOUR).at(-1)).toEqual(together(bars, 4, HOUR).at(-1));
  });
});
