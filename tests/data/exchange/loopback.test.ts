import { describe, expect, onTestFinished, test } from 'vitest';
import { loadCcxt } from '../../../src/data/exchange/ccxt.ts';
import { openExchange } from '../../../src/data/exchange/client.ts';
import { silentLog } from '../../../src/core/foundation/log.ts';
import { walk } from '../../support/candles.ts';
import { LOOPBACK_KEYS } from '../../support/exchange/account.ts';
import { pair } from '../../support/exchange/market.ts';
import { startExchange } from '../../support/exchange/server.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2024, 0, 1);
const series = walk(100, { startMs: START });
const NOW = START + 50 * HOUR;

/** The methods of ccxt's exchange that only these tests call. */
interface FullClient {
  apiKey: string;
  secret: string;
  fetchTicker(symbol: string): Promise<{ last: number; bid: number; ask: number; high: number }>;
  fetchOrderBook(symbol: string, limit: number): Promise<{ bids: number[][]; asks: number[][] }>;
  fetchTrades(symbol: string, since: undefined, limit: number): Promise<{ price: number }[]>;
  fetchBalance(): Promise<Record<string, { free: number }>>;
  createOrder(
    symbol: string,
    type: string,
    side: string,
    amount: number,
    price?: number,
  ): Promise<{ id: string; status: string }>;
  fetchOrder(id: string, symbol: string): Promise<{ status: string; filled: number; average: number }>;
  fetchOpenOrders(symbol: string): Promise<unknown[]>;
  cancelOrder(id: string, symbol: string): Promise<{ status: string }>;
}

async function setUp() {
  const server = await startExchange({ pairs: [pair('BTC/USDT', { '1h': series })], nowMs: NOW });
  onTestFinished(() => server.close());
  const { exchange } = await loadCcxt('binance', { timeoutMs: 2000, baseUrl: server.url });
  const client = exchange as unknown as FullClient;
  Object.assign(client, LOOPBACK_KEYS);
  return { server, client };
}

describe("the loopback exchange, asked by ccxt's own Binance client", () => {
  test('quotes around the price of the forming bar', async () => {
    const { client, server } = await setUp();
    server.clock.set(START + 50.5 * HOUR);
    const halfway = Math.round(((series.open[50] + series.close[50]) / 2) * 100) / 100;
    const ticker = await client.fetchTicker('BTC/USDT');
    expect(ticker.last).toBeCloseTo(halfway, 1);
    expect(ticker.bid).toBeLessThan(ticker.ask);
    const book = await client.fetchOrderBook('BTC/USDT', 5);
    expect([book.bids.length, book.asks.length]).toEqual([5, 5]);
    expect(book.bids[0][0]).toBeLessThan(book.asks[0][0]);
    expect((await client.fetchTrades('BTC/USDT', undefined, 3)).map(({ price }) => price)).toEqual(
      Array(3).fill(ticker.last),
    );
  });

  test('fills a market order at the touch, moves both balances and keeps a fee', async () => {
    const { client } = await setUp();
    const { ask } = await client.fetchTicker('BTC/USDT');
    const { id } = await client.createOrder('BTC/USDT', 'market', 'buy', 2);
    expect(await client.fetchOrder(id, 'BTC/USDT')).toMatchObject({ status: 'closed', filled: 2 });
    const balance = await client.fetchBalance();
    expect(balance['BTC'].free).toBeCloseTo(2 * 0.999, 10);
    expect(balance['USDT'].free).toBeCloseTo(10_000 - 2 * ask, 6);
  });

  test('keeps a limit order open until it is cancelled', async () => {
    const { client } = await setUp();
    const { id } = await client.createOrder('BTC/USDT', 'limit', 'buy', 1, 10);
    expect(await client.fetchOpenOrders('BTC/USDT')).toHaveLength(1);
    expect((await client.cancelOrder(id, 'BTC/USDT')).status).toBe('canceled');
    expect(await client.fetchOpenOrders('BTC/USDT')).toHaveLength(0);
  });

  test('refuses what Binance refuses: no funds, a wrong size, a wrong key', async () => {
    const { client } = await setUp();
    await expect(client.createOrder('BTC/USDT', 'market', 'buy', 5000)).rejects.toThrow(
      /insufficient balance/,
    );
    await expect(client.createOrder('BTC/USDT', 'limit', 'buy', 0.00002, 1)).rejects.toThrow(/NOTIONAL/);
    client.secret = 'another';
    await expect(client.fetchBalance()).rejects.toThrow(/Signature/);
  });
});

describe('openExchange', () => {
  const noSignal = new AbortController().signal;

  test.each(['binance', 'kraken', 'coinbase'])('knows the order rules and last prices of %s', async (id) => {
    const { server } = await setUp();
    const client = await openExchange({
      id,
      baseUrl: server.url,
      timeoutMs: 2000,
      retries: 0,
      log: silentLog,
    });
    expect(await client.clockMs(noSignal)).toBe(NOW);
    expect(await client.instruments(['BTC/USDT'], noSignal)).toEqual([
      { symbol: 'BTC/USDT', amountStep: 0.00001, priceTick: 0.01, minNotional: 5 },
    ]);
    expect(await client.lastPrices(['BTC/USDT'], noSignal)).toEqual([series.open[50]]);
  });

  test('an unknown exchange is answered with the nearest one', async () => {
    await expect(
      openExchange({ id: 'krakn', timeoutMs: 100, retries: 0, log: silentLog }),
    ).rejects.toMatchObject({
      message: 'Unknown exchange "krakn".',
      hint: expect.stringContaining('Did you mean "kraken"?') as string,
    });
  });

  test.each(['gemini', 'okx', 'kucoin', 'bybit', 'bitstamp', 'gate'])(
    '%s loads, and points at another host when told to',
    async (id) => {
      const { server } = await setUp();
      const client = await openExchange({
        id,
        baseUrl: server.url,
        timeoutMs: 500,
        retries: 0,
        log: silentLog,
      });
      await expect(client.instruments(['BTC/USDT'], noSignal)).rejects.toThrow();
      expect(server.requests.length).toBeGreaterThan(0);
    },
  );
});
