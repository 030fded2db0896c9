import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openStore, type DatasetKey } from '../../../src/data/store/store.ts';
import { type Candles, emptyCandles, sliceCandles } from '../../../src/core/market/candles.ts';
import { pick, walk } from '../../support/candles.ts';
import { temporaryFolder } from '../../support/folder.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2024, 0, 1);
const key: DatasetKey = { exchange: 'binance', symbol: 'BTC/USDT', timeframe: '1h' };
const origin = { source: 'binance', synthetic: false };
/** January to the middle of April. */
const series = walk(2500, { startMs: START });
const rowsBetween = (from: number, to: number): Candles => sliceCandles(series, from, to);

const same = (found: Candles, expected: Candles): void => expect({ ...found }).toEqual({ ...expected });

test('what was merged is read back to the last bit, whole or in part', async () => {
  const store = openStore(temporaryFolder());
  await store.merge(key, series, origin);
  same(await store.read(key), series);
  same(
    await store.read(key, { sinceMs: START + 700 * HOUR, untilMs: START + 800 * HOUR }),
    rowsBetween(700, 800),
  );
  expect(await store.verify(key)).toEqual([]);
});

test('months are zstd parquet files named after them, beside a manifest', async () => {
  const store = openStore(temporaryFolder());
  await store.merge(key, series, origin);
  expect(store.folder(key)).toMatch(/ohlcv\/binance\/BTC-USDT\/1h$/);
  expect(readdirSync(store.folder(key)).toSorted()).toEqual([
    '2024-01.parquet',
    '2024-02.parquet',
    '2024-03.parquet',
    '2024-04.parquet',
    'manifest.json',
  ]);
  const file = readFileSync(join(store.folder(key), '2024-01.parquet'));
  expect(file.subarray(0, 4).toString()).toBe('PAR1');
});

test('any order of merging any pieces gives the same candles and the same fingerprint', async () => {
  const small = sliceCandles(series, 700, 800); // across the end of January
  const whole = await openStore(temporaryFolder()).merge(key, small, origin);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(99), fc.nat(99)), { maxLength: 4 }), async (cuts) => {
      const store = openStore(temporaryFolder());
      for (const [a, b] of cuts) {
        if (a !== b) await store.merge(key, sliceCandles(small, Math.min(a, b), Math.max(a, b)), origin);
      }
      const manifest = await store.merge(key, small, origin);
      same(await store.read(key), small);
      expect(manifest.sha256).toBe(whole.sha256);
    }),
    { numRuns: 15 },
  );
});

test('gaps are those of the bars, and count as checked where the source has answered', async () => {
  const store = openStore(temporaryFolder());
  const holed = pick(series, (row) => (row < 100 || row >= 103) && (row < 740 || row >= 750));
  const covered = [{ fromMs: START, untilMs: START + 745 * HOUR }];
  const { gaps } = await store.merge(key, holed, origin, covered);
  const gap = (from: number, to: number, checked: boolean) => ({
    fromMs: START + from * HOUR,
    toMs: START + (to - 1) * HOUR,
    bars: to - from,
    checked,
  });
  // Row 744 is the first of February: one gap inside a month, one across two.
  expect(gaps).toEqual([gap(100, 103, true), gap(740, 745, true), gap(745, 750, false)]);
});

test('a bar that differs from the stored one is refused and changes nothing', async () => {
  const store = openStore(temporaryFolder());
  const before = await store.merge(key, rowsBetween(0, 10), origin);
  const other = { ...rowsBetween(5, 15), close: rowsBetween(5, 15).close.map((price) => price + 0.01) };
  await expect(store.merge(key, other, origin)).rejects.toThrow(
    /bar of 2024-01-01T05:00:00.000Z is stored with close/,
  );
  expect(await store.manifest(key)).toEqual(before);
});

test('synthetic and real candles never share a dataset', async () => {
  const store = openStore(temporaryFolder());
  await store.merge(key, rowsBetween(0, 10), origin);
  const synthetic = { source: 'synthetic', synthetic: true };
  await expect(store.merge(key, rowsBetween(10, 20), synthetic)).rejects.toThrow(
    /is real, the new candles are not/,
  );
});

test('a dataset that is not there is an error that says how to get it', async () => {
  await expect(openStore(temporaryFolder()).read(key)).rejects.toMatchObject({
    message: 'There are no candles of binance BTC/USDT 1h in the store.',
    hint: 'Fetch them: crypto-trader fetch --exchange binance --symbols BTC/USDT --timeframe 1h',
  });
});

const flipByte = (path: string): void => {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(path, bytes);
};

