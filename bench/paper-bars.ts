import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../src/core/foundation/log.ts';
import { createRandom, normal } from '../src/core/foundation/random.ts';
import { type Candles, candlesBetween, emptyCandles } from '../src/core/market/candles.ts';
import type { CandleSource } from '../src/data/source.ts';
import { openStore } from '../src/data/store/store.ts';
import { createExchangeFeed } from '../src/desk/paper/exchange-feed.ts';
import { termsOf } from '../src/desk/paper/outlook.ts';
import { startSession } from '../src/desk/paper/session.ts';
import { models } from '../src/learning/models/registry.ts';
import { loadTrained, type TrainedSet } from '../src/learning/training/checkpoints.ts';
import type { BenchRow } from './bench.ts';
import { sessionOn, SYMBOLS, trainOn } from './paper-terms.ts';

const MINUTE_MS = 60_000;
const DAY = 1440;
const START_MS = Date.UTC(2023, 0, 1);
const TRAINED_BARS = 3000;
const LIVE_BARS = 25;
/** A forecast costs the same however long its model was trained. */
const BRIEF: Readonly<Record<string, unknown>> = {
  epochs: 1,
  windowsPerEpoch: 64,
  validationWindows: 32,
  totalTimesteps: 2048,
  evaluations: 1,
};
const CLASSICAL = ['ridge', 'logistic', 'boosted-trees', 'random-forest', 'momentum-garch', 'mean-reversion'];

/** From the close of a one-minute bar to its decision on disk, however many bars are stored. */
export async function barRows(): Promise<readonly BenchRow[]> {
  const root = mkdtempSync(join(tmpdir(), 'crypto-trader-bench-bars-'));
  try {
    const years = 730 * DAY + LIVE_BARS;
    const walks = SYMBOLS.map((_, seed) => minutes(years, seed));
    const trained = await train(root, walks);
    const following = only(trained, ({ fitted }) => fitted.follow !== undefined);
    const classical = only(trained, ({ id }) => CLASSICAL.includes(id));
    const rows: BenchRow[] = [];
    for (const [what, set, days] of [
      ['all models', trained, 10],
      ['all models that follow their bars', following, 10],
      ['all models that follow their bars', following, 90],
      ['six classical models', classical, 30],
      ['six classical models', classical, 730],
    ] as const) {
      const name = `${what} (${set.members.length}), three symbols, ${days} days of minutes stored`;
      const { firstMs, medianMs, processorShare, rssMb } = await live(root, set, walks, days);
      rows.push(
        {
          name: `${name}: close of a bar to its decision on disk`,
          value: medianMs,
          unit: 'ms',
          target: '<= 150 ms',
          note: `processor ${(100 * processorShare).toFixed(1)} % of one core at a bar a minute; ${rssMb.toFixed(0)} MB`,
        },
        { name: `${name}: the first bar, which reads everything`, value: firstMs / 1000, unit: 's' },
      );
    }
    return rows;
  } finally {
    rmSync(root, { recursive: true });
  }
}

async function train(root: string, walks: readonly Candles[]): Promise<TrainedSet> {
  const store = openStore(join(root, 'training'));
  for (const [s, symbol] of SYMBOLS.entries())
    await store.merge(key(symbol), candlesBetween(walks[s], -Infinity, START_MS + TRAINED_BARS * MINUTE_MS), {
      source: 'bench',
      synthetic: false,
    });
  const able = models.filter(({ kind }) => kind !== 'rule');
  await trainOn(store, root, {
    ...{ exchange: 'bench', symbols: SYMBOLS, timeframe: '1m' },
    models: able.map(({ id }) => id),
    params: Object.fromEntries(
      able.map((model) => [
        model.id,
        Object.fromEntries(
          Object.entries(BRIEF).filter(
            ([name, value]) => model.params.safeParse({ ...model.quickParams, [name]: value }).success,
          ),
        ),
      ]),
    ),
  });
  return loadTrained(join(root, 'checkpoints'));
}

