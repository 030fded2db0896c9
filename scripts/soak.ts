/**
 * `npm run soak -- --days 30` takes a paper session of three symbols through that many days of one-minute bars at full speed: a loopback
 * exchange in a process of its own, ccxt, the store, features, models, ledger. Prints memory and descriptors every 250 bars. Exits with 1 when the
 * second half of the run needs more than 300 MB, or its last quarter a tenth more than the one before, or when descriptors are left open.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { DEFAULT_SOURCES } from '../src/core/features/inputs.ts';
import { silentLog } from '../src/core/foundation/log.ts';
import { createRandom, normal } from '../src/core/foundation/random.ts';
import { type Candles, candlesBetween, emptyCandles } from '../src/core/market/candles.ts';
import { SPOT_RULES } from '../src/core/trading/rules.ts';
import { openExchange } from '../src/data/exchange/client.ts';
import { openStore } from '../src/data/store/store.ts';
import { createExchangeFeed } from '../src/desk/paper/exchange-feed.ts';
import { termsOf } from '../src/desk/paper/outlook.ts';
import type { SessionRecord } from '../src/desk/paper/record.ts';
import { leanHeap } from '../src/desk/session/lean-heap.ts';
import { startSession } from '../src/desk/paper/session.ts';
import { loadTrained } from '../src/learning/training/checkpoints.ts';
import { planRun } from '../src/learning/training/plan.ts';
import { finishRun, startRun } from '../src/learning/training/train.ts';
import { pair } from '../tests/support/exchange/market.ts';
import { startExchange } from '../tests/support/exchange/server.ts';

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2025, 0, 1);
const SYMBOLS = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'] as const;
const STORED_BARS = 3000;
const EVERY_BARS = 250;
const MOST_MB = 300;

const { values } = parseArgs({
  options: {
    days: { type: 'string', default: '30' },
    models: { type: 'string', default: 'ridge,boosted-trees,momentum-garch,mean-reversion' },
    exchange: { type: 'string' },
  },
});
const bars = Math.round(1440 * Number(values.days));
/** Prices that wander about where they began: thirty days of them stay plausible. */
const walks = (): readonly Candles[] => SYMBOLS.map((_, seed) => minutes(STORED_BARS + bars + 2, seed));

if (values.exchange !== undefined) await serve();
else await soak();

async function serve(): Promise<void> {
  const candles = walks();
  const { url } = await startExchange({
    nowMs: START_MS,
    pairs: SYMBOLS.map((symbol, s) => pair(symbol, { '1m': candles[s] })),
  });
  process.send?.(url);
}

async function soak(): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'crypto-trader-soak-'));
  const child = fork(import.meta.filename, ['--exchange', 'yes', '--days', values.days], {
    execArgv: ['--import', 'tsx'],
  });
  try {
    const [url] = z.tuple([z.string()]).parse((await once(child, 'message')).slice(0, 1));
    const store = openStore(root);
    for (const [s, candles] of walks().entries())
      await store.merge(
        { exchange: 'binance', symbol: SYMBOLS[s], timeframe: '1m' },
        candlesBetween(candles, -Infinity, START_MS + STORED_BARS * MINUTE_MS),
        { source: 'binance', synthetic: false },
      );
    const trained = await train(root);
    leanHeap();
    const session: SessionRecord = {
      kind: 'session',
      version: 1,
      sessionId: 'soak',
      startedAtMs: 0,
      feed: 'exchange',
      exchange: 'binance',
      timeframe: '1m',
      synthetic: false,
      runId: trained.runId,
      instruments: SYMBOLS.map((symbol) => ({ symbol, amountStep: 1e-5, priceTick: 0.01, minNotional: 5 })),
      strategy: { id: 'cost-aware', params: {} },
      ensemble: { id: 'enhanced', params: {} },
      risk: undefined,
      rules: SPOT_RULES,
    };
    const source = await openExchange({
      id: 'binance',
      baseUrl: url,
      timeoutMs: 30_000,
      retries: 3,
      paced: false,
      log: silentLog,
    });
    let nowMs = START_MS;
    const feed = createExchangeFeed({
      store,
      trained,
      terms: termsOf(session),
      source,
      log: silentLog,
      now: () => nowMs,
    });
    const running = await startSession(join(root, 'session'), session);
    const { signal } = new AbortController();
    const seen: { readonly mb: number; readonly descriptors: number }[] = [];
    for (let bar = 1; bar <= bars; bar++) {
      nowMs = START_MS + (STORED_BARS + bar) * MINUTE_MS + 200;
      await fetch(`${url}/__clock`, { method: 'POST', body: JSON.stringify({ nowMs }) });
      const { bars: closed } = await feed.look(running.last, signal);
      for (const one of closed) await running.process(one.bar, one.decision, nowMs);
      if (bar % EVERY_BARS === 0) seen.push(look(bar));
    }
    await running.close();
    judge(seen);
  } finally {
    child.kill();
    rmSync(root, { recursive: true });
  }
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
    candles.time[row] = START_MS + row * MINUTE_MS;
    candles.open[row] = price;
    candles.close[row] = close;
    candles.high[row] = cents(Math.max(price, close) * (1 + 0.0002 * random()));
    candles.low[row] = cents(Math.min(price, close) * (1 - 0.0002 * random()));
    candles.volume[row] = cents(10 + 100 * random());
    price = close;
  }
  return candles;
}

async function train(root: string) {
  const around = {
    store: openStore(root),
    checkpointDir: join(root, 'checkpoints'),
    logDir: join(root, 'logs'),
    snapshots: { everyMinutes: 60, everyEpochs: 1000, kept: 1 },
    signal: new AbortController().signal,
    onEvent: () => {},
  };
  const plan = await planRun(around.store, {
    mode: 'quick',
    seed: 1,
    seeds: 1,
    exchange: 'binance',
    symbols: SYMBOLS,
    timeframe: '1m',
    validationPct: 15,
    testPct: 15,
    costs: { feeBps: 10, slippageBps: 5 },
    approach: 'ml',
    models: values.models.split(','),
    params: {},
    allowSynthetic: false,
    sources: DEFAULT_SOURCES,
  });
  await finishRun(await startRun(plan, around), around);
  return loadTrained(around.checkpointDir);
}
