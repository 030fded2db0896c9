import { runBacktest } from '../src/core/trading/run.ts';
import { createRandom, normal } from '../src/core/foundation/random.ts';
import { type Candles, emptyCandles } from '../src/core/market/candles.ts';
import { createPortfolio, equity } from '../src/core/trading/portfolio.ts';
import { SPOT_RULES } from '../src/core/trading/rules.ts';
import { stepBar } from '../src/core/trading/step.ts';
import { type BenchRow, medianMs } from './bench.ts';

/** Two years of minutes. */
const BARS = 1_051_200;
const MINUTE_MS = 60_000;
const STOP = 0.02;
const TAKE = 0.04;

export async function run(): Promise<readonly BenchRow[]> {
  const candles = randomWalk();
  const target = crossings(candles.close);
  const rules = { ...SPOT_RULES, stopLossPct: 100 * STOP, takeProfitPct: 100 * TAKE };
  const task = {
    market: { time: candles.time, barMs: MINUTE_MS, candles: [candles] },
    targets: [target],
    instruments: [{ symbol: 'BTC/USDT' as const, amountStep: 1e-5, priceTick: 0.01, minNotional: 5 }],
    rules,
  };

  const loop = await medianMs(() => plainLoop(candles, target), 9);
  const core = await medianMs(() => runBacktest(task), 9);
  const three = { ...task.market, candles: [candles, candles, candles] };
  const shared = await medianMs(
    () =>
      runBacktest({
        ...task,
        market: three,
        targets: [target, target, target],
        instruments: (['BTC/USDT', 'ETH/USDT', 'SOL/USDT'] as const).map((symbol) => ({
          ...task.instruments[0],
          symbol,
        })),
      }),
    5,
  );
  const millions = (bars: number, ms: number): number => bars / ms / 1000;
  const fills = runBacktest(task).fills.length;
  return [
    {
      name: 'one symbol with fees, slippage, stop, target, equity curve',
      value: millions(BARS, core),
      unit: 'M bars/s',
      target: '>= 5',
      peer: { name: 'plain loop over the same columns', value: millions(BARS, loop) },
      note: `${BARS} bars, ${fills} fills`,
    },
    {
      name: 'three symbols on shared capital',
      value: millions(3 * BARS, shared),
      unit: 'M bars/s',
      note: 'bars of all symbols',
    },
    {
      name: 'heap growth of a million quiet bars, position open',
      value: quietGrowth(candles) / 2 ** 20,
      unit: 'MiB',
      target: '< 1',
    },
  ];
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

/** Bytes the heap grows by while nothing trades. */
function quietGrowth(candles: Candles): number {
  const market = { time: candles.time, barMs: MINUTE_MS, candles: [candles] };
  const instruments = [{ symbol: 'BTC/USDT' as const, amountStep: 0, priceTick: 0, minNotional: 0 }];
  const portfolio = createPortfolio(instruments, { ...SPOT_RULES, stopLossPct: 99, takeProfitPct: 10_000 });
  const targets = [new Float64Array(BARS).fill(1)];
  let total = 0;
  const play = (from: number, to: number): void => {
    for (let row = from; row < to; row++) {
      stepBar(portfolio, market, row, targets);
      total += equity(portfolio);
    }
  };
  play(0, 50_000);
  const before = process.memoryUsage().heapUsed;
  play(50_000, BARS);
  const growth = process.memoryUsage().heapUsed - before;
  if (!(total > 0)) throw new Error('the portfolio lost everything');
  return growth;
}

function randomWalk(): Candles {
  const random = createRandom(7);
  const candles = emptyCandles(BARS);
  let last = 50_000;
  for (let t = 0; t < BARS; t++) {
    const open = last;
    const close = open * Math.exp(0.0008 * normal(random));
    candles.time[t] = t * MINUTE_MS;
    candles.open[t] = open;
    candles.close[t] = close;
    candles.high[t] = Math.max(open, close) * (1 + 0.0004 * random());
    candles.low[t] = Math.min(open, close) * (1 - 0.0004 * random());
    candles.volume[t] = 10 + 90 * random();
    last = close;
  }
  return candles;
}

/** Long while the 100-bar mean lies above the 500-bar mean. */
function crossings(close: Float64Array): Float64Array {
  const target = new Float64Array(close.length).fill(NaN);
  let fast = 0;
  let slow = 0;
  for (let t = 0; t < close.length; t++) {
    fast += close[t] - (t >= 100 ? close[t - 100] : 0);
    slow += close[t] - (t >= 500 ? close[t - 500] : 0);
    if (t >= 499) target[t] = fast / 100 > slow / 500 ? 1 : 0;
  }
  return target;
}
