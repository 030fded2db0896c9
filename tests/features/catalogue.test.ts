import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogue, computeFeatures, streamFeatures, warmUpBars } from '../../src/features/catalogue.ts';
import { type Candles, emptyCandles, sliceCandles } from '../../src/market/candles.ts';
import { randomCandles } from './random-candles.ts';

const names = catalogue.map(({ name }) => name);
const PRICE_LEVEL = ['quote_volume_log', 'illiquidity_20'];

describe('the feature catalogue', () => {
  it('has at least 150 features with unique names, each with a formula, a source and inputs', () => {
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(150);
    for (const { name, about, source, inputs } of catalogue) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(about.length, name).toBeGreaterThan(5);
      expect(source.length, name).toBeGreaterThan(5);
      expect(inputs.length, name).toBeGreaterThan(0);
    }
  });

  it.each(['1h', '1d'] as const)(
    'has no value before the warm-up and always one after it (%s)',
    (timeframe) => {
      const candles = randomCandles(timeframe === '1h' ? 1600 : 500, 1, timeframe);
      const { columns } = computeFeatures(names, candles, timeframe);
      for (const [i, feature] of catalogue.entries()) {
        const first = columns[i].findIndex((value) => !Number.isNaN(value));
        expect(first, feature.name).toBe(feature.warmUpBars(timeframe));
        const hole = columns[i].findIndex((value, row) => row >= first && !Number.isFinite(value));
        expect(hole, feature.name).toBe(-1);
      }
    },
  );

  it('never changes a past row when later bars arrive, bit for bit', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 700 }), (seed, cut) => {
        const candles = randomCandles(700, seed, '4h');
        const whole = computeFeatures(names, candles, '4h');
        const part = computeFeatures(names, sliceCandles(candles, 0, cut), '4h');
        for (const [i, name] of names.entries())
          expect(bits(part.columns[i]).equals(bits(whole.columns[i].subarray(0, cut))), name).toBe(true);
      }),
      { numRuns: 12 },
    );
  });

  it('gives the same bits one bar at a time', () => {
    const candles = randomCandles(500, 3);
    const batch = computeFeatures(names, candles, '1h');
    const stream = streamFeatures(names, '1h');
    for (let row = 0; row < 500; row++) {
      const values = stream.push(barAt(candles, row));
      const expected = Float64Array.from(batch.columns, (column) => column[row]);
      expect(bits(values).equals(bits(expected)), `row ${row}`).toBe(true);
    }
  });

  it('does not depend on the unit of the price', () => {
    const candles = randomCandles(700, 5, '4h');
    const scaled = { ...candles };
    for (const column of ['open', 'high', 'low', 'close'] as const)
      scaled[column] = candles[column].map((price) => price * 1024);
    const plain = computeFeatures(names, candles, '4h');
    const other = computeFeatures(names, scaled, '4h');
    for (const [i, name] of names.entries()) {
      if (PRICE_LEVEL.includes(name)) continue;
      for (let row = 0; row < 700; row++)
        if (!Number.isNaN(plain.columns[i][row]))
          expect(Math.abs(other.columns[i][row] - plain.columns[i][row]), `${name} ${row}`).toBeLessThan(
            1e-6,
          );
    }
  });

  it.each([
    ['a price that never moves', (candles: Candles) => flatten(candles)],
    ['no volume at all', (candles: Candles) => ({ ...candles, volume: candles.volume.map(() => 0) })],
    ['a price that stops moving', (candles: Candles) => flatten(candles, 250)],
    ['a price that starts moving', (candles: Candles) => flatten(candles, 0, 450)],
    [
      'missing bars',
      (candles: Candles) => ({
        ...candles,
        time: candles.time.map((t, i) => t + 36e5 * 7 * Math.floor(i / 50)),
      }),
    ],
  ])('has finite values with %s', (_, change) => {
    const candles = change(randomCandles(700, 7, '4h'));
    const { columns } = computeFeatures(names, candles, '4h');
    for (const [i, feature] of catalogue.entries()) {
      const hole = columns[i].findIndex(
        (value, row) => row >= feature.warmUpBars('4h') && !(Math.abs(value) < 1e6),
      );
      expect(hole, feature.name).toBe(-1);
    }
  });

  it('accepts no bars and a single bar', () => {
    for (const rows of [0, 1]) {
      const { columns } = computeFeatures(names, randomCandles(rows, 1), '1h');
      for (const column of columns) expect(column.length).toBe(rows);
    }
  });

  it('returns columns in the order asked for, repeated names included', () => {
    const candles = randomCandles(50, 2);
    const table = computeFeatures(['rsi_14', 'return_1', 'rsi_14'], candles, '1h');
    expect(table.names).toEqual(['rsi_14', 'return_1', 'rsi_14']);
    expect(table.columns[1][1]).toBe(candles.close[1] / candles.close[0] - 1);
    expect(bits(table.columns[0])).toEqual(bits(table.columns[2]));
  });

  it('names the nearest feature when one is unknown', () => {
    const unknown = (): unknown => computeFeatures(['rsi_15'], emptyCandles(0), '1h');
    expect(unknown).toThrow('Unknown feature "rsi_15".');
    expect(unknown).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('Did you mean "rsi_1') as string }),
    );
  });

  it('states the warm-up of several features as the longest of them', () => {
    expect(warmUpBars(['return_1', 'volatility_5d'], '1h')).toBe(120);
    expect(warmUpBars([], '1h')).toBe(0);
  });
});

const shared = new URL('../../../shared/data/ohlcv/binance/BTC-USDT/1h.csv.gz', import.meta.url);

describe.skipIf(!existsSync(shared))('on real candles (skipped where ../shared is absent)', () => {
  it('every feature has a finite value on every bar of the last two years', () => {
    const candles = readCsv(shared);
    const { columns } = computeFeatures(names, candles, '1h');
    const start = candles.time.length - 17_520;
    for (const [i, name] of names.entries())
      expect(columns[i].subarray(start).every(Number.isFinite), name).toBe(true);
  });
});

const bits = (column: Float64Array): Buffer =>
  Buffer.from(column.map((value) => (Number.isNaN(value) ? NaN : value)).buffer);

function barAt(candles: Candles, row: number) {
  const { time, open, high, low, close, volume } = candles;
  return {
    time: time[row],
    open: open[row],
    high: high[row],
    low: low[row],
    close: close[row],
    volume: volume[row],
  };
}

/** The first bar's close and a constant volume from row `from` to `to`. */
function flatten(candles: Candles, from = 0, to = candles.time.length): Candles {
  const inside = (row: number): boolean => row >= from && row < to;
  const price = (column: Float64Array): Float64Array =>
    column.map((value, row) => (inside(row) ? candles.close[from] : value));
  return {
    time: candles.time,
    open: price(candles.open),
    high: price(candles.high),
    low: price(candles.low),
    close: price(candles.close),
    volume: candles.volume.map((value, row) => (inside(row) ? 5 : value)),
  };
}

function readCsv(file: URL): Candles {
  const lines = gunzipSync(readFileSync(file)).toString().trim().split('\n').slice(1);
  const cells = lines.map((line) => line.split(',').map(Number));
  const column = (index: number): Float64Array => Float64Array.from(cells, (row) => row[index]);
  return {
    time: column(0),
    open: column(1),
    high: column(2),
    low: column(3),
    close: column(4),
    volume: column(5),
  };
}
