import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openExchange } from '../../src/data/exchange/client.ts';
import { openStore, type DatasetKey } from '../../src/data/store/store.ts';
import { updateDataset, type UpdateRequest } from '../../src/data/update.ts';
import { silentLog } from '../../src/core/foundation/log.ts';
import type { Candles } from '../../src/core/market/candles.ts';
import { pick, walk } from '../support/candles.ts';
import type { FaultSpec } from '../support/exchange/faults.ts';
import { pair, type Pair, pairsFromFolder } from '../support/exchange/market.ts';
import { type LoopbackExchange, startExchange } from '../support/exchange/server.ts';
import { temporaryFolder } from '../support/folder.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2024, 0, 1);
const key: DatasetKey = { exchange: 'binance', symbol: 'BTC/USDT', timeframe: '1h' };

const shared = fileURLToPath(new URL('../../../shared/data/ohlcv/binance', import.meta.url));

async function serve(
  pairs: readonly Pair[],
  { nowMs, faults = [] }: { nowMs: number; faults?: readonly FaultSpec[] },
): Promise<LoopbackExchange> {
  const exchange = await startExchange({ pairs, nowMs, faults });
  onTestFinished(() => exchange.close());
  return exchange;
}

/** A store in a fresh folder and an update of `key` from the loopback exchange. */
function setUp(exchange: LoopbackExchange, id = 'binance') {
  const store = openStore(temporaryFolder());
  const update = (request: Partial<UpdateRequest> & { sinceMs: number; untilMs: number }) =>
    updateDataset({
      store,
      key: { ...key, exchange: id },
      openSource: () =>
        openExchange({
          id,
          baseUrl: exchange.url,
          timeoutMs: 1500,
          retries: 4,
          retryDelayMs: 5,
          log: silentLog,
        }),
      signal: new AbortController().signal,
      log: silentLog,
      now: () => exchange.clock.now(),
      ...request,
    });
  return { store, update };
}

const klineRequests = (exchange: LoopbackExchange): number =>
  exchange.requests.filter((path) => path.includes('/klines')).length;

/** 2 500 hourly bars, three pages, in four months. */
const series = walk(2500, { startMs: START });
const END = START + 2500 * HOUR;

const expectBars = (found: Candles, expected: Candles): void => {
  expect({ ...found }).toEqual({ ...expected });
};

