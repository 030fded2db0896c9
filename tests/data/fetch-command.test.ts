import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { openStore } from '../../src/data/store/store.ts';
import { createRandom } from '../../src/core/foundation/random.ts';
import { sliceCandles } from '../../src/core/market/candles.ts';
import { walk } from '../support/candles.ts';
import { pair } from '../support/exchange/market.ts';
import { type LoopbackExchange, type LoopbackOptions, startExchange } from '../support/exchange/server.ts';
import { temporaryFolder } from '../support/folder.ts';

const BIN = fileURLToPath(new URL('../../bin/crypto-trader.js', import.meta.url));
const HOUR = 3_600_000;
const START = Date.UTC(2024, 0, 1);
const ROWS = 6000;
const series = {
  'BTC/USDT': walk(ROWS, { startMs: START, seed: 1 }),
  'ETH/USDT': walk(ROWS, { startMs: START, seed: 2 }),
};

async function serve(options: Partial<LoopbackOptions> = {}): Promise<LoopbackExchange> {
  const exchange = await startExchange({
    pairs: Object.entries(series).map(([symbol, candles]) => pair(symbol, { '1h': candles })),
    nowMs: START + ROWS * HOUR,
    ...options,
  });
  onTestFinished(() => exchange.close());
  return exchange;
}

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

/** The compiled program in a folder of its own. */
function start(folder: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Run {
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text.stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text.stderr += chunk));
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    child,
    ended: once(child, 'close').then(([code]) => ({ code: z.number().nullable().parse(code), ...text })),
  };
}

const fetchArgs = (exchange: LoopbackExchange, ...more: string[]): string[] => [
  'fetch',
  '--base-url',
  exchange.url,
  '--symbols',
  'BTC/USDT,ETH/USDT',
  '--since',
  '2024-01-01',
  '--until',
  '2024-12-31',
  '--json',
  ...more,
];

const Document = z.object({
  datasets: z.array(
    z.looseObject({
      symbol: z.string(),
      rows: z.number(),
      addedRows: z.number(),
      sha256: z.string(),
      source: z.string(),
    }),
  ),
});

