import { cpSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Candles, sliceCandles } from '../../../src/core/market/candles.ts';
import { commit } from '../../../src/data/store/commit.ts';
import { describeDataset, describePart } from '../../../src/data/store/dataset.ts';
import { isOfMonth } from '../../../src/data/store/layout.ts';
import { encodePart } from '../../../src/data/store/parts.ts';
import { type DatasetKey, openStore } from '../../../src/data/store/store.ts';
import { pick, walk } from '../../support/candles.ts';
import { temporaryFolder } from '../../support/folder.ts';

const DAY = 1440;
const KEY: DatasetKey = { exchange: 'binance', symbol: 'BTC/USDT', timeframe: '1m' };
const ORIGIN = { source: 'binance', synthetic: false };
const MINUTES = walk(8 * DAY, { startMs: Date.UTC(2024, 0, 28), timeframe: '1m' });
const until = (row: number): Candles => sliceCandles(MINUTES, 0, row);
const filesIn = (folder: string): readonly string[] => readdirSync(folder).toSorted();

it('the newest day of minutes is a file of its own until the next one begins', async () => {
  const store = openStore(temporaryFolder());
  const folder = store.folder(KEY);
  await store.merge(KEY, until(2 * DAY - 1), ORIGIN);
  expect(filesIn(folder)).toEqual(['2024-01-29.parquet', '2024-01.parquet', 'manifest.json']);
  const january = (await store.manifest(KEY))?.parts[0];
  await store.merge(KEY, sliceCandles(MINUTES, 2 * DAY - 1, 2 * DAY), ORIGIN);
  expect((await store.manifest(KEY))?.parts.map(({ file, rows }) => [file, rows])).toEqual([
    ['2024-01.parquet', DAY],
    ['2024-01-29.parquet', DAY],
  ]);
  expect((await store.manifest(KEY))?.parts[0]).toEqual(january);
  await store.merge(KEY, sliceCandles(MINUTES, 2 * DAY, 2 * DAY + 1), ORIGIN);
  expect(filesIn(folder)).toEqual(['2024-01-30.parquet', '2024-01.parquet', 'manifest.json']);
  // The first days of a month have few bars before them.
  await store.merge(KEY, sliceCandles(MINUTES, 2 * DAY + 1, 5 * DAY), ORIGIN);
  expect(filesIn(folder)).toEqual(['2024-01.parquet', '2024-02.parquet', 'manifest.json']);
  await store.merge(KEY, sliceCandles(MINUTES, 5 * DAY, 8 * DAY), ORIGIN);
  expect(filesIn(folder)).toEqual(['2024-01.parquet', '2024-02.parquet', 'manifest.json']);
  expect({ ...(await store.read(KEY)) }).toEqual({ ...MINUTES });
  expect(await store.verify(KEY)).toEqual([]);
});

it('is the same for the same candles, in whatever pieces and order they came', async () => {
  // A bar every three hours, into the next two months.
  const sparse = pick(
    walk(400 * 180, { startMs: Date.UTC(2024, 0, 10), timeframe: '1m' }),
    (row) => row % 180 === 7,
  );
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 400 }),
      fc.array(fc.tuple(fc.nat(399), fc.nat(399)), { maxLength: 5 }),
      async (rows, cuts) => {
        const all = sliceCandles(sparse, 0, rows);
        const [store, whole] = [openStore(temporaryFolder()), openStore(temporaryFolder())];
        for (const [a, b] of cuts) {
          const piece = sliceCandles(all, Math.min(a, b, rows), Math.min(Math.max(a, b), rows));
          if (piece.time.length > 0) await store.merge(KEY, piece, ORIGIN);
        }
        const [found, expected] = [await store.merge(KEY, all, ORIGIN), await whole.merge(KEY, all, ORIGIN)];
        expect(found).toEqual(expected);
        expect(filesIn(store.folder(KEY))).toEqual(
          [...found.parts.map(({ file }) => file), 'manifest.json'].toSorted(),
        );
        expect({ ...(await store.read(KEY)) }).toEqual({ ...all });
        expect(await store.verify(KEY)).toEqual([]);
      },
    ),
    { numRuns: 25 },
  );
});

