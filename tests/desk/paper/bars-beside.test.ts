import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Log, silentLog } from '../../../src/core/foundation/log.ts';
import { UserError } from '../../../src/core/foundation/errors.ts';
import { candlesBetween, sliceCandles } from '../../../src/core/market/candles.ts';
import { resampleCandles } from '../../../src/core/market/resample.ts';
import type { CandleSource } from '../../../src/data/source.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { createBarWatch } from '../../../src/desk/paper/bar-watch.ts';
import { walk } from '../../support/candles.ts';
import { temporaryFolder } from '../../support/folder.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2024, 0, 1);
const fives = walk(12 * 60, { startMs: START, timeframe: '5m' });
const bars = {
  '5m': fives,
  '10m': resampleCandles(fives, '5m', '10m'),
  '1h': resampleCandles(fives, '5m', '1h'),
};

it('bars beside come with those that are waited for, and one that cannot come is said once', async () => {
  const store = openStore(join(temporaryFolder(), 'data'));
  const key = { exchange: 'x', symbol: 'BTC/USDT' } as const;
  const origin = { source: 'x', synthetic: false };
  for (const [timeframe, rows] of [
    ['5m', 480],
    ['10m', 240],
    ['1h', 40],
  ] as const)
    await store.merge({ ...key, timeframe }, sliceCandles(bars[timeframe], 0, rows), origin);

  let nowMs = START + 41 * HOUR + 2000;
  /** The exchange's five-minute bars end here. */
  let untilFives = START + 41 * HOUR - 300_000;
  const source: CandleSource = {
    name: 'x',
    synthetic: false,
    clockMs: () => Promise.resolve(nowMs),
    async *pages({ timeframe, sinceMs, untilMs }) {
      await Promise.resolve();
      if (timeframe !== '5m' && timeframe !== '1h') throw new UserError('No 10m bars here.', { hint: '' });
      const until = timeframe === '5m' ? Math.min(untilMs, untilFives) : untilMs;
      if (until > sinceMs)
        yield {
          candles: candlesBetween(bars[timeframe], sinceMs, until),
          covered: { fromMs: sinceMs, untilMs: until },
        };
    },
  };
  const warnings: string[] = [];
  const log: Log = { ...silentLog, warn: (_, message) => void warnings.push(message) };
  const watch = createBarWatch({
    ...{ store, exchange: 'x', timeframe: '1h', symbols: ['BTC/USDT'], sinceMs: START, source, log },
    beside: { symbols: ['BTC/USDT'], lengths: ['5m', '10m', '1d'] },
    now: () => nowMs,
  });
  const { signal } = new AbortController();
  const before = START + 39 * HOUR;
  // The last five minutes of the hour are not there yet: nothing is decided without them.
  expect(await watch.ready(before, signal)).toBeUndefined();
  untilFives = Infinity;
  expect(await watch.ready(before, signal)).toMatchObject({ readyMs: START + 41 * HOUR });
  expect((await store.read({ ...key, timeframe: '5m' })).time).toHaveLength(12 * 41);
  nowMs += HOUR;
  expect(await watch.ready(before + HOUR, signal)).toMatchObject({ readyMs: START + 42 * HOUR });
  expect((await store.read({ ...key, timeframe: '5m' })).time).toHaveLength(12 * 42);
  expect(warnings).toEqual([
    'x gives no 10m bars of BTC/USDT: No 10m bars here. Models that read them say nothing. Left out, and asked for again.',
  ]);
});
