/**
 * `npm run soak -- --days 30` takes a paper session of three symbols (`--symbols`) through that many days of one-minute bars at full speed: a loopback
 * exchange in a process of its own, ccxt, the store, features, models, ledger. With `--retrain-days 1` another process trains once a day on what is
 * stored by then, and the session takes the new models over. Prints memory and descriptors every 250 bars. Exits with 1 when the second half of the
 * run needs more than 300 MB, or its last quarter a tenth more than the one before, when descriptors are left open, when a bar is missing or was not
 * decided in time, or when the ledger does not replay.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { sessionOn, SYMBOLS, trainOn } from '../bench/paper-terms.ts';
import { followActive } from '../src/app/workflows/follow-active.ts';
import { silentLog } from '../src/core/foundation/log.ts';
import { createRandom, normal } from '../src/core/foundation/random.ts';
import { type Candles, candlesBetween, emptyCandles } from '../src/core/market/candles.ts';
import { parseTimeframe, TIMEFRAME_MS } from '../src/core/market/timeframe.ts';
import { openExchange } from '../src/data/exchange/client.ts';
import { openStore } from '../src/data/store/store.ts';
import { createExchangeFeed } from '../src/desk/paper/exchange-feed.ts';
import { termsOf } from '../src/desk/paper/outlook.ts';
import { leanHeap } from '../src/data/lean-heap.ts';
import { startSession, verifySession } from '../src/desk/paper/session.ts';
import { loadTrained, type TrainedSet } from '../src/learning/training/checkpoints.ts';
import { pair } from '../tests/support/exchange/market.ts';
import { startExchange } from '../tests/support/exchange/server.ts';

const START_MS = Date.UTC(2025, 0, 1);
const STORED_BARS = 3000;
const EVERY_BARS = 250;
const DAY_MS = 86_400_000;
const MOST_MB = 300;

const { values } = parseArgs({
  options: {
    days: { type: 'string', default: '30' },
    timeframe: { type: 'string', default: '1m' },
    'retrain-days': { type: 'string', default: '0' },
    symbols: { type: 'string', default: String(SYMBOLS.length) },
    models: { type: 'string', default: 'ridge,boosted-trees,momentum-garch,mean-reversion' },
    /** What a child process does: be the exchange, or train in this folder. */
    serve: { type: 'boolean', default: false },
    train: { type: 'string' },
  },
});
const timeframe = parseTimeframe(values.timeframe);
const symbols = SYMBOLS.slice(0, Number(values.symbols));
const step = TIMEFRAME_MS[timeframe];
const bars = Math.round((DAY_MS * Number(values.days)) / step);
const retrainBars = Math.round((DAY_MS * Number(values['retrain-days'])) / step);
/** Prices that wander about where they began: thirty days of them stay plausible. */
const walks = (): readonly Candles[] => symbols.map((_, seed) => minutes(STORED_BARS + bars + 2, seed));

if (values.serve) await serve();
else if (values.train !== undefined) await train(values.train);
else await soak();

async function serve(): Promise<void> {
  const candles = walks();
  const { url } = await startExchange({
    nowMs: START_MS,
    pairs: symbols.map((symbol, s) => pair(symbol, { [timeframe]: candles[s] })),
  });
  process.send?.(url);
}

