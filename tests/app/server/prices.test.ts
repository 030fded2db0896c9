import { expect, it, vi } from 'vitest';
import { createPrices } from '../../../src/app/server/prices.ts';

const PAIRS = ['BTC/USDT', 'ETH/USDT'] as const;

it('last prices are asked for while somebody looks and something trades, every five seconds and not in between', async () => {
  let nowMs = 1_000_000;
  const changed = vi.fn<() => void>();
  const ask = vi.fn(() => Promise.resolve([60_000, undefined]));
  const came = (): Promise<void> => new Promise((done) => changed.mockImplementationOnce(() => done()));
  const prices = createPrices(ask, { changed, now: () => nowMs });

  expect(prices.newest('binance', [])).toBeUndefined();
  expect(ask).not.toHaveBeenCalled();

  const first = came();
  expect(prices.newest('binance', PAIRS)).toBeUndefined();
  await first;
  const found = { exchange: 'binance', time: '1970-01-01T00:16:40.000Z', bySymbol: { 'BTC/USDT': 60_000 } };
  nowMs += 4999;
  expect(prices.newest('binance', PAIRS)).toEqual(found);
  expect(ask).toHaveBeenCalledTimes(1);

  // The exchange fails: an old price does not pass for a new one.
  nowMs += 1;
  ask.mockRejectedValueOnce(new Error('away'));
  const failed = came();
  prices.newest('binance', PAIRS);
  await failed;
  expect(prices.newest('binance', PAIRS)).toBeUndefined();
  expect(ask).toHaveBeenCalledTimes(2);

  // Nobody trades any more.
  nowMs += 5000;
  expect(prices.newest('binance', [])).toBeUndefined();
  expect(ask).toHaveBeenCalledTimes(2);
  prices.close();
});

it('an exchange that does not answer is not asked again meanwhile, and is let go at the end', async () => {
  let nowMs = 0;
  const signals: AbortSignal[] = [];
  const changed = vi.fn();
  const prices = createPrices(
    (_, signal) => {
      signals.push(signal);
      return new Promise((_done, fail) => {
        signal.addEventListener('abort', () => fail(new Error('aborted')));
      });
    },
    { changed, now: () => nowMs },
  );
  for (let turn = 0; turn < 4; turn++) {
    expect(prices.newest('binance', PAIRS)).toBeUndefined();
    nowMs += 60_000;
  }
  expect(signals).toHaveLength(1);
  prices.close();
  expect(signals[0].aborted).toBe(true);
  await new Promise(setImmediate);
  expect(changed).not.toHaveBeenCalled();
});
