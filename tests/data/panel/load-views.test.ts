import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sliceCandles } from '../../../src/core/market/candles.ts';
import { resampleCandles } from '../../../src/core/market/resample.ts';
import { TIMEFRAME_MS } from '../../../src/core/market/timeframe.ts';
import { loadViews, longestPart } from '../../../src/data/panel/load-views.ts';
import { openStore, type Store } from '../../../src/data/store/store.ts';
import { walk } from '../../support/candles.ts';
import { temporaryFolder } from '../../support/folder.ts';

const START = Date.UTC(2024, 0, 1);
const MINUTES = walk(60 * 24 * 9, { startMs: START, timeframe: '1m', seed: 5 });
const FIVES = walk(12 * 24 * 9, { startMs: START, timeframe: '5m', seed: 6 });

async function stored(): Promise<Store> {
  const store = openStore(join(temporaryFolder(), 'data'));
  const origin = { source: 'test', synthetic: false };
  const key = { exchange: 'x', symbol: 'BTC/USDT' } as const;
  await store.merge({ ...key, timeframe: '1m' }, MINUTES, origin);
  await store.merge({ ...key, timeframe: '5m' }, FIVES, origin);
  return store;
}

describe('several bar lengths of one symbol', () => {
  const request = {
    exchange: 'x',
    symbols: ['BTC/USDT'],
    lengths: ['1m', '5m', '10m', '1h', '1d', '1w'],
  } as const;

  it('are those that are stored, and others made of the longest that make them up', async () => {
    const [{ views }] = await loadViews(await stored(), request);
    expect(views.map(({ length }) => length)).toEqual(request.lengths);
    expect(views[0].candles).toEqual(MINUTES);
    expect(views[1].candles).toEqual(FIVES);
    for (const [i, length] of (['10m', '1h', '1d', '1w'] as const).entries())
      expect(views[2 + i].candles).toEqual(resampleCandles(FIVES, '5m', length));
    expect(views.map(({ candles }) => candles.time.length)).toEqual([12_960, 2592, 1296, 216, 9, 1]);
  });

  it('at any moment hold only bars that had closed, and the same bits as later', async () => {
    const store = await stored();
    const [later] = await loadViews(store, request);
    for (const nowMs of [7.3, 24.01, 24, 25 + 1 / 120, 169].map((hours) => START + hours * 3_600_000)) {
      const [then] = await loadViews(store, { ...request, nowMs });
      for (const [i, { candles, known, length }] of then.views.entries()) {
        expect([...known].every((at) => at <= nowMs)).toBe(true);
        const all = later.views[i];
        const closed = all.known.filter((at) => at <= nowMs).length;
        expect(candles).toEqual(sliceCandles(all.candles, 0, closed));
        if (length === '1m') expect(nowMs - (known.at(-1) ?? 0)).toBeLessThan(TIMEFRAME_MS['1m']);
      }
    }
  });

  it('that nothing stored makes up are named with what to fetch', async () => {
    const store = openStore(join(temporaryFolder(), 'data'));
    await store.merge({ exchange: 'x', symbol: 'BTC/USDT', timeframe: '1h' }, walk(5, { startMs: START }), {
      source: 'test',
      synthetic: false,
    });
    await expect(loadViews(store, { ...request, lengths: ['5m'] })).rejects.toMatchObject({
      message: 'There are no candles of x BTC/USDT that 5m bars can be made of.',
      hint: expect.stringContaining('--timeframe 5m') as string,
    });
  });

  it('choose the longest part that divides', () => {
    expect(longestPart('1h', ['1m', '15m', '10m'])).toBe('15m');
    expect(longestPart('1M', ['1h', '1d'])).toBe('1d');
    expect(longestPart('15m', ['10m', '1h'])).toBeUndefined();
  });
});