const only = (trained: TrainedSet, keep: (member: TrainedSet['members'][number]) => boolean): TrainedSet => {
  const members = trained.members.filter(keep);
  return {
    ...trained,
    members,
    featureNames: [...new Set(members.flatMap(({ manifest }) => manifest.features))],
  };
};

async function live(root: string, trained: TrainedSet, walks: readonly Candles[], days: number) {
  const folder = mkdtempSync(join(root, 'live-'));
  const store = openStore(folder);
  const stored = days * DAY;
  for (const [s, symbol] of SYMBOLS.entries())
    await store.merge(key(symbol), candlesBetween(walks[s], -Infinity, START_MS + stored * MINUTE_MS), {
      source: 'bench',
      synthetic: false,
    });
  let nowMs = 0;
  const source: CandleSource = {
    name: 'bench',
    synthetic: false,
    clockMs: async () => nowMs,
    async *pages({ symbol, sinceMs, untilMs }) {
      const candles = candlesBetween(walks[SYMBOLS.findIndex((one) => one === symbol)], sinceMs, untilMs);
      yield { candles, covered: { fromMs: sinceMs, untilMs } };
    },
  };
  // As if it had been trained shortly before: what is learned on the validation bars is not what is measured here.
  const untilMs = START_MS + stored * MINUTE_MS;
  const late = {
    ...trained,
    trainUntilMs: untilMs - 300 * MINUTE_MS,
    validateUntilMs: untilMs - 100 * MINUTE_MS,
  };
  const about = {
    sessionId: 'bench-bars',
    exchange: 'bench',
    timeframe: '1m',
    runId: trained.runId,
  } as const;
  const session = sessionOn(about, SYMBOLS);
  const terms = termsOf(session);
  const feed = createExchangeFeed({ store, trained: late, terms, source, log: silentLog, now: () => nowMs });
  const running = await startSession(join(folder, 'session'), session);
  const { signal } = new AbortController();
  const times: number[] = [];
  let before = process.cpuUsage();
  for (let bar = 0; bar < LIVE_BARS; bar++) {
    nowMs = START_MS + (stored + bar) * MINUTE_MS + 200;
    const start = performance.now();
    const { bars } = await feed.look(running.last, signal);
    for (const { bar: closed, decision } of bars) await running.process(closed, decision, nowMs);
    times.push(performance.now() - start);
    if (bar === 4) before = process.cpuUsage();
  }
  const { user, system } = process.cpuUsage(before);
  await running.close();
  const later = times.slice(5).sort((a, b) => a - b);
  return {
    firstMs: times[0],
    medianMs: later[later.length >> 1],
    processorShare: (user + system) / 1e6 / (60 * later.length),
    rssMb: process.memoryUsage.rss() / 1e6,
  };
}

const key = (symbol: (typeof SYMBOLS)[number]) => ({ exchange: 'bench', symbol, timeframe: '1m' }) as const;

/** Random walks that hang together, so that pairs are found among them. */
function minutes(rows: number, seed: number): Candles {
  const [common, own] = [createRandom(1), createRandom(10 + seed)];
  const candles = emptyCandles(rows);
  let [price, gap] = [100 * (seed + 1), 0];
  for (let row = 0; row < rows; row++) {
    const change = 0.0008 * normal(common) - 0.02 * gap + 0.0003 * normal(own);
    gap = 0.98 * gap + 0.0003 * normal(own);
    const close = price * Math.exp(change);
    candles.time[row] = START_MS + row * MINUTE_MS;
    candles.open[row] = price;
    candles.close[row] = close;
    candles.high[row] = Math.max(price, close) * (1 + 0.0002 * own());
    candles.low[row] = Math.min(price, close) * (1 - 0.0002 * own());
    candles.volume[row] = 10 + 100 * own();
    price = close;
  }
  return candles;
}
