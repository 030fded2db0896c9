import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openExchange } from '../../../src/data/exchange/client.ts';
import { recordOrderBooks } from '../../../src/data/record-order-books.ts';
import { openStore, type Store } from '../../../src/data/store/store.ts';
import { updateSeries } from '../../../src/data/update-series.ts';
import { silentLog } from '../../../src/core/foundation/log.ts';
import { runCli } from '../../support/cli.ts';
import { walk } from '../../support/candles.ts';
import { fundingRate, openInterest } from '../../support/exchange/binance-futures.ts';
import { pair } from '../../support/exchange/market.ts';
import { startExchange } from '../../support/exchange/server.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 1);
const NOW = START + 60 * DAY + 30 * 60_000;
const signal = new AbortController().signal;

async function setUp() {
  const folder = mkdtempSync(join(tmpdir(), 'series-'));
  const pairs = [pair('BTC/USDT', { '1h': walk(1500, { startMs: START }) })];
  const server = await startExchange({ pairs, nowMs: NOW });
  onTestFinished(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });
  const open = (id: string, perpetuals: boolean) =>
    openExchange({ id, perpetuals, baseUrl: server.url, timeoutMs: 2000, retries: 0, log: silentLog });
  const store: Store = openStore(join(folder, 'data'));
  return { folder, server, open, store };
}

test('funding rates over months, asked for once, and then only what is new', async () => {
  const { server, open, store } = await setUp();
  const client = await open('binanceusdm', true);
  const key = { name: 'funding', subject: 'binanceusdm/BTC-USDT' } as const;
  const asked = { client, symbol: 'BTC/USDT', sinceMs: START, signal } as const;
  const { manifest, addedRows } = await updateSeries(store.series, key, asked);
  const { time, known, columns } = await store.series.read(key);
  // Settlements of 60 days from START on, at 0, 8 and 16 o'clock, the one of now included.
  expect(addedRows).toBe(60 * 3 + 1);
  expect([...time]).toEqual(Array.from({ length: 181 }, (_, i) => START + i * 8 * HOUR));
  expect([...columns['rate']]).toEqual([...time].map(fundingRate));
  expect(known[0] - time[0]).toBe(60_000);
  expect(manifest.askedSinceMs).toBe(START);
  const before = server.requests.length;
  server.clock.set(NOW + 8 * HOUR);
  expect((await updateSeries(store.series, key, asked)).addedRows).toBe(1);
  expect(server.requests.slice(before).filter((path) => path.includes('fundingRate'))).toHaveLength(1);
});

test('funding up to a day, and later what comes after it, without a hole', async () => {
  const { open, store } = await setUp();
  const client = await open('binanceusdm', true);
  const key = { name: 'funding', subject: 'binanceusdm/BTC-USDT' } as const;
  const day = (count: number): number => START + count * 24 * HOUR;
  const update = async (sinceMs: number, untilMs?: number): Promise<readonly number[]> => {
    const range = untilMs === undefined ? { sinceMs } : { sinceMs, untilMs };
    await updateSeries(store.series, key, { client, symbol: 'BTC/USDT', ...range, signal });
    return [...(await store.series.read(key)).time];
  };
  const days = (from: number, to: number): number[] =>
    Array.from({ length: 3 * (to - from) }, (_, i) => day(from) + i * 8 * HOUR);
  expect(await update(day(10), day(12))).toEqual(days(10, 12));
  // Earlier days that end before the stored ones begin are asked for up to them.
  const whole = await update(day(5), day(7));
  expect(whole.slice(0, 3 * 7)).toEqual(days(5, 12));
  expect(await update(day(5), day(14))).toEqual(days(5, 14));
});

test('open interest of the last month, since the exchange has forgotten what is older', async () => {
  const { open, store } = await setUp();
  const client = await open('binanceusdm', true);
  const key = { name: 'open-interest', subject: 'binanceusdm/BTC-USDT' } as const;
  await updateSeries(store.series, key, { client, symbol: 'BTC/USDT', sinceMs: START, signal });
  const { time, columns } = await store.series.read(key);
  expect(time.at(-1)).toBe(NOW - 30 * 60_000);
  expect(time.length).toBe(29 * 24);
  expect([...columns['amount']]).toEqual([...time].map(openInterest));
});