describe('crypto-trader fetch', () => {
  test('prints one JSON document with every field that the command line promises', async () => {
    const exchange = await serve();
    const { code, stdout } = await start(temporaryFolder(), fetchArgs(exchange)).ended;
    expect(code).toBe(0);
    expect(Document.parse(JSON.parse(stdout)).datasets[0]).toMatchObject({
      exchange: 'binance',
      symbol: 'BTC/USDT',
      timeframe: '1h',
      source: 'exchange',
      rows: ROWS,
      firstTime: '2024-01-01T00:00:00.000Z',
      lastTime: '2024-09-06T23:00:00.000Z',
      missingBars: 0,
      gaps: [],
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      synthetic: false,
    });
  });

  test('with nothing to do asks nobody and loads neither ccxt nor polars', async () => {
    const exchange = await serve();
    const folder = temporaryFolder();
    const args = fetchArgs(exchange, '--until', '2024-08-31');
    await start(folder, args).ended;
    const asked = exchange.requests.length;
    const coverage = join(folder, 'coverage');
    const { stdout } = await start(folder, args, { NODE_V8_COVERAGE: coverage }).ended;
    expect(Document.parse(JSON.parse(stdout)).datasets.map(({ addedRows }) => addedRows)).toEqual([0, 0]);
    expect(exchange.requests.length).toBe(asked);
    const loaded = readdirSync(coverage)
      .map((file) => readFileSync(join(coverage, file), 'utf8'))
      .join('');
    expect(loaded.includes('dist/start/main.mjs')).toBe(true);
    expect(/node_modules\/(ccxt|nodejs-polars)/.exec(loaded)?.[0]).toBeUndefined();
  });

  test('stops cleanly at Ctrl-C with exit code 130, keeps what it has, and resumes', async () => {
    const exchange = await serve({ latencyMs: 150 });
    const folder = temporaryFolder();
    const run = start(folder, fetchArgs(exchange));
    while (exchange.requests.length < 7) await sleep(20);
    run.child.kill('SIGINT');
    expect((await run.ended).code).toBe(130);
    const store = openStore(join(folder, 'data'));
    const kept = (await store.list()).reduce((rows, manifest) => rows + manifest.rows, 0);
    expect(kept).toBeGreaterThan(0);
    const { stdout } = await start(folder, fetchArgs(exchange)).ended;
    const added = Document.parse(JSON.parse(stdout)).datasets.reduce(
      (rows, dataset) => rows + dataset.addedRows,
      0,
    );
    expect(kept + added).toBe(2 * ROWS);
  });

  test('killed with SIGKILL at random moments loses and doubles nothing', { timeout: 180_000 }, async () => {
    const exchange = await serve({ latencyMs: 30 });
    const whole = await start(temporaryFolder(), fetchArgs(exchange)).ended;
    const expected = Document.parse(JSON.parse(whole.stdout)).datasets.map(({ sha256 }) => sha256);

    const random = createRandom(20);
    const folder = temporaryFolder();
    const data = join(folder, 'data');
    let kills = 0;
    while (kills < 6) {
      mkdirSync(data, { recursive: true });
      const run = start(folder, fetchArgs(exchange));
      // Every other kill strikes within the writing: at a random one of the store's file events.
      let events = kills % 2 === 0 ? Infinity : 1 + Math.floor(random() * 60);
      const watcher = watch(data, { recursive: true }, () => {
        if (--events === 0) run.child.kill('SIGKILL');
      });
      watcher.on('error', () => undefined); // a lock file that went away while it was looked at
      const timer = setTimeout(() => run.child.kill('SIGKILL'), 250 + random() * 900);
      const { code } = await run.ended;
      clearTimeout(timer);
      watcher.close();
      const store = openStore(data);
      for (const manifest of await store.list()) {
        expect(await store.verify(manifest)).toEqual([]);
        const candles = await store.read(manifest);
        const truth = sliceCandles(series[manifest.symbol as keyof typeof series], 0, candles.time.length);
        expect({ ...candles }).toEqual({ ...truth });
      }
      if (code === null) kills++;
      else rmSync(data, { recursive: true });
    }
    const { stdout, code } = await start(folder, fetchArgs(exchange)).ended;
    expect(code).toBe(0);
    const datasets = Document.parse(JSON.parse(stdout)).datasets;
    expect(datasets.map(({ sha256 }) => sha256)).toEqual(expected);
    expect(datasets.map(({ rows }) => rows)).toEqual([ROWS, ROWS]);
    for (const symbol of ['BTC-USDT', 'ETH-USDT']) {
      const files = readdirSync(join(data, 'ohlcv', 'binance', symbol, '1h'));
      expect(files.filter((name) => !/^(\d{4}-\d\d\.parquet|manifest\.json)$/.test(name))).toEqual([]);
    }
  });

  test.skipIf(process.platform === 'win32')(
    'on a full disk says so, changes nothing and leaves no partial file',
    async () => {
      const exchange = await serve();
      const folder = temporaryFolder();
      const first = fetchArgs(exchange, '--until', '2024-01-31');
      await start(folder, first).ended;
      const before = await openStore(join(folder, 'data')).list();
      // A limit on the size of files stands for the disk: the write fails in its middle just the same.
      const command = `ulimit -f 4; exec "${process.execPath}" "${BIN}" ${fetchArgs(exchange).join(' ')}`;
      const child = spawn('bash', ['-c', command], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
      await once(child, 'close');
      expect(child.exitCode).toBe(1);
      expect(stderr).toMatch(/Cannot write ".*" \(EFBIG\)\. What was there before is unchanged\./);
      expect(await openStore(join(folder, 'data')).list()).toEqual(before);
      expect(
        readdirSync(join(folder, 'data'), { recursive: true }).filter((name) =>
          /tmp|next|lock/.test(String(name)),
        ),
      ).toEqual([]);
    },
  );

  test.each([
    {
      name: 'dates reversed',
      args: ['--since', '2025-02-01', '--until', '2024-01-01'],
      code: 1,
      says: /The range ends .* before it begins/,
    },
    {
      name: 'a symbol that cannot be read',
      args: ['--symbols', 'BTC'],
      code: 1,
      says: /Cannot read symbol "BTC"/,
    },
    {
      name: 'a symbol that is not traded',
      args: ['--symbols', 'BTC/USDX'],
      code: 1,
      says: /does not trade BTC\/USDX.*Did you mean BTC\/USDT/s,
    },
    {
      name: 'an unknown exchange',
      args: ['--exchange', 'binanse'],
      code: 1,
      says: /Unknown exchange "binanse".*Did you mean "binance"/s,
    },
    { name: 'an unknown timeframe', args: ['--timeframe', '1w'], code: 1, says: /Unknown timeframe "1w"/ },
    {
      name: 'an unknown source',
      args: ['--source', 'exchnge'],
      code: 2,
      says: /--source cannot be "exchnge".*Did you mean "exchange"/s,
    },
    {
      name: 'a base URL that is none',
      args: ['--base-url', 'notaurl'],
      code: 1,
      says: /"notaurl" is not the address of an exchange.*--base-url/s,
    },
    { name: 'csv without a file', args: ['--source', 'csv'], code: 2, says: /belong together/ },
    {
      name: 'an unknown option',
      args: ['--simbols', 'BTC/USDT'],
      code: 2,
      says: /unknown option '--simbols'.*--symbols/s,
    },
  ])('answers $name with exit code $code and what to do', async ({ args, code, says }) => {
    const exchange = await serve();
    const folder = temporaryFolder();
    const result = await start(folder, [
      'fetch',
      '--base-url',
      exchange.url,
      '--since',
      '2024-01-01',
      ...args,
    ]).ended;
    expect(result.stderr).toMatch(says);
    expect(result.code).toBe(code);
    expect(await openStore(join(folder, 'data')).list()).toEqual([]);
  });

  const daily = async (down: string, ...more: string[]) => {
    const exchange = await serve({
      pairs: [pair('BTC/USDT', { '1d': walk(60, { startMs: START, timeframe: '1d' }) })],
      faults: [{ kind: 'server-error', path: down }],
    });
    const folder = temporaryFolder();
    const range = ['--since', '2024-01-01', '--until', '2024-01-31', '--timeframe', '1d'];
    const args = ['fetch', '--base-url', exchange.url, '--symbols', 'BTC/USDT', ...range, ...more];
    const env = { CRYPTO_TRADER_FETCH_YAHOO_URL: exchange.url, CRYPTO_TRADER_FETCH_RETRIES: '1' };
    return { folder, ...(await start(folder, args, env).ended) };
  };

  test('auto takes Yahoo when the exchange is down, and says why', async () => {
    const { code, stdout } = await daily('/api/v3', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      source: 'yahoo',
      passedOver: [{ reason: expect.stringMatching(/Binance cannot be reached/) as string }],
      datasets: [{ synthetic: false, exchange: 'yahoo', rows: 31 }],
    });
  });

  test('auto makes no candles up when both are down: it fails, names both, and leaves nothing', async () => {
    const { code, stderr, folder } = await daily('/');
    expect(code).toBe(1);
    expect(stderr).toMatch(/No source of candles.*Binance cannot be reached.*Yahoo cannot be reached/s);
    expect(stderr).toContain('--source synthetic');
    expect(await openStore(join(folder, 'data')).list()).toEqual([]);
  });

  test('made-up candles come only by name, and are labelled', async () => {
    const folder = temporaryFolder();
    const range = ['--since', '2024-01-01', '--until', '2024-01-31', '--timeframe', '1d'];
    const args = ['fetch', '--symbols', 'BTC/USDT', ...range, '--source', 'synthetic'];
    const { code, stdout } = await start(folder, args).ended;
    expect(code).toBe(0);
    expect(stdout).toContain('SYNTHETIC');
    expect((await start(folder, ['data', 'list']).ended).stdout).toContain('SYNTHETIC');
  });

  test('one symbol that fails leaves the others alone, and is named', async () => {
    const exchange = await serve();
    const folder = temporaryFolder();
    const args = fetchArgs(exchange, '--source', 'exchange', '--symbols', 'BTC/USDT,XYZ/USDT,ETH/USDT');
    const { code, stdout, stderr } = await start(folder, args).ended;
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      datasets: [{ symbol: 'BTC/USDT', rows: ROWS }, { symbol: 'ETH/USDT' }],
      failed: [{ symbol: 'XYZ/USDT', reason: 'Binance does not trade XYZ/USDT.' }],
    });
    expect(stderr).toContain('XYZ/USDT failed: Binance does not trade XYZ/USDT.');
  });

  test('auto does not make candles up for a symbol that the exchange does not trade', async () => {
    const exchange = await serve();
    const args = ['fetch', '--base-url', exchange.url, '--symbols', 'BTC/USDX', '--since', '2024-01-01'];
    expect((await start(temporaryFolder(), args).ended).code).toBe(1);
  });
});

