import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CANDLE_COLUMNS } from '../src/core/market/candles.ts';
import type { PairSymbol } from '../src/core/market/symbol.ts';
import { decodeParquet, encodeParquet } from '../src/data/store/parquet.ts';
import { openStore } from '../src/data/store/store.ts';
import { syntheticCandles } from '../src/data/synthetic/generate.ts';
import { pair } from '../tests/support/exchange/market.ts';
import { startExchange } from '../tests/support/exchange/server.ts';
import { type BenchRow } from './bench.ts';
import { runProgram, startProgram } from './program.ts';

/** Of the size that is meant; less of it takes less time: `FETCH_SYMBOLS=20 FETCH_YEARS=1 npm run bench -- fetch-many`. */
const COUNT = Number(process.env['FETCH_SYMBOLS'] ?? 100);
const YEARS = Number(process.env['FETCH_YEARS'] ?? 5);
const SYMBOLS = Array.from({ length: COUNT }, (_, i): PairSymbol => `COIN${i}/USDT`);
const UNTIL_MS = Date.UTC(2024, 0, 1);
const SINCE_MS = Date.UTC(2024 - YEARS, 0, 1);
const BARS = (UNTIL_MS - SINCE_MS) / 3_600_000;
const PAGES = COUNT * Math.ceil(BARS / 1000);
/** Binance's own limit: 6000 of weight a minute, of which a page of candles takes 2. */
const PAGE_MS = 20;
/** Share of the pages after which the first process is killed. */
const KILL_AFTER = 0.1;
const MILLION = 1e6;

/**
 * Many symbols fetched as a user would, in two processes: the first one is killed, the second goes on. Throws when a bar
 * is missing in the end, or is another one than was served.
 */
export async function run(): Promise<readonly BenchRow[]> {
  const home = mkdtempSync(join(tmpdir(), 'crypto-trader-bench-'));
  const pairs = SYMBOLS.map((symbol) =>
    pair(symbol, {
      '1h': syntheticCandles({ symbol, timeframe: '1h', sinceMs: SINCE_MS, untilMs: UNTIL_MS, seed: 1 }),
    }),
  );
  const exchange = await startExchange({ pairs, nowMs: UNTIL_MS });
  const pages = (): number => exchange.calls.filter((call) => call.endsWith('/klines')).length;
  try {
    const args = [
      ...['fetch', '--base-url', exchange.url, '--symbols', SYMBOLS.join(','), '--json'],
      ...['--since', new Date(SINCE_MS).toISOString(), '--until', new Date(UNTIL_MS).toISOString()],
    ];
    const started = performance.now();
    const first = startProgram(args, home);
    const closed = once(first, 'close');
    await Promise.race([closed, until(() => pages() >= KILL_AFTER * PAGES)]);
    first.kill('SIGKILL');
    await closed;
    const before = pages();
    const second = runProgram(args, home);
    await Promise.race([second, until(() => pages() > before)]);
    const onward = performance.now();
    const { peakMb, cpuSeconds } = await second;
    const ended = performance.now();
    const share = (asked: number, ms: number): number => (100 * asked * PAGE_MS) / ms;
    return [
      {
        name: `share of the rate limit, ${COUNT} symbols x ${YEARS} years of hours (${COUNT * BARS} bars), killed after ${before} pages and started again`,
        value: share(pages(), ended - started),
        unit: '%',
        target: '>= 95 %',
        note: `${((ended - started) / 1000).toFixed(1)} s with both starts, ${cpuSeconds.toFixed(0)} of them on a CPU in the second process; from its first page on ${share(pages() - before, ended - onward).toFixed(1)} %; ${1000 / PAGE_MS} pages a second are the limit`,
      },
      { name: 'peak memory of that fetch', value: peakMb, unit: 'MB', target: '<= 300 MB' },
      {
        name: 'pages asked for twice after the kill',
        value: pages() - PAGES,
        unit: '',
        note: 'every bar there, once, as it was served',
      },
      ...(await stored(home, pairs)),
    ];
  } finally {
    await exchange.close();
    rmSync(home, { recursive: true });
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(5);
}

/** What the store takes for a million bars, beside one Parquet file a symbol. */
async function stored(home: string, pairs: readonly ReturnType<typeof pair>[]): Promise<readonly BenchRow[]> {
  const store = openStore(join(home, 'data'));
  const took = { read: 0, decode: 0 };
  const bytes = { store: 0, plain: 0 };
  for (const [i, symbol] of SYMBOLS.entries()) {
    const key = { exchange: 'binance', symbol, timeframe: '1h' } as const;
    const start = performance.now();
    const candles = await store.read(key);
    took.read += performance.now() - start;
    const served = pairs[i].candles['1h'];
    const faulty = CANDLE_COLUMNS.find(
      (column) =>
        candles[column].length !== BARS ||
        candles[column].some((value, row) => value !== served?.[column][row]),
    );
    if (faulty !== undefined) throw new Error(`${symbol}: ${faulty} is not what was served`);
    for (const { file } of (await store.manifest(key))?.parts ?? [])
      bytes.store += statSync(join(store.folder(key), file)).size;
    const plain = encodeParquet(candles);
    bytes.plain += plain.byteLength;
    const decoding = performance.now();
    decodeParquet(plain);
    took.decode += performance.now() - decoding;
  }
  const millions = (COUNT * BARS) / MILLION;
  return [
    {
      name: 'a million hours in the store, a file a month',
      value: bytes.store / MILLION / millions,
      unit: 'MB',
      peer: { name: 'one Parquet file a symbol', value: bytes.plain / MILLION / millions },
    },
    {
      name: 'a million hours read from the store, hashes checked',
      value: took.read / millions,
      unit: 'ms',
      peer: { name: 'polars decoding one file a symbol from memory', value: took.decode / millions },
    },
  ];
}
