import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { computeFeatures } from '../../../src/core/features/catalogue.ts';
import { type Candles, emptyCandles } from '../../../src/core/market/candles.ts';

const file = new URL('../../golden/indicators/quotes.csv', import.meta.url);

/**
 * Values of TA-Lib 0.8.2 (Python package, defaults of its conventions) on rows 400 and 501 of quotes.csv. Its ADX and
 * MACD start from other first values than Wilder's and Appel's averages; by then both have forgotten them.
 */
const TALIB = {
  rsi_14: [65.71387787644454, 42.07732356600684],
  adx_14: [12.960909620253515, 34.29869914461825],
  plus_di_14: [27.272151333384194, 17.75652311356243],
  minus_di_14: [21.337754771934783, 31.150968674636058],
  // STOCHF(14, 3): %K and %D; STOCH(14, 3, 3): slow %D.
  stochastic_k_14: [94.09722222222264, 47.98789712556731],
  stochastic_d_14: [82.60350700441371, 43.135349705670485],
  stochastic_slow_d_14: [67.26848801741757, 35.56744038514095],
  cci_14: [154.32128562521527, -23.349420313973837],
  mfi_14: [60.80309854271143, 39.94937704125047],
} as const;
const ATR = [2.093349597002616, 6.149748287843303];
/** SAR(.02, .2). */
const STOP = [271.15, 229.7662];
const UPPER = [276.53022687710865, 273.7004230728253];
const LOWER = [269.2187731228909, 230.01957692717437];
const MACD = [
  [2.006047014560579, 1.9266631058140393, 0.07938390874653978],
  [-6.2197702562027075, -5.856891653610954, -0.36287860259175364],
];
const ROWS = [400, 501];

describe('TA-Lib conventions', () => {
  const candles = readQuotes(file);
  const column = (name: string): Float64Array => computeFeatures([name], candles, '1d').columns[0];

  it.each(Object.entries(TALIB))('%s', (name, expected) => {
    const values = column(name);
    for (const [i, row] of ROWS.entries())
      expect(Math.abs(values[row] - expected[i]), String(row)).toBeLessThan(1e-8);
  });

  it('ATR as a fraction of the close, Bollinger bands as their width', () => {
    const [atr, width] = [column('atr_14'), column('bollinger_width')];
    for (const [i, row] of ROWS.entries()) {
      expect(atr[row]).toBeCloseTo(ATR[i] / candles.close[row], 12);
      expect(width[row]).toBeCloseTo((2 * (UPPER[i] - LOWER[i])) / (UPPER[i] + LOWER[i]), 12);
    }
  });

  it('the parabolic stop as the distance of the close from it', () => {
    const distance = column('parabolic_distance');
    for (const [i, row] of ROWS.entries())
      expect(distance[row]).toBeCloseTo(candles.close[row] / STOP[i] - 1, 8);
  });

  it('MACD (12, 26, 9) as fractions of the close', () => {
    const columns = ['macd_line', 'macd_signal', 'macd_histogram'].map(column);
    for (const [i, row] of ROWS.entries())
      for (const [j, values] of columns.entries())
        expect(Math.abs(values[row] * candles.close[row] - MACD[i][j])).toBeLessThan(1e-8);
  });
});

it('Ichimoku on a price that rises by 1 a bar, by hand', () => {
  const candles = emptyCandles(81);
  for (const name of ['open', 'high', 'low', 'close'] as const)
    candles[name].set(Array.from({ length: 81 }, (_, i) => 100 + i));
  candles.time.set(Array.from({ length: 81 }, (_, i) => i * 86_400_000));
  const names = ['conversion', 'base', 'span_a', 'span_b', 'lagging', 'cross', 'cloud_thickness'];
  const { columns } = computeFeatures(
    names.map((name) => `ichimoku_${name}`),
    candles,
    '1d',
  );
  // At 180: the middle of 9 bars is 176, of 26 it is 167.5. 26 bars before, at 154: (150 + 141.5) / 2 = 145.75, and
  // the middle of 52 bars 128.5.
  const expected = [180 / 176, 180 / 167.5, 180 / 145.75, 180 / 128.5, 180 / 154].map((value) => value - 1);
  for (const [i, value] of [...expected, 8.5 / 180, 17.25 / 180].entries())
    expect(columns[i][80], names[i]).toBeCloseTo(value, 12);
});

it('SuperTrend on a price that rises by 1 a bar and then falls by 20, by hand', () => {
  const close = Array.from({ length: 31 }, (_, i) => (i < 30 ? 100 + i : 109));
  const candles = emptyCandles(31);
  candles.time.set(close.map((_, i) => i * 86_400_000));
  candles.open.set(close);
  candles.close.set(close);
  candles.high.set(close.map((price) => price + 1));
  candles.low.set(close.map((price) => price - 1));
  const [distance] = computeFeatures(['supertrend_distance'], candles, '1d').columns;
  // Bars of range 2 that rise by 1 have a true range of 2: the line of the rise is 3 x 2 below the middle.
  expect(distance[29]).toBeCloseTo(129 / 123 - 1, 12);
  // The fall has a true range of 21, the mean of 10 becomes .9 x 2 + .1 x 21 = 3.9: the line is 11.7 above the middle.
  expect(distance[30]).toBeCloseTo(109 / 120.7 - 1, 12);
});

it('estimates the spread of Corwin and Schultz from highs and lows, by hand', () => {
  const candles = emptyCandles(21);
  candles.time.set(Array.from({ length: 21 }, (_, row) => row * 86_400_000));
  candles.close.fill(100);
  candles.high.fill(101);
  candles.low.fill(99);
  // Equal bars: beta = 2 g and gamma = g with g = ln(101 / 99)^2, so alpha = ln(101 / 99), and the spread is
  // 2 (101 / 99 - 1) / (1 + 101 / 99) = .02: the whole range is bid-ask bounce.
  const spread = (): number => computeFeatures(['corwin_schultz_20'], candles, '1d').columns[0][20];
  expect(spread()).toBeCloseTo(0.02, 14);
  // The newest bar lies 10 % higher: all of its range is a move, its estimate negative, counted as 0.
  candles.high[20] *= 1.1;
  candles.low[20] *= 1.1;
  expect(spread()).toBeCloseTo((19 * 0.02) / 20, 14);
});

function readQuotes(path: URL): Candles {
  const rows = readFileSync(path, 'utf8').trim().split('\n').slice(1);
  const candles = emptyCandles(rows.length);
  rows.forEach((line, row) => {
    const [, open, high, low, close, volume] = line.split(',').map(Number);
    candles.time[row] = row * 86_400_000;
    candles.open[row] = open;
    candles.high[row] = high;
    candles.low[row] = low;
    candles.close[row] = close;
    candles.volume[row] = volume;
  });
  return candles;
}
