import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type BacktestArchive,
  backtestId,
  findBacktest,
  keepBacktest,
  keptPaths,
  listBacktests,
  pinBacktest,
  readBacktest,
  unpinBacktest,
} from '../../../src/app/workflows/kept-backtests.ts';
import { type Disk, nodeDisk } from '../../../src/data/files.ts';
import { temporaryFolder } from '../../support/folder.ts';

const figures = { totalReturnPct: 1.1, sharpe: null, maxDrawdownPct: -0.1 + 0.3, tradeCount: 1 };

const documentNamed = (id: string, time = '2026-01-01T00:00:00.000Z') => ({
  id,
  time,
  exchange: 'binance',
  symbols: ['BTC/USDT'],
  timeframe: '1h',
  synthetic: false,
  range: { from: '2025-01-01T00:00:00.000Z', to: '2025-02-01T00:00:00.000Z' },
  bars: 744,
  trainedBy: 'training run a',
  strategy: 'own',
  metrics: figures,
  dataFingerprint: 'ab',
  settings: { seed: 1 },
  weights: {},
  trials: { count: 1, effective: 1, barSharpes: [0.1 + 0.2] },
  sentences: ['A sentence.'],
  models: [],
  benchmark: { name: 'buy-and-hold', ...figures },
  costTerms: 'fee 10 bp per side',
  costs: {},
  rules: { initialBalance: 100 },
  trades: [],
});

const archiveIn = (folder: string, most = 10): BacktestArchive => ({
  folder: join(folder, 'backtests'),
  most,
});

describe('a kept backtest', () => {
  test('is read as it was written, all digits of it', async () => {
    const archive = archiveIn(temporaryFolder());
    const document = documentNamed('a');
    await keepBacktest(archive, document, 'time,ensemble\n1,0.1\n');
    expect(await readBacktest(archive, 'a')).toEqual({ document, equity: 'time,ensemble\n1,0.1\n' });
  });

  test.each(['summary', 'document', 'equity'] as const)(
    'with a flipped bit in its %s is called damaged',
    async (file) => {
      const archive = archiveIn(temporaryFolder());
      await keepBacktest(archive, documentNamed('a'), 'time,ensemble\n1,0.1\n');
      const path = keptPaths(archive, 'a')[file];
      const bytes = readFileSync(path);
      bytes[bytes.length >> 1] ^= 1;
      writeFileSync(path, bytes);
      await expect(readBacktest(archive, 'a')).rejects.toThrow(/damaged/);
    },
  );

  test('that is damaged does not hide the others', async () => {
    const archive = archiveIn(temporaryFolder());
    await keepBacktest(archive, documentNamed('a'), '');
    await keepBacktest(archive, documentNamed('b'), '');
    writeFileSync(keptPaths(archive, 'a').summary, '{}');
    expect((await listBacktests(archive)).map(({ kind }) => kind)).toEqual(['damaged', 'whole']);
  });

  test('is found by the beginning of its name, unless several begin so', async () => {
    const archive = archiveIn(temporaryFolder());
    await expect(findBacktest(archive, undefined)).rejects.toThrow('No backtest is kept');
    for (const id of ['2026-01-01T00-00-00Z-aa11', '2026-01-01T00-00-00Z-ab22'])
      await keepBacktest(archive, documentNamed(id), '');
    expect(await findBacktest(archive, '2026-01-01T00-00-00Z-aa')).toMatch(/aa11$/);
    expect(await findBacktest(archive, undefined)).toMatch(/ab22$/);
    await expect(findBacktest(archive, '2026')).rejects.toThrow('2 backtests');
    await expect(findBacktest(archive, '../..')).rejects.toThrow('No backtest "../.." is kept');
  });

  test('sorts by its end and differs from another of the same second', () => {
    expect(backtestId(Date.UTC(2026, 0, 1), 'a') < backtestId(Date.UTC(2026, 0, 2), 'a')).toBe(true);
    for (const curve of 'abcdef') expect(backtestId(9, curve) < backtestId(10, 'a')).toBe(true);
    expect(backtestId(0, 'a')).not.toBe(backtestId(0, 'b'));
    // Two programs that run the same backtest in one second.
    expect(backtestId(1, 'a')).not.toBe(backtestId(2, 'a'));
    expect(backtestId(0, 'a')).toMatch(/^1970-01-01T00-00-00Z-000[0-9a-f]{2}$/);
  });
});

test('of more than are to be kept, the oldest go, whole', async () => {
  const archive = archiveIn(temporaryFolder(), 2);
  for (const id of ['a', 'b', 'c']) await keepBacktest(archive, documentNamed(id), '');
  expect(readdirSync(archive.folder).sort()).toEqual(['b', 'c']);
});

