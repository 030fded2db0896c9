import fc from 'fast-check';
import { expect, it } from 'vitest';
import { catalogue, computeFeatures, streamFeatures } from '../../../src/core/features/catalogue.ts';
import { type Candles, sliceCandles } from '../../../src/core/market/candles.ts';
import { randomCandles } from './random-candles.ts';
import { randomInputs } from './random-inputs.ts';

const all = catalogue.map(({ name }) => name);
const own = catalogue.filter(({ needs }) => needs.length === 0).map(({ name }) => name);

/** Cuts 0 < ... < rows, at most `most` of them. */
const cuts = (rows: number, most: number): fc.Arbitrary<number[]> =>
  fc
    .uniqueArray(fc.integer({ min: 1, max: rows - 1 }), { maxLength: most })
    .map((inner) => [0, ...inner.toSorted((a, b) => a - b), rows]);

it('gives the same bits however a history is cut into blocks', () => {
  fc.assert(
    fc.property(fc.integer(), cuts(600, 20), (seed, edges) => {
      const candles = randomCandles(600, seed, '4h');
      const inputs = randomInputs(candles, '4h', seed, { historyDays: 100 });
      const whole = computeFeatures(all, candles, '4h', inputs).columns;
      const stream = streamFeatures(all, '4h', inputs);
      const pieces = all.map(() => new Float64Array(600));
      for (let i = 1; i < edges.length; i++) {
        const part = stream.append(sliceCandles(candles, edges[i - 1], edges[i])).columns;
        pieces.forEach((piece, k) => piece.set(part[k], edges[i - 1]));
      }
      expect(all.filter((_, k) => !bits(pieces[k]).equals(bits(whole[k])))).toEqual([]);
    }),
    { numRuns: 4 },
  );
});

it('goes on from a stored state with the same bits, wherever it was taken', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 0, max: 499 }), (seed, cut) => {
      const candles = randomCandles(500, seed, '4h');
      const whole = computeFeatures(own, candles, '4h').columns;
      const before = streamFeatures(own, '4h');
      before.append(sliceCandles(candles, 0, cut));
      // As a session would store it.
      const stored = Float64Array.from(before.state() ?? []);
      const after = streamFeatures(own, '4h');
      after.restore(stored);
      const rest = after.append(sliceCandles(candles, cut, 500)).columns;
      expect(own.filter((_, k) => !bits(rest[k]).equals(bits(whole[k].subarray(cut))))).toEqual([]);
    }),
    { numRuns: 4 },
  );
});

it('refuses a state of other features, and has none where other inputs are read', () => {
  const state = streamFeatures(['rsi_14'], '1h').state();
  expect(() =>
    streamFeatures(['rsi_28', 'sma_distance_25'], '1h').restore(state ?? new Float64Array(0)),
  ).toThrow('The stored state of the features is not one of these features.');
  const candles = randomCandles(30, 1);
  const inputs = randomInputs(candles, '1h', 1);
  const stream = streamFeatures(['benchmark_beta_50'], '1h', inputs);
  expect(stream.state()).toBeUndefined();
  expect(() => stream.restore(new Float64Array(0))).toThrow('not one of these features');
});

it('computes a live bar and a long history of every feature alone as beside all others', () => {
  const candles = randomCandles(900, 4, '4h');
  const beside = computeFeatures(own, candles, '4h').columns;
  for (const [k, name] of own.entries()) {
    if (k % 7 !== 0) continue;
    const [alone] = computeFeatures([name], candles, '4h').columns;
    expect(bits(alone).equals(bits(beside[k])), name).toBe(true);
    const stream = streamFeatures([name], '4h');
    const pushed = Float64Array.from(barsOf(candles), (bar) => stream.push(bar)[0]);
    expect(bits(pushed).equals(bits(alone)), name).toBe(true);
  }
});

const barsOf = ({ time, open, high, low, close, volume }: Candles) =>
  Array.from(time, (_, row) => ({
    time: time[row],
    open: open[row],
    high: high[row],
    low: low[row],
    close: close[row],
    volume: volume[row],
  }));

const bits = (column: Float64Array): Buffer =>
  Buffer.from(column.map((value) => (Number.isNaN(value) ? NaN : value)).buffer);