describe('updateDataset', () => {
  test('stores exactly the bars that the exchange has', async () => {
    const exchange = await serve([pair('BTC/USDT', { '1h': series })], { nowMs: END });
    const { store, update } = setUp(exchange);
    const { manifest, addedRows } = await update({ sinceMs: START, untilMs: END });
    expect(addedRows).toBe(2500);
    expect(manifest).toMatchObject({
      rows: 2500,
      gaps: [],
      firstTimeMs: START,
      source: 'binance',
      synthetic: false,
    });
    expectBars(await store.read(key), series);
  });

  test('asks nothing when nothing is missing', async () => {
    const exchange = await serve([pair('BTC/USDT', { '1h': series })], { nowMs: END });
    const { update } = setUp(exchange);
    const first = await update({ sinceMs: START, untilMs: END });
    const asked = exchange.requests.length;
    const again = await update({ sinceMs: START + 5 * HOUR, untilMs: END });
    expect(again).toMatchObject({ asked: false, addedRows: 0 });
    expect(again.manifest.sha256).toBe(first.manifest.sha256);
    expect(exchange.requests.length).toBe(asked);
  });

  test('fills only what is missing at both ends and between', async () => {
    const exchange = await serve([pair('BTC/USDT', { '1h': series })], { nowMs: END });
    const { store, update } = setUp(exchange);
    const at = (row: number): number => START + row * HOUR;
    await update({ sinceMs: at(500), untilMs: at(600) });
    await update({ sinceMs: at(900), untilMs: at(1000) });
    expect((await store.manifest(key))?.gaps).toEqual([
      { fromMs: at(600), toMs: at(899), bars: 300, checked: false },
    ]);
    const { addedRows } = await update({ sinceMs: at(400), untilMs: at(1100) });
    expect(addedRows).toBe(500);
    const starts = exchange.requests
      .filter((path) => path.includes('/klines'))
      .map((path) => Number(/startTime=(\d+)/.exec(path)?.[1]));
    expect(starts).toEqual([at(500), at(900), at(400), at(600), at(1000)]);
    expectBars(
      await store.read(key),
      pick(series, (row) => row >= 400 && row < 1100),
    );
  });

  test('equals an update in one go, hash and all, however the range was cut', async () => {
    const exchange = await serve([pair('BTC/USDT', { '1h': series })], { nowMs: END });
    const whole = await setUp(exchange).update({ sinceMs: START, untilMs: END });
    const { update } = setUp(exchange);
    for (const [from, to] of [
      [1200, 1300],
      [100, 1250],
      [0, 50],
      [2000, 2500],
    ]) {
      await update({ sinceMs: START + from * HOUR, untilMs: START + to * HOUR });
    }
    const { manifest } = await update({ sinceMs: START, untilMs: END });
    expect(manifest.sha256).toBe(whole.manifest.sha256);
    expect(manifest.covered).toEqual(whole.manifest.covered);
  });

  test('records bars that the exchange does not have as gaps, and does not ask for them again', async () => {
    const missing = pick(series, (row) => row < 700 || row >= 712);
    const exchange = await serve([pair('BTC/USDT', { '1h': missing })], { nowMs: END });
    const { store, update } = setUp(exchange);
    const { manifest } = await update({ sinceMs: START, untilMs: END });
    expect(manifest.gaps).toEqual([
      { fromMs: START + 700 * HOUR, toMs: START + 711 * HOUR, bars: 12, checked: true },
    ]);
    expectBars(await store.read(key), missing);
    const asked = klineRequests(exchange);
    await update({ sinceMs: START, untilMs: END });
    expect(klineRequests(exchange)).toBe(asked);
    // Asked again, they are absent only once two answers have said so.
    await update({ sinceMs: START, untilMs: END, askGapsAgain: true });
    expect(klineRequests(exchange)).toBe(asked + 2);
  });

  test('finds the first bar of a pair that was listed later than asked for', async () => {
    const exchange = await serve([pair('BTC/USDT', { '1h': series })], { nowMs: END });
    const { update } = setUp(exchange);
    const { manifest } = await update({ sinceMs: START - 5000 * HOUR, untilMs: END });
    expect(manifest).toMatchObject({ rows: 2500, firstTimeMs: START, gaps: [] });
    expect((await update({ sinceMs: START - 5000 * HOUR, untilMs: END })).asked).toBe(false);
  });

  test('leaves the unfinished bar out, and takes it once it has closed', async () => {
    const exchange = await serve([pair('BTC/USDT', { '1h': series })], { nowMs: START + 10.5 * HOUR });
    const { store, update } = setUp(exchange);
    const request = { sinceMs: START, untilMs: END };
    expect((await update(request)).manifest.lastTimeMs).toBe(START + 9 * HOUR);
    exchange.clock.set(START + 11 * HOUR);
    expect((await update(request)).addedRows).toBe(1);
    expectBars(
      await store.read(key),
      pick(series, (row) => row <= 10),
    );
  });

  test('does not take a bar for closed because the exchange clock runs ahead', async () => {
    const exchange = await serve([pair('BTC/USDT', { '1h': series })], {
      nowMs: START + 10.5 * HOUR,
      faults: [{ kind: 'wrong-clock', offsetMs: HOUR }],
    });
    const { manifest } = await setUp(exchange).update({ sinceMs: START, untilMs: END });
    expect(manifest.lastTimeMs).toBe(START + 9 * HOUR);
  });

  test.each<{ name: string; fault: FaultSpec }>([
    { name: '429 with Retry-After', fault: { kind: 'rate-limit', retryAfterSeconds: 0.05 } },
    { name: '418 with Retry-After', fault: { kind: 'ban', retryAfterSeconds: 0.05 } },
    { name: '503 with an HTML body', fault: { kind: 'server-error' } },
    { name: 'no answer', fault: { kind: 'timeout' } },
    { name: 'a connection that breaks', fault: { kind: 'drop' } },
    { name: 'an answer that stalls', fault: { kind: 'stall', times: 1 } },
    { name: 'JSON that is cut off', fault: { kind: 'truncate' } },
    { name: 'a maintenance page with status 200', fault: { kind: 'html' } },
    { name: 'a page of old bars', fault: { kind: 'old-page' } },
    { name: 'a page that overlaps the last one', fault: { kind: 'overlap' } },
    { name: 'bars that come twice', fault: { kind: 'duplicate' } },
  ])('comes through $name with every bar once', async ({ fault }) => {
    const exchange = await serve([pair('BTC/USDT', { '1h': series })], {
      nowMs: END,
      faults: [{ path: '/klines', every: 2, ...fault }],
    });
    const { store, update } = setUp(exchange);
    await update({ sinceMs: START, untilMs: END });
    expectBars(await store.read(key), series);
    expect(klineRequests(exchange)).toBeGreaterThanOrEqual(3);
  });

  test('leaves impossible bars out as gaps for good when asked to', async () => {
    const exchange = await serve([pair('BTC/USDT', { '1h': series })], {
      nowMs: END,
      faults: [{ path: '/klines', kind: 'zero', atMs: START + 1500 * HOUR }],
    });
    const { update } = setUp(exchange);
    const { manifest, skippedBars } = await update({ sinceMs: START, untilMs: END, skipBadBars: true });
    expect(skippedBars).toBe(1);
    expect(manifest).toMatchObject({ rows: 2499, gaps: [{ bars: 1, checked: true }] });
  });

  test('says who cannot be reached and keeps what is stored when the exchange goes down', async () => {
    const exchange = await serve([pair('BTC/USDT', { '1h': series })], {
      nowMs: END,
      faults: [{ path: '/klines', kind: 'server-error', after: 2 }],
    });
    const { store, update } = setUp(exchange);
    await expect(update({ sinceMs: START, untilMs: END })).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining('Binance cannot be reached') as string,
    });
    expect((await store.manifest(key))?.rows).toBe(2000);
  });

  test('stops when told to wait for longer than makes sense', async () => {
    const exchange = await serve([pair('BTC/USDT', { '1h': series })], {
      nowMs: END,
      faults: [{ path: '/klines', kind: 'ban', retryAfterSeconds: 7200 }],
    });
    await expect(setUp(exchange).update({ sinceMs: START, untilMs: END })).rejects.toThrow(
      /binance asks for 7200 s without requests/,
    );
  });

  test('names the nearest symbol when the exchange does not trade one', async () => {
    const exchange = await serve([pair('BTC/USDT', { '1h': series })], { nowMs: END });
    await expect(
      setUp(exchange).update({ sinceMs: START, untilMs: END, key: { ...key, symbol: 'BTC/USD' } }),
    ).rejects.toMatchObject({ message: 'Binance does not trade BTC/USD.', hint: 'Did you mean BTC/USDT?' });
  });

  test('says so when there are no bars at all in the range', async () => {
    const exchange = await serve([pair('BTC/USDT', { '1h': series })], { nowMs: END });
    const { store, update } = setUp(exchange);
    await expect(update({ sinceMs: START - 50 * HOUR, untilMs: START })).rejects.toThrow(
      /has no closed 1h bars/,
    );
    expect(await store.list()).toEqual([]);
  });

  test('takes what Kraken gives, its newest 720 bars, without calling older times gaps', async () => {
    const exchange = await serve([pair('BTC/USDT', { '1h': series })], { nowMs: END + 0.5 * HOUR });
    const { store, update } = setUp(exchange, 'kraken');
    const { manifest } = await update({ sinceMs: START, untilMs: END });
    expect(manifest).toMatchObject({ exchange: 'kraken', rows: 720, gaps: [] });
    expect(manifest.covered).toEqual([{ fromMs: END - 720 * HOUR, untilMs: END }]);
    expectBars(
      await store.read({ ...key, exchange: 'kraken' }),
      pick(series, (row) => row >= 1780),
    );
  });

  test('pages through windows that hold nothing, as Coinbase answers them', async () => {
    const holed = pick(series, (row) => row >= 700 && (row < 1000 || row >= 1800));
    const exchange = await serve([pair('BTC/USDT', { '1h': holed })], { nowMs: END });
    const { store, update } = setUp(exchange, 'coinbase');
    const { manifest } = await update({ sinceMs: START, untilMs: END });
    expectBars(await store.read({ ...key, exchange: 'coinbase' }), holed);
    expect(manifest.gaps).toMatchObject([{ bars: 800, checked: true }]);
    expect(manifest.covered).toEqual([{ fromMs: START, untilMs: END }]);
  });

  test('stores nothing of an aborted update that is not a whole step', async () => {
    const exchange = await serve([pair('BTC/USDT', { '1h': series })], { nowMs: END });
    const { store, update } = setUp(exchange);
    const abort = new AbortController();
    const stopped = update({
      sinceMs: START,
      untilMs: END,
      signal: abort.signal,
      onProgress: (done) => done >= 1000 && abort.abort(new Error('stop')),
    });
    await expect(stopped).rejects.toThrow('stop');
    expectBars(
      await store.read(key),
      pick(series, (row) => row < 1000),
    );
  });
});

describe.skipIf(!existsSync(shared))('an exchange of recorded Binance candles (needs real candles)', () => {
  test('the reference window of three pairs is 52 560 bars without a gap', async () => {
    const exchange = await serve(pairsFromFolder(shared), { nowMs: Date.UTC(2026, 1, 14) });
    const { update } = setUp(exchange);
    const results = await Promise.all(
      (['BTC/USDT', 'ETH/USDT', 'SOL/USDT'] as const).map((symbol) =>
        update({ key: { ...key, symbol }, sinceMs: Date.UTC(2024, 1, 15), untilMs: Date.UTC(2026, 1, 14) }),
      ),
    );
    expect(results.map(({ manifest }) => [manifest.rows, manifest.gaps])).toEqual([
      [17_520, []],
      [17_520, []],
      [17_520, []],
    ]);
  });
});
