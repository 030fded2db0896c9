import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../src/data/store/store.ts';
import { updateDataset } from '../../src/data/update.ts';
import { openYahoo, yahooTicker } from '../../src/data/yahoo.ts';
import { silentLog } from '../../src/core/foundation/log.ts';
import { walk } from '../support/candles.ts';
import type { FaultSpec } from '../support/exchange/faults.ts';
import { pair } from '../support/exchange/market.ts';
import { startExchange } from '../support/exchange/server.ts';
import { temporaryFolder } from '../support/folder.ts';

const DAY = 86_400_000;
const START = Date.UTC(2020, 0, 1);
const series = walk(100, { startMs: START, timeframe: '1d' });

async function yahoo(faults: readonly FaultSpec[] = []) {
  const server = await startExchange({
    pairs: [pair('BTC/USDT', { '1d': series })],
    nowMs: START + 100 * DAY,
    faults,
  });
  onTestFinished(() => server.close());
  const open = (symbol: 'BTC/USDT' | 'DOGE/USDT' = 'BTC/USDT') =>
    openYahoo(symbol, { baseUrl: server.url, timeoutMs: 1500, retries: 3, retryDelayMs: 5, log: silentLog });
  const update = (symbol: 'BTC/USDT' | 'DOGE/USDT' = 'BTC/USDT') =>
    updateDataset({
      store: openStore(temporaryFolder()),
      key: { exchange: 'yahoo', symbol, timeframe: '1d' },
      sinceMs: START - 10 * DAY,
      untilMs: START + 100 * DAY,
      openSource: async () => open(symbol),
      signal: new AbortController().signal,
      log: silentLog,
    });
  return { open, update };
}

test('a dollar stablecoin is looked up as the dollar, other quotes as themselves', () => {
  expect([yahooTicker('BTC/USDT'), yahooTicker('ETH/EUR'), yahooTicker('ETH/BTC')]).toEqual([
    'BTC-USD',
    'ETH-EUR',
    'ETH-BTC',
  ]);
});

test('stores what Yahoo has, its name and ticker as the source', async () => {
  const { manifest } = await (await yahoo()).update();
  expect(manifest).toMatchObject({
    rows: 100,
    source: 'yahoo BTC-USD',
    synthetic: false,
    firstTimeMs: START,
    gaps: [],
  });
});

test('turns turnover into volume in base currency', async () => {
  const source = (await yahoo()).open();
  const request = {
    symbol: 'BTC/USDT',
    timeframe: '1d',
    sinceMs: START,
    untilMs: START + DAY,
    signal: new AbortController().signal,
  } as const;
  for await (const { candles } of source.pages(request)) {
    expect(candles.close[0]).toBe(series.close[0]);
    expect(candles.volume[0]).toBeCloseTo(series.volume[0], 9);
  }
});

test.each<FaultSpec>([
  { kind: 'rate-limit', retryAfterSeconds: 0.05 },
  { kind: 'html' },
  { kind: 'drop' },
  { kind: 'timeout' },
  { kind: 'truncate' },
])('comes through $kind', async (fault) => {
  const { manifest } = await (await yahoo([{ ...fault, times: 2 }])).update();
  expect(manifest.rows).toBe(100);
});

test("an unknown ticker is the user's to correct; a silent Yahoo is unavailable", async () => {
  await expect((await yahoo()).update('DOGE/USDT')).rejects.toThrow('Yahoo does not know DOGE-USD.');
  await expect((await yahoo([{ kind: 'server-error' }])).update()).rejects.toThrow(
    /Yahoo cannot be reached or is not answering: status 503/,
  );
});
