import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  catalogue,
  computeFeatures,
  streamFeatures,
  warmUpBars,
} from '../../../src/core/features/catalogue.ts';
import { inputsAt } from '../../../src/core/features/causality.ts';
import type { InputName } from '../../../src/core/features/inputs.ts';
import { isSeriesName } from '../../../src/core/market/series-kinds.ts';
import type { TimedSeries } from '../../../src/core/market/timed-series.ts';
import { TIMEFRAME_MS } from '../../../src/core/market/timeframe.ts';
import { type Candles, emptyCandles, sliceCandles } from '../../../src/core/market/candles.ts';
import { randomCandles } from './random-candles.ts';
import { randomInputs } from './random-inputs.ts';

const names = catalogue.map(({ name }) => name);
/** Long enough that every series has its longest window behind it when the candles begin. */
const HISTORY = { historyDays: 400 };
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
      const inputs = randomInputs(candles, timeframe, 1);
      const { columns } = computeFeatures(names, candles, timeframe, inputs);
      for (const [i, feature] of catalogue.entries()) {
        const first = columns[i].findIndex((value) => !Number.isNaN(value));
        // Rows of a series are known a day and a half after they begin at the latest.
        const late = feature.needs.some(isSeries) ? Math.ceil((36 * 36e5) / TIMEFRAME_MS[timeframe]) : 0;
        const warmUp = feature.warmUpBars(timeframe);
        if (warmUp + late >= candles.time.length) continue;
        if (late === 0) expect(first, feature.name).toBe(warmUp);
        expect(first, feature.name).toBeLessThanOrEqual(warmUp + late);
        expect(first, feature.name).toBeGreaterThanOrEqual(0);
        const hole = columns[i].findIndex((value, row) => row >= first && !Number.isFinite(value));
        expect(hole, feature.name).toBe(-1);
      }
    },
  );

  it('never changes a past row when later bars arrive, bit for bit', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 700 }), (seed, cut) => {
        const candles = randomCandles(700, seed, '4h');
        const inputs = randomInputs(candles, '4h', seed, HISTORY);
        const known = inputsAt(inputs, candles.time[cut - 1] + TIMEFRAME_MS['4h']);
        const whole = computeFeatures(names, candles, '4h', inputs);
        const part = computeFeatures(names, sliceCandles(candles, 0, cut), '4h', known);
        for (const [i, name] of names.entries())
          expect(bits(part.columns[i]).equals(bits(whole.columns[i].subarray(0, cut))), name).toBe(true);
      }),
      { numRuns: 12 },
    );
  });

  it('gives the same bits one bar at a time', () => {
    const candles = randomCandles(500, 3);
    const inputs = randomInputs(candles, '1h', 3, HISTORY);
    const batch = computeFeatures(names, candles, '1h', inputs);
    const stream = streamFeatures(names, '1h', inputs);
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
    const inputs = randomInputs(candles, '4h', 5, HISTORY);
    const plain = computeFeatures(names, candles, '4h', inputs);
    const other = computeFeatures(names, scaled, '4h', {
      ...inputs,
      'other-exchange': inThousands(inputs['other-exchange']),
      perpetual: inThousands(inputs.perpetual),
      benchmark: inThousands(inputs.benchmark),
    });
    for (const [i, name] of names.entries()) {
      if (PRICE_LEVEL.includes(name)) continue;
      const apart = plain.columns[i].map((value, row) =>
        Number.isNaN(value) ? 0 : Math.abs(other.columns[i][row] - value),
      );
      expect(
        apart.every((distance) => distance < 1e-6),
        name,
      ).toBe(true);
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
    const inputs = randomInputs(candles, '4h', 7, {
      ...HISTORY,
      flat: candles.close[0] === candles.close[1],
    });
    const { columns } = computeFeatures(names, candles, '4h', inputs);
    for (const [i, feature] of catalogue.entries()) {
      const hole = columns[i].findIndex(
        (value, row) => row >= feature.warmUpBars('4h') && !(Math.abs(value) < 1e6),
      );
      expect(hole, feature.name).toBe(-1);
    }
  });

  it('has no value where an input has a hole, and one again after it', () => {
    const candles = randomCandles(700, 11, '4h');
    const inputs = randomInputs(candles, '4h', 11, HISTORY);
    const without = (bars: TimedSeries, from: number, to: number): TimedSeries => ({
      time: bars.time.filter((_, row) => row < from || row >= to),
      known: bars.known.filter((_, row) => row < from || row >= to),
      columns: Object.fromEntries(
        Object.entries(bars.columns).map(([name, values]) => [
          name,
          values.filter((_, row) => row < from || row >= to),
        ]),
      ),
    });
    const holed = {
      ...inputs,
      benchmark: without(inputs.benchmark, 300, 310),
      vix: without(inputs.vix, 430, 450),
    };
    const asked = ['benchmark_beta_50', 'relative_strength_1d', 'vix', 'spx_return_1'];
    const [beta, strength, vix, spx] = computeFeatures(asked, candles, '4h', holed).columns;
    for (const column of [beta, strength]) {
      expect(column.subarray(300, 310).every(Number.isNaN)).toBe(true);
      expect(column.subarray(310).every(Number.isFinite)).toBe(true);
      expect(column.subarray(290, 300).every(Number.isFinite)).toBe(true);
    }
    // Days 30 to 49 have no VIX. The close of day 29, known at 01:00 of day 30, counts for 7 days: up to the bar
    // that closes at 00:00 of day 37. That of day 50 is known at 01:00 of day 51.
    const dayOf = (row: number): number => (candles.time[row] - candles.time[0]) / 864e5;
    for (let row = 0; row < 700; row++)
      expect(Number.isNaN(vix[row]), `day ${dayOf(row)}`).toBe(dayOf(row) >= 37 && dayOf(row) < 51);
    expect(spx.every(Number.isFinite)).toBe(true);
  });

  it('accepts no bars and a single bar', () => {
    for (const rows of [0, 1]) {
      const candles = randomCandles(rows, 1);
      const { columns } = computeFeatures(names, candles, '1h', randomInputs(candles, '1h', 1));
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

  it.each([
    ['williams_r_14', 'stochastic_k_14'],
    ['price_score_20', 'bollinger_position'],
    ['days_until_halving', 'days_since_halving'],
    ['up_volume_share_20', 'obv_balance_20'],
    ['piercing', 'gapless_piercing'],
  ])('says which name replaces %s', (removed, successor) => {
    const asked = (): unknown => computeFeatures([removed], emptyCandles(0), '1h');
    expect(asked).toThrow(`The feature "${removed}" no longer exists.`);
    expect(asked).toThrow(
      expect.objectContaining({ hint: expect.stringContaining(`Use "${successor}" instead`) as string }),
    );
    expect(names).toContain(successor);
    expect(names).not.toContain(removed);
  });

  it('has no two features that are the same number on another scale', () => {
    const candles = randomCandles(2700, 13, '4h');
    const { columns } = computeFeatures(names, candles, '4h', randomInputs(candles, '4h', 13, HISTORY));
    const standard = columns.map((column) => standardised(column.subarray(500)));
    const twins = standard.flatMap((one, i) =>
      standard
        .slice(0, i)
        .flatMap((other, j) => (1 - Math.abs(product(one, other)) < 1e-12 ? [[names[j], names[i]]] : [])),
    );
    expect(twins).toEqual([]);
  });

  it('states the warm-up of several features as the longest of them', () => {
    expect(warmUpBars(['return_1', 'volatility_5d'], '1h')).toBe(120);
    expect(warmUpBars([], '1h')).toBe(0);
  });
});

const shared = new URL('../../../../shared/data/ohlcv/binance/BTC-USDT/1h.csv.gz', import.meta.url);

describe.skipIf(!existsSync(shared))('on two years of an exchange (needs real candles)', () => {
  it('every feature has a finite value on every bar of the last two years', () => {
    const candles = readCsv(shared);
    const own = catalogue.filter(({ needs }) => needs.length === 0).map(({ name }) => name);
    const { columns } = computeFeatures(own, candles, '1h');
    const start = candles.time.length - 17_520;
    for (const [i, name] of own.entries())
      expect(columns[i].subarray(start).every(Number.isFinite), name).toBe(true);
  });
});

/** Deviations from the mean with a sum of squares of 1; all 0 where a value is missing or none differs. */
function standardised(column: Float64Array): Float64Array {
  const mean = column.reduce((sum, value) => sum + value, 0) / column.length;
  const size = Math.sqrt(column.reduce((sum, value) => sum + (value - mean) ** 2, 0));
  return column.map((value) => (size > 0 ? (value - mean) / size : 0));
}
const product = (a: Float64Array, b: Float64Array): number =>
  a.reduce((sum, value, row) => sum + value * b[row], 0);

const isSeries = (input: InputName): boolean => input === 'other-funding' || isSeriesName(input);

/** Prices 1024 times as high. */
const inThousands = (bars: TimedSeries): TimedSeries => ({
  ...bars,
  columns: { ...bars.columns, close: bars.columns['close'].map((price) => price * 1024) },
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