describe('crypto-trader data', () => {
  test('lists, verifies, shows gaps and exports; verify fails with exit code 3 on a damaged file', async () => {
    const folder = temporaryFolder();
    const csv = join(folder, 'in.csv');
    const line = (hour: number): string => `${START + hour * HOUR},10,12,9,11,5`;
    writeFileSync(csv, ['timestamp,open,high,low,close,volume', line(0), line(1), line(3)].join('\n'));
    await start(folder, ['fetch', '--csv', csv, '--symbols', 'BTC/USDT', '--exchange', 'binance']).ended;

    const gaps = await start(folder, ['data', 'gaps']).ended;
    expect(gaps.stdout).toMatch(/2024-01-01 02:00 .* 1 .*the source has none/);
    expect((await start(folder, ['data', 'list']).ended).stdout).toMatch(/binance +BTC\/USDT +1h +3/);
    expect(await start(folder, ['data', 'verify']).ended).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/good/) as string,
    });

    await start(folder, ['data', 'export', '--symbols', 'BTC/USDT', '--out', 'out.csv']).ended;
    expect(readFileSync(join(folder, 'out.csv'), 'utf8').trim()).toBe(readFileSync(csv, 'utf8'));

    writeFileSync(join(folder, 'data/ohlcv/binance/BTC-USDT/1h/2024-01.parquet'), 'gone');
    const verified = await start(folder, ['data', 'verify']).ended;
    expect(verified.code).toBe(3);
    expect(verified.stdout).toMatch(/2024-01.parquet" is damaged/);
  });
});