async function soak(): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'crypto-trader-soak-'));
  const [child, told] = begin('--serve');
  try {
    const url = await told;
    const store = openStore(root);
    for (const [s, candles] of walks().entries())
      await store.merge(
        { exchange: 'binance', symbol: symbols[s], timeframe },
        candlesBetween(candles, -Infinity, START_MS + STORED_BARS * step),
        { source: 'binance', synthetic: false },
      );
    const trainAside = async (): Promise<TrainedSet> =>
      loadTrained(join(root, 'checkpoints'), { runId: await begin('--train', root)[1] });
    let trained = await trainAside();
    leanHeap();
    const about = { sessionId: 'soak', exchange: 'binance', timeframe, runId: trained.runId };
    const session = sessionOn(about, symbols);
    const source = await openExchange({
      id: 'binance',
      baseUrl: url,
      timeoutMs: 30_000,
      retries: 3,
      paced: false,
      log: silentLog,
    });
    let nowMs = START_MS;
    const feedOf = (by: TrainedSet) => ({
      trained: by,
      feed: createExchangeFeed({
        store,
        trained: by,
        terms: termsOf(session),
        source,
        log: silentLog,
        now: () => nowMs,
      }),
    });
    let changes = 0;
    const feed = followActive(feedOf(trained), {
      active: async () => trained.runId,
      open: async () => feedOf(trained),
      onChange: () => changes++,
      onRefused: (_, why) => {
        throw why;
      },
    });
    const running = await startSession(join(root, 'session'), session);
    const { signal } = new AbortController();
    const seen: { readonly mb: number; readonly descriptors: number }[] = [];
    for (let bar = 1; bar <= bars; bar++) {
      nowMs = START_MS + (STORED_BARS + bar) * step + 200;
      await fetch(`${url}/__clock`, { method: 'POST', body: JSON.stringify({ nowMs }) });
      const { bars: closed } = await feed.look(running.last, signal);
      if (closed.length !== 1 || closed[0].decision.decision !== 'placed')
        throw new Error(`bar ${bar}: ${closed.length} bars, ${closed.at(0)?.decision.decision}`);
      for (const one of closed) await running.process(one.bar, one.decision, nowMs);
      if (retrainBars > 0 && bar % retrainBars === 0 && bar < bars) trained = await trainAside();
      if (bar % EVERY_BARS === 0) {
        seen.push(look(bar));
        const listening = getEventListeners(signal, 'abort').length;
        if (listening > 0) throw new Error(`${listening} listeners are left on the signal`);
      }
    }
    await running.close();
    const verified = await verifySession(join(root, 'session'));
    if (verified?.bars !== bars) throw new Error(`${verified?.bars} of ${bars} bars are on record`);
    console.log(`${changes} changes of models; the ledger of ${bars} bars replays.`);
    judge(seen);
  } finally {
    child.kill();
    rmSync(root, { recursive: true });
  }
}

/** A child of this program, and what it says first. */
function begin(...words: readonly string[]): readonly [ChildProcess, Promise<string>] {
  const { days, models, symbols: count, timeframe: bar } = values;
  const child = fork(
    import.meta.filename,
    [...words, '--days', days, '--models', models, '--symbols', count, '--timeframe', bar],
    { execArgv: ['--import', 'tsx'] },
  );
  const first = Promise.race([
    once(child, 'message').then((told: unknown[]) => z.string().parse(told[0])),
    once(child, 'exit').then((how): never => {
      throw new Error(`${words[0]} ended with ${String(how[0])}`);
    }),
  ]);
  return [child, first];
}

function look(bar: number): { readonly mb: number; readonly descriptors: number } {
  const inMb = Object.entries(process.memoryUsage()).map(
    ([name, bytes]) => `${name} ${(bytes / 1e6).toFixed(0)}`,
  );
  const descriptors = existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0;
  console.log(`${bar} bars: MB: ${inMb.join(', ')}; ${descriptors} descriptors`);
  return { mb: process.memoryUsage.rss() / 1e6, descriptors };
}

function judge(seen: readonly { readonly mb: number; readonly descriptors: number }[]): void {
  if (seen.length < 4) return;
  const half = seen.slice(seen.length >> 1);
  const mean = (some: typeof seen): number => some.reduce((sum, { mb }) => sum + mb, 0) / some.length;
  const [third, last] = [half.slice(0, half.length >> 1), half.slice(half.length >> 1)];
  const most = Math.max(...half.map(({ mb }) => mb));
  const opened = Math.max(...half.map(({ descriptors }) => descriptors)) - (seen.at(0)?.descriptors ?? 0);
  const good = most <= MOST_MB && mean(last) <= 1.1 * mean(third) && opened <= 5;
  console.log(
    `${bars} bars: ${most.toFixed(0)} MB at most in the second half; its halves ${mean(third).toFixed(0)} and ${mean(last).toFixed(0)} MB; ${opened} descriptors more than at first: ${good ? 'good' : 'NOT GOOD'}.`,
  );
  process.exitCode = good ? 0 : 1;
}

function minutes(rows: number, seed: number): Candles {
  const random = createRandom(seed);
  const candles = emptyCandles(rows);
  const cents = (value: number): number => Math.round(100 * value) / 100;
  let [price, level] = [1000, 0];
  for (let row = 0; row < rows; row++) {
    level = 0.9995 * level + 0.0007 * normal(random);
    const close = cents(1000 * Math.exp(level));
    candles.time[row] = START_MS + row * step;
    candles.open[row] = price;
    candles.close[row] = close;
    candles.high[row] = cents(Math.max(price, close) * (1 + 0.0002 * random()));
    candles.low[row] = cents(Math.min(price, close) * (1 - 0.0002 * random()));
    candles.volume[row] = cents(10 + 100 * random());
    price = close;
  }
  return candles;
}

async function train(root: string): Promise<void> {
  const about = { exchange: 'binance', symbols, timeframe, params: {}, models: values.models.split(',') };
  process.send?.(await trainOn(openStore(root), root, about));
}