test.each<{ name: string; damage: (folder: string) => void; says: RegExp }>([
  {
    name: 'one flipped bit',
    damage: (folder) => flipByte(join(folder, '2024-02.parquet')),
    says: /2024-02.parquet" is damaged: its SHA-256 is/,
  },
  {
    name: 'a cut-off file',
    damage: (folder) => writeFileSync(join(folder, '2024-02.parquet'), 'PAR1'),
    says: /2024-02.parquet" is damaged/,
  },
  {
    name: 'a missing file',
    damage: (folder) => rmSync(join(folder, '2024-02.parquet')),
    says: /2024-02.parquet" is missing/,
  },
])('$name is found by read and verify, and repaired without touching the rest', async ({ damage, says }) => {
  const store = openStore(temporaryFolder());
  const whole = await store.merge(key, series, origin, [{ fromMs: START, untilMs: START + 2500 * HOUR }]);
  damage(store.folder(key));
  await expect(store.read(key)).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringMatching(says) as string,
    hint: expect.stringContaining('--repair') as string,
  });
  expect(await store.verify(key)).toEqual([expect.stringMatching(says)]);

  expect(await store.repair(key)).toHaveLength(1);
  expect((await store.manifest(key))?.gaps).toEqual([
    { fromMs: Date.UTC(2024, 1, 1), toMs: Date.UTC(2024, 2, 1) - HOUR, bars: 29 * 24, checked: false },
  ]);
  const again = await store.merge(key, series, origin);
  expect(again.sha256).toBe(whole.sha256);
  expect(await store.verify(key)).toEqual([]);
});

test.each([
  {
    field: 'parts.rows',
    edit: (text: string) => text.replace('"rows": 744', '"rows": 743'),
    says: /manifest disagrees with ".*2024-01.parquet"/,
  },
  {
    field: 'rows',
    edit: (text: string) => text.replace('"rows": 2500', '"rows": 2501'),
    says: /rows is 2501, its parts say 2500/,
  },
])('a manifest whose $field is wrong is found', async ({ edit, says }) => {
  const store = openStore(temporaryFolder());
  await store.merge(key, series, origin);
  const path = join(store.folder(key), 'manifest.json');
  writeFileSync(path, edit(readFileSync(path, 'utf8')));
  expect((await store.verify(key)).join('\n')).toMatch(says);
});

