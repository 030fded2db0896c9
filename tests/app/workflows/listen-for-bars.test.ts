import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { listenForBars } from '../../../src/app/workflows/listen-for-bars.ts';
import { silentLog } from '../../../src/core/foundation/log.ts';
import { openExchange } from '../../../src/data/exchange/client.ts';
import { runPaper } from '../../../src/desk/paper/run.ts';
import { startSession } from '../../../src/desk/paper/session.ts';
import { createHints } from '../../../src/desk/session/hints.ts';
import { HOUR, randomWalk, session, steps } from '../../desk/paper/walk.ts';
import { walk } from '../../support/candles.ts';
import { pair } from '../../support/exchange/market.ts';
import { startExchange } from '../../support/exchange/server.ts';
import { temporaryFolder } from '../../support/folder.ts';

const WAIT = { timeout: 20_000 };

test('a session that pauses for hours takes a bar when the exchange tells that it has closed, with one poll', async () => {
  const bars = steps(randomWalk(10, 1));
  const start = bars[0].bar.timeMs;
  const symbols = session.instruments.map(({ symbol }) => symbol);
  const candles = { '1h': walk(10, { startMs: start }) };
  const exchange = await startExchange({
    nowMs: start + HOUR + 1_000,
    pairs: symbols.map((one) => pair(one, candles)),
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
  const running = await startSession(join(temporaryFolder(), 'session'), session);
  const hints = createHints(1);
  const stop = new AbortController();
  const polls: number[] = [];
  const of = { symbols, timeframe: '1h', hints, log: silentLog } as const;
  const lastMs = () => running.last?.timeMs;
  const listening = listenForBars(client, { ...of, lastMs, now: () => exchange.clock.now() }, stop.signal);
  const run = runPaper(
    running,
    {
      look: async (last) => {
        polls.push((exchange.clock.now() - start - 1_000) / HOUR);
        const closed = bars.filter(
          ({ bar }) => bar.timeMs > (last?.timeMs ?? 0) && bar.timeMs + HOUR <= exchange.clock.now(),
        );
        return { bars: closed, ended: false };
      },
    },
    {
      intervalMs: 24 * HOUR,
      maxCycles: undefined,
      signal: stop.signal,
      // By this clock nothing is ever due: only what is heard ends a pause.
      now: () => start,
      hints,
      control: async () => undefined,
      onBar: () => undefined,
      onCycle: () => undefined,
    },
  );
  onTestFinished(async () => {
    stop.abort();
    await Promise.all([run, listening]);
    await running.close();
    await exchange.close();
  });
  await vi.waitFor(() => expect(exchange.streams.size).toBe(2), WAIT);
  for (const hour of [2, 3, 4]) {
    exchange.clock.set(start + hour * HOUR + 1_000);
    await vi.waitFor(() => {
      for (const symbol of symbols) exchange.kline(symbol, '1h', start + hour * HOUR);
      expect(running.last?.timeMs).toBe(start + (hour - 1) * HOUR);
    }, WAIT);
  }
  expect(polls).toEqual([1, 2, 3, 4]);
});
