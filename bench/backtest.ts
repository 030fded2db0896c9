import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import type { Candles } from '../src/core/market/candles.ts';
import type { PairSymbol } from '../src/core/market/symbol.ts';
import { createPortfolio, equity } from '../src/core/trading/portfolio.ts';
import { runBacktest } from '../src/core/trading/run.ts';
import { liquiditySeries } from '../src/core/trading/liquidity.ts';
import { MODELLED_IMPACT, SPOT_RULES } from '../src/core/trading/rules.ts';
import { stepBar } from '../src/core/trading/step.ts';
import { openStore } from '../src/data/store/store.ts';
import { crossings, MINUTE_MS, minutes } from './backtest/minutes.ts';
import { type BenchRow, medianMs } from './bench.ts';
import { runPeer } from './peers/run.ts';

/** Two years of minutes. */
const BARS = 1_051_200;
const MANY = 20;
const MANY_BARS = 200_000;
const SWEEP_BARS = 1_000_000;
const SWEEP = 1000;
const STOP = 0.02;
const TAKE = 0.04;

export async function run(): Promise<readonly BenchRow[]> {
  const candles = minutes(BARS);
  const target = crossings(candles.close, 100, 500, true);
  const task = {
    market: { time: candles.time, barMs: MINUTE_MS, candles: [candles] },
    targets: [target],
    instruments: [instrument('BTC/USDT')],
    rules: { ...SPOT_RULES, stopLossPct: 100 * STOP, takeProfitPct: 100 * TAKE },
  };
  const loop = await medianMs(() => plainLoop(candles, target), 9);
  const core = await medianMs(() => runBacktest(task), 9);
  const modelled = { ...task, rules: { ...task.rules, impact: MODELLED_IMPACT } };
  const liquidity = [liquiditySeries(candles, MODELLED_IMPACT)];
  const impact = await medianMs(() => runBacktest(modelled), 5);
  const told = await medianMs(() => runBacktest({ ...modelled, market: { ...task.market, liquidity } }), 5);
  const general = await medianMs(() => generalLoop(task), 3);
  const many = severalSymbols();
  const shared = await medianMs(() => runBacktest(many), 3);
  const sweepMs = await sweep();
  const peers = runPeer('backtest_peers.py') ?? {};
  const millions = (bars: number, ms: number): number => bars / ms / 1000;
  const peer = (name: string, key: string) =>
    peers[key] === undefined ? {} : { peer: { name, value: peers[key] } };
  const one = 'one symbol with fees, slippage, stop, target, equity curve';
  const fills = `${BARS} bars, ${runBacktest(task).fills.length} fills`;
  return [
    {
      name: one,
      value: millions(BARS, core),
      unit: 'M bars/s',
      target: '>= 40',
      peer: { name: 'plain loop over the same columns', value: millions(BARS, loop) },
      note: fills,
    },
    {
      name: `${one}, vectorbt`,
      value: millions(BARS, core),
      unit: 'M bars/s',
      ...peer('vectorbt', 'vectorbtMillions'),
    },
    {
      name: `${one}, backtesting.py`,
      value: millions(BARS, core),
      unit: 'M bars/s',
      ...peer('backtesting.py', 'backtestingMillions'),
    },
    {
      name: `${one}, backtrader`,
      value: millions(BARS, core),
      unit: 'M bars/s',
      ...peer('backtrader', 'backtraderMillions'),
    },
    {
      name: `${one}, nautilus_trader`,
      value: millions(BARS, core),
      unit: 'M bars/s',
      ...peer('nautilus_trader', 'nautilusMillions'),
    },
    { name: 'the same through the general loop', value: millions(BARS, general), unit: 'M bars/s' },
    {
      name: 'the same with modelled slippage, the default',
      value: millions(BARS, impact),
      unit: 'M bars/s',
      note: `${millions(BARS, told).toFixed(0)} in the second run over the same bars`,
    },
    { name: 'two years of minutes from columns', value: core, unit: 'ms', target: '<= 60' },
    {
      name: 'two years of minutes from parquet, a process from its start to its end',
      value: await fromParquet(candles),
      unit: 's',
      target: '<= .6',
    },
    {
      name: `${MANY} symbols on shared cash`,
      value: millions(MANY * MANY_BARS, shared),
      unit: 'M bars/s',
      target: '>= 20',
      note: `bars of all symbols, ${runBacktest(many).fills.length} fills`,
    },
    {
      name: `sweep of ${SWEEP} moving-average crosses over ${SWEEP_BARS} bars on two workers`,
      value: sweepMs / SWEEP,
      unit: 'ms a cross',
      target: 'below vectorbt',
      ...peer('vectorbt', 'vectorbtSweepMs'),
    },
    {
      name: 'heap kept by a million quiet bars, after a forced collection',
      value: quietBytes(candles) / 2 ** 20,
      unit: 'MiB',
      target: '0',
    },
  ];
}

const instrument = (symbol: PairSymbol) => ({ symbol, amountStep: 1e-5, priceTick: 0.01, minNotional: 5 });

