import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { importSeries, readSeriesCsv, seriesPathFor } from '../../../src/data/csv/series.ts';
import { openSeriesStore, type SeriesStore } from '../../../src/data/store/series-store.ts';
import type { TimedSeries } from '../../../src/core/market/timed-series.ts';

const DAY = 86_400_000;
const START = Date.UTC(2025, 11, 30);
const VIX = { name: 'vix', subject: '' } as const;

let folder: string;
let store: SeriesStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'series-'));
  store = openSeriesStore(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Daily closes from `from` days after the start on, known an hour after their day. */
const closes = (values: readonly number[], from = 0): TimedSeries => {
  const time = Float64Array.from(values, (_, i) => START + (from + i) * DAY);
  return { time, known: time.map((t) => t + DAY + 3_600_000), columns: { close: Float64Array.from(values) } };
};
const csv = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text);
  return path;
};

describe('the store of timed series', () => {
  it('gives back what was put in, over years, with missing values', async () => {
    const key = { name: 'on-chain', subject: 'BTC' } as const;
    const time = Float64Array.of(START, START + DAY, START + 5 * DAY);
    const names = ['active_addresses', 'transactions', 'exchange_inflow', 'exchange_outflow'];
    const more = ['exchange_supply', 'hash_rate', 'supply', 'mvrv'];
    const columns = Object.fromEntries(
      [...names, ...more].map((name, i) => [name, Float64Array.of(i, NaN, i / 3)]),
    );
    const rows = { time, known: time.map((t) => t + 2 * DAY), columns };
    const { manifest, addedRows } = await store.merge(key, rows, { source: 'csv' });
    expect(addedRows).toBe(3);
    expect(manifest.parts.map(({ file }) => file)).toEqual(['2025.parquet', '2026.parquet']);
    expect(await store.read(key)).toEqual(rows);
    expect(await store.list()).toEqual([manifest]);
    expect(await store.verify(key)).toEqual([]);
  });

  it('keeps a row as it was first known, counts revisions, and has the same hash however rows arrived', async () => {
    await store.merge(VIX, closes([20, 21, 22]), { source: 'csv' });
    const { manifest, addedRows, revisedRows } = await store.merge(VIX, closes([99, 22, 23], 1), {
      source: 'csv',
    });
    expect([addedRows, revisedRows]).toEqual([1, 1]);
    expect((await store.read(VIX)).columns['close']).toEqual(Float64Array.of(20, 21, 22, 23));
    const other = openSeriesStore(join(folder, 'other'));
    await other.merge(VIX, closes([20, 21, 22, 23]), { source: 'csv' });
    expect((await other.manifest(VIX))?.sha256).toBe(manifest.sha256);
  });

  it('refuses a close that claims to be known on its own day, and changes nothing', async () => {
    const early = { ...closes([20, 21]), known: closes([20, 21]).time.map((t) => t + DAY - 1) };
    await expect(store.merge(VIX, early, { source: 'csv' })).rejects.toThrow(
      'vix: the row of 2025-12-30T00:00:00.000Z says it was known at 2025-12-30T23:59:59.999Z, before what it describes was over (2025-12-31T00:00:00.000Z).',
    );
    expect(await store.manifest(VIX)).toBeUndefined();
  });

  it('refuses rows out of order and says when a file was changed', async () => {
    const twice = { ...closes([1, 2]), time: Float64Array.of(START, START) };
    await expect(store.merge(VIX, twice, { source: 'csv' })).rejects.toThrow('does not come after');
    await store.merge(VIX, closes([20]), { source: 'csv' });
    const file = join(folder, 'series', 'vix', '2025.parquet');
    const bytes = readFileSync(file);
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(file, bytes);
    await expect(store.read(VIX)).rejects.toThrow('is damaged');
    expect(await store.verify(VIX)).toHaveLength(1);
  });

  it('finishes a change that was cut short after it was decided', async () => {
    await store.merge(VIX, closes([20]), { source: 'csv' });
    const { manifest } = await store.merge(VIX, closes([21], 1), { source: 'csv' });
    const here = join(folder, 'series', 'vix');
    writeFileSync(join(here, 'manifest.next.json'), readFileSync(join(here, 'manifest.json')));
    writeFileSync(join(here, '2025.parquet.tmp'), readFileSync(join(here, '2025.parquet')));
    rmSync(join(here, 'manifest.json'));
    rmSync(join(here, '2025.parquet'));
    expect((await store.list())[0].sha256).toBe(manifest.sha256);
    expect((await store.read(VIX)).time.length).toBe(2);
    expect(readdirSync(here).toSorted()).toEqual(['2025.parquet', 'manifest.json']);
  });
});