test('candles of a perpetual under the name of its pair', async () => {
  const { folder, server } = await setUp();
  const args = [
    'fetch',
    '--exchange',
    'binanceusdm',
    '--source',
    'exchange',
    '--symbols',
    'BTC/USDT',
    '--timeframe',
    '1h',
  ];
  const range = ['--since', '2026-01-01', '--until', '2026-01-02', '--base-url', server.url];
  const { status, stdout, stderr } = await runCli([...args, ...range, '--json'], { cwd: folder });
  expect(status, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    datasets: [{ exchange: 'binanceusdm', symbol: 'BTC/USDT', rows: 48 }],
  });
});

test('a snapshot of an order book: depth of 5, 10 and 20 levels and what was traded since the one before', async () => {
  const { open, server, store } = await setUp();
  const client = await open('binance', false);
  const key = { name: 'order-book', subject: 'binance/BTC-USDT' } as const;
  const missed: string[] = [];
  const record = (count: number) =>
    recordOrderBooks(store.series, [{ key, client, symbol: 'BTC/USDT' }], {
      everyMs: 60_000,
      count,
      signal,
      now: () => server.clock.now(),
      onSnapshot: () => {},
      onMissed: (_, reason) => missed.push(reason),
    });
  await record(1);
  const { columns } = await store.series.read(key);
  // The loopback book holds k/10 on level k of each side.
  const at = (name: string): number => columns[name][0];
  for (const side of ['bid', 'ask']) {
    expect(at(`${side}_5`)).toBeCloseTo(1.5, 9);
    expect(at(`${side}_10`)).toBeCloseTo(5.5, 9);
    expect(at(`${side}_20`)).toBeCloseTo(21, 9);
  }
  expect(at('ask')).toBeGreaterThan(at('bid'));
  // One trade of 0.01 a second, by turns: 30 bought and 29 sold in the minute before, both ends left out.
  expect(at('bought')).toBeCloseTo(0.3, 9);
  expect(at('sold')).toBeCloseTo(0.29, 9);
  server.clock.set(NOW + 60_000);
  await record(1);
  expect((await store.series.read(key)).time).toEqual(Float64Array.of(NOW, NOW + 60_000));
  server.setFaults([{ kind: 'server-error', path: '/api/v3/depth' }]);
  await record(1);
  expect(missed).toHaveLength(1);
  expect((await store.series.manifest(key))?.rows).toBe(2);
});

test('the commands print and store it, and say what does not come this way', async () => {
  const { folder, server } = await setUp();
  const fetch = (...args: readonly string[]) =>
    runCli(['fetch', '--symbols', 'BTC/USDT', '--base-url', server.url, ...args, '--json'], { cwd: folder });
  const history = await fetch('--series', 'funding,open-interest', '--since', '2026-02-25');
  expect(history.status, history.stderr).toBe(0);
  expect(JSON.parse(history.stdout)).toMatchObject({
    series: [
      { series: 'funding binanceusdm/BTC-USDT', source: 'binanceusdm', lastTime: '2026-03-02T00:00:00.000Z' },
      { series: 'open-interest binanceusdm/BTC-USDT' },
    ],
  });
  const book = await fetch('--series', 'order-book', '--every', '1', '--count', '2');
  expect(book.status, book.stderr).toBe(0);
  expect(JSON.parse(book.stdout)).toMatchObject({
    series: [{ series: 'order-book binance/BTC-USDT', rows: 2 }],
  });
  const news = await fetch('--series', 'news');
  expect(news.status).toBe(2);
  expect(news.stderr).toContain('news is made of texts: crypto-trader text fetch');
  const list = await runCli(['data', 'list'], { cwd: folder });
  expect(list.stdout).toContain('order-book binance/BTC-USDT');
});