/** Seconds of a process that reads the stored candles and trades them. */
async function fromParquet(candles: Candles): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    const key = { exchange: 'made', symbol: 'BTC/USDT', timeframe: '1m' } as const;
    await openStore(folder).merge(key, candles, { source: 'made', synthetic: true });
    const script = join(import.meta.dirname, 'backtest/from-parquet.mjs');
    return (await medianMs(() => execFileSync(process.execPath, [script, folder]), 3)) / 1000;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function severalSymbols() {
  const candles = Array.from({ length: MANY }, (_, s) => minutes(MANY_BARS, s + 1));
  return {
    market: { time: candles[0].time, barMs: MINUTE_MS, candles },
    targets: candles.map(({ close }) => crossings(close, 100, 500, true)),
    instruments: candles.map((_, s) => instrument(`COIN${s}/USDT`)),
    rules: {
      ...SPOT_RULES,
      maxPositionPct: 100 / MANY,
      // An equal share is no more than the usual band.
      rebalanceBandPct: 1,
      stopLossPct: 100 * STOP,
      takeProfitPct: 100 * TAKE,
    },
  };
}

/** Each bar through `stepBar`, as paper trading does. */
function generalLoop({
  market,
  targets,
  instruments,
  rules,
}: Parameters<typeof runBacktest>[0]): Float64Array {
  const portfolio = createPortfolio(instruments, rules);
  return market.time.map((_, row) => {
    stepBar(portfolio, market, row, targets);
    return equity(portfolio);
  });
}

/** Milliseconds of all crosses, half of them on each of two workers; starting the workers counts. */
async function sweep(): Promise<number> {
  const own = minutes(SWEEP_BARS);
  const share = (column: Float64Array): Float64Array => {
    const copy = new Float64Array(new SharedArrayBuffer(column.byteLength));
    copy.set(column);
    return copy;
  };
  const { time, open, high, low, close, volume } = own;
  const shared: Candles = {
    time: share(time),
    open: share(open),
    high: share(high),
    low: share(low),
    close: share(close),
    volume: share(volume),
  };
  const pairs = Array.from(
    { length: SWEEP },
    (_, i) => [10 + 5 * (i % 25), 200 + 20 * Math.floor(i / 25)] as const,
  );
  const started = performance.now();
  await Promise.all(
    [0, 1].map(
      (half) =>
        new Promise<void>((resolve, reject) => {
          // A worker has no loader for TypeScript of its own.
          const script = new URL('./backtest/sweep-worker.ts', import.meta.url).href;
          const start = `import('tsx/esm/api').then(({ register }) => (register(), import('${script}')))`;
          const worker = new Worker(start, {
            eval: true,
            workerData: { candles: shared, pairs: pairs.filter((_, i) => i % 2 === half) },
          });
          worker.once('message', () => resolve());
          worker.once('error', reject);
        }),
    ),
  );
  return performance.now() - started;
}

/** What a hand-written loop for this one rule set costs: no portfolio, no events, no exchange rules. */
function plainLoop({ open, high, low, close }: Candles, target: Float64Array): Float64Array {
  const fee = SPOT_RULES.feeBps / 10_000;
  const slip = SPOT_RULES.slippageBps / 10_000;
  const curve = new Float64Array(open.length);
  let cash = 10_000;
  let amount = 0;
  let entry = 0;
  for (let t = 0; t < open.length; t++) {
    const wanted = t === 0 ? 0 : target[t - 1];
    if (wanted === 1 && amount === 0) {
      entry = open[t] * (1 + slip);
      amount = cash / (entry * (1 + fee));
      cash = 0;
    } else if (wanted === 0 && amount > 0) {
      cash += amount * open[t] * (1 - slip) * (1 - fee);
      amount = 0;
    }
    if (amount > 0) {
      const stop = entry * (1 - STOP);
      const take = entry * (1 + TAKE);
      if (low[t] <= stop) {
        cash += amount * Math.min(open[t], stop) * (1 - slip) * (1 - fee);
        amount = 0;
      } else if (high[t] >= take) {
        cash += amount * Math.max(open[t], take) * (1 - fee);
        amount = 0;
      }
    }
    curve[t] = cash + amount * close[t];
  }
  return curve;
}

/** Bytes that the heap has grown by after a million bars on which nothing trades, garbage collected before and after. */
function quietBytes(candles: Candles): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const market = { time: candles.time, barMs: MINUTE_MS, candles: [candles] };
  const rules = { ...SPOT_RULES, stopLossPct: 99, takeProfitPct: 10_000 };
  const portfolio = createPortfolio([instrument('BTC/USDT')], rules);
  const targets = [new Float64Array(BARS).fill(1)];
  let total = 0;
  const play = (from: number, to: number): void => {
    for (let row = from; row < to; row++) {
      stepBar(portfolio, market, row, targets);
      total += equity(portfolio);
    }
  };
  play(0, 50_000);
  collect();
  const before = process.memoryUsage().heapUsed;
  play(50_000, BARS);
  collect();
  const growth = process.memoryUsage().heapUsed - before;
  if (!(total > 0)) throw new Error('the portfolio lost everything');
  return growth;
}