test('what is no backtest is not removed, however much of it lies there', async () => {
  const archive = archiveIn(temporaryFolder(), 1);
  const foreign = ['aa', 'bb', 'cc'];
  for (const name of foreign) mkdirSync(join(archive.folder, name), { recursive: true });
  for (const id of ['a', 'b']) await keepBacktest(archive, documentNamed(id), '');
  expect(readdirSync(archive.folder).sort()).toEqual(['aa', 'b', 'bb', 'cc']);
});

test('what a killed process left half-written is not listed, and goes after a day', async () => {
  const archive = archiveIn(temporaryFolder());
  const [old, young] = ['.x.1.tmp', '.y.2.tmp'].map((name) => join(archive.folder, name));
  for (const folder of [old, young]) mkdirSync(folder, { recursive: true });
  utimesSync(old, 0, 0);
  await keepBacktest(archive, documentNamed('a'), '');
  expect(await listBacktests(archive)).toHaveLength(1);
  expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
});

describe('a pinned backtest', () => {
  test('stays, is called by its name, and goes like others when it is let go', async () => {
    const archive = archiveIn(temporaryFolder(), 2);
    const at = (n: number): string => `2026-01-0${n}T00-00-00Z-aaaa`;
    await keepBacktest(archive, documentNamed(at(1)), 'a');
    await pinBacktest(archive, at(1), 'spring');
    for (const n of [2, 3, 4]) await keepBacktest(archive, documentNamed(at(n)), 'a');
    const ids = async () =>
      (await listBacktests(archive)).map((one) => [one.kind === 'whole' && one.summary.id, one.pin]);
    expect(await ids()).toEqual([
      [at(1), 'spring'],
      [at(3), undefined],
      [at(4), undefined],
    ]);
    expect(await findBacktest(archive, 'spring')).toBe(at(1));
    expect((await readBacktest(archive, at(1))).document.bars).toBe(744);
    await expect(pinBacktest(archive, at(3), 'spring')).rejects.toThrow(
      `${at(1)} is called "spring" already`,
    );
    await expect(pinBacktest(archive, at(3), '../x')).rejects.toThrow('is no name');
    await unpinBacktest(archive, at(1));
    await keepBacktest(archive, documentNamed(at(5)), 'a');
    expect(await ids()).toEqual([
      [at(4), undefined],
      [at(5), undefined],
    ]);
  });

  test('is pinned still when its pin cannot be read', async () => {
    const archive = archiveIn(temporaryFolder(), 1);
    await keepBacktest(archive, documentNamed('2026-01-01T00-00-00Z-aaaa'), 'a');
    writeFileSync(join(archive.folder, '2026-01-01T00-00-00Z-aaaa', 'pin.json'), '{"na');
    await keepBacktest(archive, documentNamed('2026-01-02T00-00-00Z-aaaa'), 'a');
    await keepBacktest(archive, documentNamed('2026-01-03T00-00-00Z-aaaa'), 'a');
    expect((await listBacktests(archive)).map(({ pin }) => pin)).toEqual(['pinned', undefined]);
  });
});

describe('when the disk refuses', () => {
  /** A disk whose n-th operation fails. */
  function failing(at: number): { readonly disk: Disk; readonly count: () => number } {
    let operations = 0;
    const step = (): void => {
      if (++operations === at) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    };
    const disk: Disk = {
      rename: async (...args) => {
        step();
        return nodeDisk.rename(...args);
      },
      open: async (...args) => {
        step();
        const file = await nodeDisk.open(...args);
        const [write, sync] = [file.writeFile.bind(file), file.sync.bind(file)];
        file.writeFile = async (...given) => {
          step();
          return write(...given);
        };
        file.sync = async () => {
          step();
          return sync();
        };
        return file;
      },
    };
    return { disk, count: () => operations };
  }

  test('at any of its steps, nothing or all of it is there', async () => {
    const whole = failing(Infinity);
    await keepBacktest(archiveIn(temporaryFolder()), documentNamed('a'), 'time\n', whole.disk);
    expect(whole.count()).toBeGreaterThan(9);
    for (let at = 1; at <= whole.count(); at++) {
      const archive = archiveIn(temporaryFolder());
      await expect(keepBacktest(archive, documentNamed('a'), 'time\n', failing(at).disk)).rejects.toThrow(
        /ENOSPC/,
      );
      const names = readdirSync(archive.folder);
      // Only when the folder has its name already, and the rename could not be made durable, is it there: whole.
      if (names.length > 0) expect(await readBacktest(archive, 'a')).toBeDefined();
      expect(names.filter((name) => name.startsWith('.'))).toEqual([]);
    }
  });
});