test('a manifest that is not one is an error that names the file and what is wrong', async () => {
  const store = openStore(temporaryFolder());
  await store.merge(key, series, origin);
  const path = join(store.folder(key), 'manifest.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace('"rows": 2500', '"rows": "many"'));
  await expect(store.read(key)).rejects.toThrow(/manifest.json" is damaged or of another version: .*rows/s);
  writeFileSync(path, '{"version":');
  await expect(store.manifest(key)).rejects.toThrow(/manifest.json" is damaged/);
});

/** The files of a dataset before and after a merge, and a store over a folder to mix them in. */
async function beforeAndAfter() {
  const [before, after, mixed] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
  await openStore(before).merge(key, rowsBetween(0, 1000), origin);
  cpSync(before, after, { recursive: true });
  cpSync(before, mixed, { recursive: true });
  await openStore(after).merge(key, rowsBetween(1000, 2500), origin);
  const store = openStore(mixed);
  const folder = store.folder(key);
  const put = (file: string, as: string): void =>
    cpSync(join(openStore(after).folder(key), file), join(folder, as));
  return { store, folder, put };
}

const CHANGED = ['2024-02.parquet', '2024-03.parquet', '2024-04.parquet'];

test('killed while the new months were written: the old state, and the leftovers go away', async () => {
  const { store, folder, put } = await beforeAndAfter();
  put('2024-02.parquet', '2024-02.parquet.tmp');
  writeFileSync(join(folder, 'manifest.next.json.tmp'), '{"version"');
  same(await store.read(key), rowsBetween(0, 1000));
  await store.merge(key, rowsBetween(999, 1000), origin);
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test.each([0, 1, 2, 3])('killed after %i of 3 months were renamed: the new state', async (renamed) => {
  const { store, folder, put } = await beforeAndAfter();
  for (const [i, file] of CHANGED.entries()) put(file, i < renamed ? file : `${file}.tmp`);
  put('manifest.json', 'manifest.next.json');
  same(await store.read(key), series);
  expect(await store.verify(key)).toEqual([]);
  expect(existsSync(join(folder, 'manifest.next.json'))).toBe(false);
});

test('killed before the very first manifest was in place: the new state', async () => {
  const { store, folder } = await beforeAndAfter();
  renameSync(join(folder, 'manifest.json'), join(folder, 'manifest.next.json'));
  same(await store.read(key), rowsBetween(0, 1000));
  expect(await store.list()).toHaveLength(1);
});

test('an unfinished change whose months were lost is reported, not adopted', async () => {
  const { store, put } = await beforeAndAfter();
  put('manifest.json', 'manifest.next.json');
  await expect(store.read(key)).rejects.toThrow(/is damaged|is missing/);
});

/** Merges the dataset of one store into another in a process that kills itself before its n-th file operation. */
function mergeAndDie(key: DatasetKey, [from, into]: readonly [string, string], dieBefore: number): boolean {
  const code = `
    import fs from 'node:fs/promises';
    import { syncBuiltinESMExports } from 'node:module';
    let operations = 0;
    for (const name of ['open', 'rename', 'link', 'rm']) {
      const original = fs[name];
      fs[name] = (...args) => {
        if (++operations === ${dieBefore}) process.kill(process.pid, 'SIGKILL');
        return original(...args);
      };
    }
    syncBuiltinESMExports();
    const { openStore } = await import(${JSON.stringify(new URL('../../../dist/data/store/store.js', import.meta.url).href)});
    const key = ${JSON.stringify(key)};
    const candles = await openStore(${JSON.stringify(from)}).read(key);
    await openStore(${JSON.stringify(into)}).merge(key, candles, ${JSON.stringify(origin)});`;
  const { signal, status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
  });
  expect([signal, status, stderr]).toEqual(signal === null ? [null, 0, ''] : ['SIGKILL', null, '']);
  return signal !== null;
}

/** Two days of January, the second apart, and the first bars of the third, with which it goes to its month. */
const minutes = walk(3000, { startMs: Date.UTC(2024, 0, 20), timeframe: '1m' });

test.each([
  ['months', key, series, 1000],
  ['a month and days', { ...key, timeframe: '1m' } as const, minutes, 2880],
])(
  'killed before any one of its file operations, a merge leaves the old state or the new one: %s',
  async (_, key, series, stored) => {
    const [before, after] = [temporaryFolder(), temporaryFolder()];
    await openStore(before).merge(key, sliceCandles(series, 0, stored), origin);
    await openStore(after).merge(key, series, origin);
    const found: number[] = [];
    for (let dieBefore = 1; ; dieBefore++) {
      const folder = temporaryFolder();
      cpSync(before, folder, { recursive: true });
      const died = mergeAndDie(key, [after, folder], dieBefore);
      const store = openStore(folder);
      const candles = await store.read(key);
      found.push(candles.time.length);
      same(candles, sliceCandles(series, 0, candles.time.length));
      expect(await store.verify(key)).toEqual([]);
      const again = await store.merge(key, series, origin);
      expect(again.sha256).toBe((await openStore(after).manifest(key))?.sha256);
      expect(readdirSync(store.folder(key)).toSorted()).toEqual(
        [...again.parts.map(({ file }) => file), 'manifest.json'].toSorted(),
      );
      if (!died) break;
    }
    // Old states first, then new ones, and nothing between.
    expect([...new Set(found)]).toEqual([stored, series.time.length]);
    expect(found.toSorted((a, b) => a - b)).toEqual(found);
    expect(found.length).toBeGreaterThan(12);
  },
);

test('writers of one dataset wait for each other, and readers see whole states only', async () => {
  const folder = temporaryFolder();
  const stores = [openStore(folder), openStore(folder), openStore(folder)];
  await stores[0].merge(key, rowsBetween(0, 10), origin);
  const writing = Promise.all(
    Array.from({ length: 12 }, (_, i) =>
      stores[i % 2].merge(key, rowsBetween(10 + i * 200, 10 + (i + 1) * 200), origin),
    ),
  );
  let finished = false;
  void writing.finally(() => (finished = true));
  while (!finished) {
    const rows = (await stores[2].read(key)).time.length;
    expect((rows - 10) % 200).toBe(0);
  }
  same(await stores[2].read(key), rowsBetween(0, 2410));
});

test('an empty store lists nothing, and folders of other things are left alone', async () => {
  const folder = temporaryFolder();
  const store = openStore(folder);
  expect(await store.list()).toEqual([]);
  await store.merge(key, rowsBetween(0, 10), origin);
  cpSync(store.folder(key), join(folder, 'ohlcv', 'binance', 'notes', '1h'), { recursive: true });
  expect(await store.list()).toHaveLength(1);
  await expect(store.merge({ ...key, symbol: 'ETH/USDT' }, emptyCandles(0), origin)).rejects.toThrow(
    /at least one bar/,
  );
});
