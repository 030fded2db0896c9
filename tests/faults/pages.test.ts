import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openExchange } from '../../src/data/exchange/client.ts';
import { openStore, type DatasetKey } from '../../src/data/store/store.ts';
import { updateDataset } from '../../src/data/update.ts';
import { silentLog } from '../../src/core/foundation/log.ts';
import { barOpen } from '../../src/core/market/timeframe.ts';
import { pick, walk } from '../support/candles.ts';
import type { FaultSpec } from '../support/exchange/faults.ts';
import { pair } from '../support/exchange/market.ts';
import { type LoopbackExchange, startExchange } from '../support/exchange/server.ts';

/*
 * Side by side, since clients wait most of the time.
 *
 * Pages of candles x what can be wrong with them x whether it passes: the promised state of the store. Nothing that
 * an exchange has is lost for good, nothing impossible is stored, and a hole counts as checked only after two answers.
 */

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 1);
const series = walk(100, { startMs: START });
const at = (row: number): number => START + row * HOUR;
const CANDLES = { binance: '/klines', kraken: '/OHLC', coinbase: '/candles' } as const;
type Id = keyof typeof CANDLES;

const servers: LoopbackExchange[] = [];
const folder = mkdtempSync(join(tmpdir(), 'crypto-trader-pages-'));
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  rmSync(folder, { recursive: true });
});

async function setUp(id: Id, bars = series, nowMs = at(100)) {
  const server = await startExchange({ pairs: [pair('BTC/USDT', { '1h': bars })], nowMs });
  servers.push(server);
  const store = openStore(join(folder, String(servers.length)));
  const key: DatasetKey = { exchange: id, symbol: 'BTC/USDT', timeframe: '1h' };
  const client = await openExchange({
    id,
    baseUrl: server.url,
    timeoutMs: 20_000,
    retries: 2,
    retryDelayMs: 1,
    log: silentLog,
  });
  const update = (
    faults: readonly Omit<FaultSpec, 'path'>[] = [],
    range = { sinceMs: START, untilMs: at(100) },
  ) => {
    server.setFaults(faults.map((fault) => ({ ...fault, path: CANDLES[id] })));
    return updateDataset({
      store,
      key,
      ...range,
      openSource: async () => client,
      signal: new AbortController().signal,
      log: silentLog,
      now: () => server.clock.now(),
    });
  };
  const times = async (): Promise<readonly number[]> => [...(await store.read(key)).time];
  return { server, store, key, update, times };
}

/** One bar of the page cannot be. */
const BAD_BARS = ['nan', 'zero', 'negative', 'infinite', 'huge', 'thousandfold', 'inverted'] as const;
/** The page as a whole cannot be what was asked for. */
const BAD_PAGES = [
  'seconds',
  'microseconds',
  'off-grid',
  'object',
  'strings',
  'null',
  'empty-page',
  'old-page',
  'html',
] as const;
/** The page is good, but not in the form that is expected. */
const ODD_PAGES = ['reversed', 'shuffled', 'overlap', 'duplicate'] as const;

describe.each(['binance', 'kraken', 'coinbase'] as const)('%s', (id) => {
  test.concurrent.each([...BAD_BARS, ...BAD_PAGES, ...ODD_PAGES])(
    '%s once: every bar is stored',
    async (kind) => {
      const { store, key, update } = await setUp(id);
      await update([{ kind, times: 1 }]);
      // Where the first answer held nothing, the newest bar may still be on its way when it is asked again.
      await update();
      expect({ ...(await store.read(key)) }).toEqual({ ...series });
      expect((await store.manifest(key))?.gaps).toEqual([]);
    },
  );

  test.concurrent.each([...BAD_BARS, 'off-grid'] as const)(
    '%s always: the bar is left out with its reason, and had later',
    async (kind) => {
      const { store, key, update, times } = await setUp(id);
      const { quarantined, skippedBars } = await update([{ kind, atMs: at(50) }]);
      expect(skippedBars).toBe(0);
      expect(quarantined.map(({ timeMs }) => barOpen(timeMs, '1h'))).toEqual([at(50)]);
      expect(quarantined[0].reason).toMatch(/^bar of 2026-01-03 02:00: \S/);
      expect(await times()).toEqual([...series.time].filter((time) => time !== at(50)));
      expect((await store.manifest(key))?.gaps).toMatchObject([{ bars: 1, checked: false }]);
      await update();
      expect({ ...(await store.read(key)) }).toEqual({ ...series });
    },
  );

  test.concurrent.each(BAD_PAGES.filter((kind) => kind !== 'old-page' && kind !== 'off-grid'))(
    '%s in place of every later page: nothing counts as checked',
    async (kind) => {
      const { store, key, update } = await setUp(id);
      await update([], { sinceMs: START, untilMs: at(40) });
      await update([{ kind }]).catch(() => undefined);
      const manifest = await store.manifest(key);
      expect(manifest).toMatchObject({ rows: 40, gaps: [], covered: [{ fromMs: START, untilMs: at(40) }] });
      await update();
      expect({ ...(await store.read(key)) }).toEqual({ ...series });
    },
  );

  test.concurrent('a hole is checked once two answers with the bars beside it have shown it', async () => {
    const { server, update } = await setUp(
      id,
      pick(series, (row) => row < 60 || row >= 70),
    );
    const { manifest } = await update();
    expect(manifest.gaps).toMatchObject([{ bars: 10, checked: true }]);
    expect(server.requests.filter((path) => path.includes(CANDLES[id]))).toHaveLength(2);
  });
});

describe('a bar that is published after its close', () => {
  test.concurrent.each([1, 30, 290])('%i s late is had as soon as it is there', async (lateSeconds) => {
    const late = [{ kind: 'late', offsetMs: lateSeconds * 1000 }] as const;
    const { server, update, times } = await setUp('binance', series, at(50) + 500);
    const range = { sinceMs: START, untilMs: at(100) };
    expect((await update(late, range)).manifest.lastTimeMs).toBe(at(48));
    server.clock.set(at(50) + lateSeconds * 1000);
    await update(late, range);
    expect((await times()).at(-1)).toBe(at(49));
  });

  test.concurrent('an hour late, when the bar after it is there, it is had with that one', async () => {
    const { server, store, key, update } = await setUp('binance', series, at(50));
    await update([{ kind: 'late', offsetMs: 1000 }]);
    // Half an hour after its close it is still not there: for now there is none.
    server.clock.set(at(50.5));
    await update([{ kind: 'late', offsetMs: 0.75 * HOUR }]);
    expect((await store.manifest(key))?.covered).toEqual([{ fromMs: START, untilMs: at(50) }]);
    server.clock.set(at(52));
    await update();
    expect([...(await store.read(key)).time]).toEqual([...series.time.slice(0, 52)]);
    expect((await store.manifest(key))?.gaps).toEqual([]);
  });
});

test('a price that changes its scale for good is let in once a second bar confirms it', async () => {
  const split = walk(100, { startMs: START });
  for (const column of ['open', 'high', 'low', 'close'] as const)
    for (let row = 60; row < 100; row++) split[column][row] /= 1000;
  const { server, update, times } = await setUp('binance', split, at(61));
  const first = await update();
  expect(first.quarantined).toMatchObject([
    { timeMs: at(60), reason: expect.stringContaining('no later bar') as string },
  ]);
  expect((await times()).at(-1)).toBe(at(59));
  server.clock.set(at(62));
  expect((await update()).quarantined).toEqual([]);
  expect((await times()).at(-1)).toBe(at(61));
});