describe('series from CSV files', () => {
  it('reads Coin Metrics, alternative.me and plain closes; leaves out rows without a value', async () => {
    const chain = csv(
      'BTC.csv.gz',
      'timestamp,AdrActCnt,TxCnt,FlowInExNtv,FlowOutExNtv,SplyExNtv,HashRate,SplyCur,CapMVRVCur,PriceUSD\n' +
        `${START},5,6,7,8,9,,11,1.5,100\n`,
    );
    const { series } = await readSeriesCsv(chain, 'on-chain');
    expect(series.columns['exchange_inflow'][0]).toBe(7);
    expect(series.columns['hash_rate'][0]).toBeNaN();
    expect(series.known[0]).toBe(START + DAY + DAY / 2);
    const vix = csv(
      'VIX_close.csv',
      `timestamp,close\n${START},20\n${START + DAY},\n${START + 2 * DAY},22\n`,
    );
    const read = await readSeriesCsv(vix, 'vix');
    expect(read.emptyRows).toBe(1);
    expect(read.series.columns['close']).toEqual(Float64Array.of(20, 22));
  });

  it('takes the time a row was known from a column of the file, and refuses one that is too early', async () => {
    const known = csv('late.csv', `timestamp,known,close\n${START},${START + 3 * DAY},20\n`);
    expect((await readSeriesCsv(known, 'vix')).series.known[0]).toBe(START + 3 * DAY);
    const early = csv('early.csv', `timestamp,known,close\n${START},${START},20\n`);
    await expect(importSeries(store, VIX, { path: early, nowMs: START + 9 * DAY })).rejects.toThrow(
      'before what it describes was over',
    );
  });

  it('leaves out rows that are not known yet', async () => {
    const path = csv('vix.csv', `timestamp,close\n${START},20\n${START + DAY},21\n`);
    const { manifest, unfinishedRows } = await importSeries(store, VIX, {
      path,
      nowMs: START + DAY + 7_200_000,
    });
    expect([manifest.rows, unfinishedRows]).toEqual([1, 1]);
  });

  it.each([
    ['a column that is missing', 'timestamp,price\n1,2\n', 'has no column for close of vix'],
    ['a field that is no number', `timestamp,close\n${START},abc\n`, 'line 2: close is "abc"'],
    ['a time that is none', 'timestamp,close\nsoon,20\n', 'line 2: the time is "soon"'],
    [
      'rows out of order',
      `timestamp,close\n${START + DAY},1\n${START},2\n`,
      'line 3: 2025-12-30T00:00:00.000Z does not come after',
    ],
  ])('refuses %s with its line', async (_, text, message) => {
    await expect(readSeriesCsv(csv('bad.csv', text), 'vix')).rejects.toThrow(message);
  });

  it('finds the file of a series in a folder by its market or its name', async () => {
    csv('BTC-USDT.csv.gz', 'x');
    csv('GLD_close.csv', 'x');
    const funding = { name: 'funding', subject: 'binanceusdm/BTC-USDT' } as const;
    expect(await seriesPathFor(folder, funding)).toBe(join(folder, 'BTC-USDT.csv.gz'));
    expect(await seriesPathFor(folder, { name: 'gold', subject: '' })).toBe(join(folder, 'GLD_close.csv'));
    await expect(seriesPathFor(folder, { name: 'dxy', subject: '' })).rejects.toThrow('none is named "dxy');
  });
});
