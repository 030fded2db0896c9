import { expect, onTestFinished, test, vi } from 'vitest';
import { silentLog } from '../../src/core/foundation/log.ts';
import type { PairSymbol } from '../../src/core/market/symbol.ts';
import { openExchange } from '../../src/data/exchange/client.ts';
import { walk } from '../support/candles.ts';
import { pair } from '../support/exchange/market.ts';
import { startExchange } from '../support/exchange/server.ts';
import { frame } from '../support/exchange/web-socket.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2025, 0, 1);
const SYMBOLS = ['BTC/USDT', 'ETH/USDT'] as const satisfies readonly PairSymbol[];
const WAIT = { timeout: 20_000 };

/** Hears the hourly bars of two pairs of a loopback exchange; bar 0 is open. */
async function listening() {
  const candles = { '1h': walk(10, { startMs: START }) };
  const exchange = await startExchange({
    nowMs: START + 60_000,
    pairs: SYMBOLS.map((one) => pair(one, candles)),
  });
  const client = await openExchange({
    id: 'binance',
    baseUrl: exchange.url,
    timeoutMs: 5_000,
    retries: 0,
    paced: false,
    streams: true,
    log: silentLog,
  });
  const stop = new AbortController();
  const bars: number[] = [];
  const faults: (string | undefined)[] = [];
  const done = client.listen?.(
    { symbols: SYMBOLS, timeframe: '1h' },
    {
      onBar: (openMs) => bars.push((openMs - START) / HOUR),
      onFault: (fault) => faults.push(fault),
      now: () => exchange.clock.now(),
    },
    stop.signal,
  );
  onTestFinished(async () => {
    stop.abort();
    await done;
    await exchange.close();
  });
  const subscribed = () => vi.waitFor(() => expect(exchange.streams.size).toBe(2), WAIT);
  /** A message about the bar that opens in hour `hour`. */
  const tell = (symbol: PairSymbol, hour: number) => exchange.kline(symbol, '1h', START + hour * HOUR);
  const hears = async (symbol: PairSymbol, hour: number): Promise<void> => {
    exchange.clock.set(START + hour * HOUR + 1_000);
    await vi.waitFor(() => {
      tell(symbol, hour);
      expect(bars.at(-1)).toBe(hour);
    }, WAIT);
  };
  await subscribed();
  return { exchange, bars, faults, tell, hears, subscribed, stop, done };
}

test('a bar that begins is told once, whichever pair tells it, and a time that cannot be is not', async () => {
  const { exchange, bars, tell, hears } = await listening();
  for (const symbol of SYMBOLS) tell(symbol, 0);
  // A year ahead, the past, between two bars that are known, and no time at all.
  for (const hour of [8_760, -3, 0.5, NaN, 1e300]) tell('BTC/USDT', hour);
  await hears('ETH/USDT', 1);
  for (const symbol of SYMBOLS) tell(symbol, 1);
  await hears('BTC/USDT', 2);
  tell('ETH/USDT', 2);
  await hears('ETH/USDT', 3);
  expect(bars).toEqual([1, 2, 3]);
  // The truth is asked for by REST; nothing is asked for here but the list of markets.
  expect(exchange.requests.filter((path) => path.includes('klines'))).toEqual([]);
});

test('a connection that drops is opened again, and a bar that began meanwhile is told', async () => {
  const { exchange, bars, faults, hears } = await listening();
  await hears('BTC/USDT', 1);
  for (const end of exchange.sockets) end.drop();
  await vi.waitFor(() => expect(faults.at(-1)).toMatch(/./), WAIT);
  await hears('BTC/USDT', 3);
  expect(bars).toEqual([1, 3]);
  expect(faults.at(-1)).toBeUndefined();
});

test.each([
  ['text that is no JSON', frame(1, Buffer.from('<html>\x1b[2J'))],
  ['a frame with reserved bits', Buffer.from([0xf1, 0x01, 0x61])],
  ['a frame that announces a GB', Buffer.from([0x81, 127, 0, 0, 0, 0, 0x40, 0, 0, 0])],
  ['null', frame(1, Buffer.from('null'))],
  [
    'a candle without a time',
    frame(1, Buffer.from('{"e":"kline","s":"BTCUSDT","k":{"t":null,"i":"1h","s":{}}}')),
  ],
  [
    'a pair that there is not',
    frame(1, Buffer.from('{"e":"kline","s":"NOPE","k":{"t":1,"s":"NOPE","i":"9y"}}')),
  ],
])('%s: the listener stands, and hears what follows', async (_, bytes) => {
  const { exchange, bars, faults, hears } = await listening();
  for (const end of exchange.sockets) end.sendRaw(bytes);
  await hears('BTC/USDT', 1);
  expect(bars).toEqual([1]);
  for (const fault of faults) expect(fault ?? 'heard again').toMatch(/^[\x20-\x7e]{1,220}$/);
});

test('it ends at once when it is told to, and leaves no connection', async () => {
  const { exchange, stop, done } = await listening();
  stop.abort();
  await done;
  await vi.waitFor(() => expect(exchange.sockets.size).toBe(0), WAIT);
});