test('says what a fetch would ask for, without asking, and knows what is stored', async () => {
  const cwd = temporaryFolder();
  const range = ['--symbols', 'BTC/USDT', '--since', '2024-01-01', '--until', '2024-02-29'];
  const dryRun = async (): Promise<unknown> => {
    const { code, stdout } = await start(cwd, ['fetch', ...range, '--dry-run', '--json']).ended;
    expect(code).toBe(0);
    return JSON.parse(stdout);
  };
  // Sixty days of hours, 1000 bars a request at Binance.
  expect(await dryRun()).toMatchObject({ bars: 1440, requests: 2, leastSeconds: 0.1 });
  expect(existsSync(join(cwd, 'data'))).toBe(false);
  const key = { exchange: 'binance', symbol: 'BTC/USDT', timeframe: '1h' } as const;
  const stored = walk(1000, { startMs: Date.UTC(2024, 0, 1, 100), seed: 1 });
  await openStore(join(cwd, 'data')).merge(key, stored, { source: 'csv', synthetic: false });
  // A hundred bars before what is stored, and 340 after it.
  expect(await dryRun()).toMatchObject({
    bars: 440,
    requests: 2,
    symbols: [{ from: '2024-01-01T00:00:00.000Z', until: '2024-03-01T00:00:00.000Z' }],
  });
});