it('a month that holds its newest day, as earlier versions wrote it, is read and taken apart by the next bar', async () => {
  const store = openStore(temporaryFolder());
  const folder = store.folder(KEY);
  const stored = until(2 * DAY);
  const bytes = await encodePart(stored);
  const parts = [describePart('2024-01.parquet', stored, '1m', bytes)];
  await commit(
    folder,
    describeDataset(KEY, { source: 'binance', synthetic: false, covered: [], parts }),
    new Map([['2024-01.parquet', bytes]]),
  );
  expect({ ...(await store.read(KEY)) }).toEqual({ ...stored });
  const found = await store.merge(KEY, sliceCandles(MINUTES, 2 * DAY, 2 * DAY + 5), ORIGIN);
  expect(found).toEqual(await openStore(temporaryFolder()).merge(KEY, until(2 * DAY + 5), ORIGIN));
  expect({ ...(await store.read(KEY)) }).toEqual({ ...until(2 * DAY + 5) });
});

it("a day's file that a kill left behind is not read, and goes with the next merge", async () => {
  const store = openStore(temporaryFolder());
  const folder = store.folder(KEY);
  await store.merge(KEY, until(2 * DAY), ORIGIN);
  cpSync(join(folder, '2024-01-29.parquet'), join(folder, 'kept'));
  await store.merge(KEY, sliceCandles(MINUTES, 2 * DAY, 2 * DAY + 1), ORIGIN);
  cpSync(join(folder, 'kept'), join(folder, '2024-01-29.parquet'));
  expect({ ...(await store.read(KEY)) }).toEqual({ ...until(2 * DAY + 1) });
  expect((await store.compact(KEY, { dryRun: true })).removed).toEqual(['2024-01-29.parquet']);
  await store.merge(KEY, sliceCandles(MINUTES, 2 * DAY + 1, 2 * DAY + 2), ORIGIN);
  expect(filesIn(folder)).toEqual(['2024-01-30.parquet', '2024-01.parquet', 'kept', 'manifest.json']);
});

it('a damaged day is set aside and asked for again, and nothing else of its month', async () => {
  const store = openStore(temporaryFolder());
  const covered = [{ fromMs: MINUTES.time[0], untilMs: MINUTES.time[2 * DAY] }];
  await store.merge(KEY, until(2 * DAY), ORIGIN, covered);
  writeFileSync(join(store.folder(KEY), '2024-01-29.parquet'), 'gone');
  expect(await store.repair(KEY)).toEqual([expect.stringContaining('2024-01-29.parquet" is damaged')]);
  const left = await store.manifest(KEY);
  expect(left?.rows).toBe(DAY);
  expect(left?.covered).toEqual([{ fromMs: MINUTES.time[0], untilMs: MINUTES.time[DAY] }]);
  await store.merge(KEY, until(2 * DAY), ORIGIN, covered);
  expect((await store.compact(KEY, { dryRun: false })).removed).toEqual(['2024-01-29.parquet.damaged']);
});

it('a piece that begins with the last stored bar adds what follows it, and is refused where that bar is another', async () => {
  const store = openStore(temporaryFolder());
  await store.merge(KEY, until(10), ORIGIN);
  const found = await store.merge(KEY, sliceCandles(MINUTES, 9, 12), ORIGIN);
  expect(found.rows).toBe(12);
  const other = sliceCandles(MINUTES, 11, 13);
  const changed = { ...other, volume: other.volume.map((volume) => volume + 1) };
  await expect(store.merge(KEY, changed, ORIGIN)).rejects.toThrow(/is stored with volume/);
  expect({ ...(await store.read(KEY)) }).toEqual({ ...until(12) });
});

it('counts a day to its month', () => {
  const isOfJanuary = (file: string): boolean => isOfMonth(file, '2024-01');
  expect(['2024-01.parquet', '2024-01-31.parquet'].map(isOfJanuary)).toEqual([true, true]);
  expect(['2024-02.parquet', '2024-02-01.parquet', '2024-10.parquet'].map(isOfJanuary)).toEqual([
    false,
    false,
    false,
  ]);
});
