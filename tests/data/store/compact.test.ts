import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pl from 'nodejs-polars';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { openStore, type Store } from '../../../src/data/store/store.ts';
import { sha256 } from '../../../src/data/store/fingerprint.ts';
import { walk } from '../../support/candles.ts';
import { temporaryFolder } from '../../support/folder.ts';

const KEY = { exchange: 'x', symbol: 'BTC/USDT', timeframe: '1h' } as const;

/** January to March 2024, its February written without compression, as another writer might have. */
async function bloated(): Promise<{ readonly store: Store; readonly folder: string }> {
  const store = openStore(join(temporaryFolder(), 'data'));
  await store.merge(KEY, walk(24 * 90, { startMs: Date.UTC(2024, 0, 1) }), {
    source: 'test',
    synthetic: false,
  });
  const folder = store.folder(KEY);
  const february = join(folder, '2024-02.parquet');
  const frame = pl.readParquet(readFileSync(february));
  const bytes = frame.writeParquet({ compression: 'uncompressed' });
  const path = join(folder, 'manifest.json');
  const manifest = z
    .looseObject({ parts: z.array(z.looseObject({ file: z.string(), sha256: z.string() })) })
    .parse(JSON.parse(readFileSync(path, 'utf8')));
  const parts = manifest.parts.map((part) =>
    part.file === '2024-02.parquet' ? { ...part, sha256: sha256(bytes) } : part,
  );
  writeFileSync(february, bytes);
  writeFileSync(path, JSON.stringify({ ...manifest, parts }));
  return { store, folder };
}

it('writes a month again that takes too much, and changes neither candles nor fingerprint', async () => {
  const { store, folder } = await bloated();
  const before = await store.manifest(KEY);
  const candles = await store.read(KEY);
  const told = await store.compact(KEY, { dryRun: true });
  expect(told).toMatchObject({ parts: 3, rows: 24 * 90, rewritten: ['2024-02.parquet'], removed: [] });
  expect(await store.manifest(KEY)).toEqual(before);

  expect(await store.compact(KEY, { dryRun: false })).toEqual(told);
  expect(await store.verify(KEY)).toEqual([]);
  expect(await store.read(KEY)).toEqual(candles);
  expect((await store.manifest(KEY))?.sha256).toBe(before?.sha256);
  expect(told.savedBytes).toBeGreaterThan(0);
  const again = await store.compact(KEY, { dryRun: false });
  expect(again).toMatchObject({ rewritten: [], savedBytes: 0, bytes: told.bytes - told.savedBytes });
  expect(readFileSync(join(folder, '2024-02.parquet')).length).toBeLessThan(told.bytes);
});

it('removes months that no manifest names and damaged ones that are stored again, and nothing else', async () => {
  const { store, folder } = await bloated();
  const put = (name: string): void => writeFileSync(join(folder, name), 'x'.repeat(10));
  const kept = ['2023-12.parquet.damaged', 'notes.txt', '2024-01.parquet.bak'];
  [...kept, '2023-11.parquet', '2024-01.parquet.damaged'].forEach(put);
  const { removed, removedBytes } = await store.compact(KEY, { dryRun: false });
  expect([...removed].sort()).toEqual(['2023-11.parquet', '2024-01.parquet.damaged']);
  expect(removedBytes).toBe(20);
  for (const name of removed) expect(existsSync(join(folder, name))).toBe(false);
  for (const name of kept) expect(existsSync(join(folder, name))).toBe(true);
  expect(await store.verify(KEY)).toEqual([]);
});

it('touches nothing where a month is damaged', async () => {
  const { store, folder } = await bloated();
  const january = join(folder, '2024-01.parquet');
  writeFileSync(january, readFileSync(january).subarray(0, 100));
  writeFileSync(join(folder, '2023-11.parquet'), 'x');
  await expect(store.compact(KEY, { dryRun: false })).rejects.toThrow(/is damaged/);
  expect(existsSync(join(folder, '2023-11.parquet'))).toBe(true);
});
