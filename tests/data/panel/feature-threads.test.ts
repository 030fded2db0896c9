import fc from 'fast-check';
import { expect, it } from 'vitest';
import { z } from 'zod';
import type { FeatureColumn } from '../../../src/core/dataset/panel.ts';
import { catalogue, computeFeatures } from '../../../src/core/features/catalogue.ts';
import { defineFeature } from '../../../src/core/features/define-feature.ts';
import { computeColumns } from '../../../src/data/panel/feature-threads.ts';
import { randomCandles } from '../../core/features/random-candles.ts';
import { randomInputs } from '../../core/features/random-inputs.ts';

const doubled = defineFeature({
  name: 'doubled_close',
  about: 'twice the close',
  inputs: ['close'],
  parameters: z.object({}),
  warmUpBars: () => 0,
  create: () => ({
    update: ({ length, close }, out) => {
      for (let i = 0; i < length; i++) out[i] = 2 * close[i];
    },
  }),
});

/** The project's own name, another formula. */
const overwritten = { ...doubled, name: 'rsi_14' };

const candlesOf = (rows: number, seed: number) => ({ candles: randomCandles(rows, seed, '4h'), inputs: {} });

it('gives the same bits on any number of threads, of all features', async () => {
  const known = [...catalogue, doubled];
  const names = known.map(({ name }) => name);
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 3 }),
      async (seed, threads, rows) => {
        const series = rows.map((length, s) => {
          const candles = randomCandles(length, seed + s, '4h');
          return { candles, inputs: randomInputs(candles, '4h', seed + s, { historyDays: 100 }) };
        });
        const about = { timeframe: '4h', known, threads, valuesForThreads: 0 } as const;
        const tables = await computeColumns(names, series, about);
        expect(tables.map((table) => table.names)).toEqual(series.map(() => names));
        for (const [s, { candles, inputs }] of series.entries()) {
          const { columns } = computeFeatures(names, candles, '4h', inputs, known);
          expect(names.filter((_, f) => !bits(tables[s].columns[f]).equals(bits(columns[f])))).toEqual([]);
        }
      },
    ),
    { numRuns: 4 },
  );
});

it('takes names in any order and more than once, and computes a feature of that name of the user', async () => {
  const names = ['rsi_14', 'doubled_close', 'sma_distance_25', 'rsi_14', 'atr_14'];
  const known = [...catalogue.filter(({ name }) => name !== 'rsi_14'), doubled, overwritten];
  const series = [candlesOf(300, 1), candlesOf(200, 2)];
  const about = { timeframe: '4h', known, threads: 2, valuesForThreads: 0 } as const;
  const tables = await computeColumns(names, series, about);
  for (const [s, { candles }] of series.entries()) {
    const { columns } = computeFeatures(names, candles, '4h', {}, known);
    expect(tables[s].columns).toEqual(columns);
    expect(tables[s].columns[0]).toEqual(candles.close.map((close) => 2 * close));
  }
});

it('rounds those to single precision of which nobody reads more', async () => {
  const names = ['rsi_14', 'doubled_close', 'sma_distance_25', 'atr_14'];
  const known = [...catalogue, doubled];
  const series = [candlesOf(300, 1)];
  const { columns } = computeFeatures(names, series[0].candles, '4h', {}, known);
  const single = new Set(['doubled_close', 'atr_14']);
  for (const threads of [1, 2]) {
    const about = { timeframe: '4h', known, single, threads, valuesForThreads: 0 } as const;
    const [table] = await computeColumns(names, series, about);
    expect(table.columns).toEqual([
      columns[0],
      Float32Array.from(columns[1]),
      columns[2],
      Float32Array.from(columns[3]),
    ]);
  }
});

it('leaves no thread behind: at the end, when it is stopped and when a feature fails', async () => {
  const before = threadsOf();
  const names = catalogue.filter(({ needs }) => needs.length === 0).map(({ name }) => name);
  const series = [candlesOf(20_000, 1)];
  const about = { timeframe: '4h', known: catalogue, threads: 3, valuesForThreads: 0 } as const;
  await computeColumns(names, series, about);
  expect(threadsOf()).toBe(before);

  const stop = new AbortController();
  const stopped = computeColumns(names, series, { ...about, signal: stop.signal });
  expect(threadsOf()).toBeGreaterThan(before);
  stop.abort(new Error('enough'));
  await expect(stopped).rejects.toThrow('enough');
  expect(threadsOf()).toBe(before);

  const broken = {
    ...doubled,
    name: 'broken',
    column: () => {
      throw new Error('The feature "broken" cannot be planned.');
    },
  };
  await expect(
    computeColumns(['broken', ...names], series, { ...about, known: [...catalogue, broken] }),
  ).rejects.toThrow('The feature "broken" cannot be planned.');
  expect(threadsOf()).toBe(before);
});

const threadsOf = (): number =>
  process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort').length;

const bits = ({ buffer, byteOffset, byteLength }: FeatureColumn): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
