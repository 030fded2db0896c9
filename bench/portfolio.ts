import { createRandom, normal } from '../src/core/foundation/random.ts';
import { finish } from '../src/core/foundation/steps.ts';
import type { Candles } from '../src/core/market/candles.ts';
import { ALLOCATION_DEFAULTS, allocators } from '../src/core/portfolio/allocator.ts';
import { ledoitWolf } from '../src/core/portfolio/covariance.ts';
import { arithmeticMean } from '../src/core/portfolio/expected-returns.ts';
import { openLimits } from '../src/core/portfolio/limits.ts';
import { frontier, maximumSharpe, type MeanVarianceTask } from '../src/core/portfolio/mean-variance.ts';
import { SPOT_RULES } from '../src/core/trading/rules.ts';
import { loadLinearSolver } from '../src/lab/portfolio/highs.ts';
import { marketOf } from '../src/lab/portfolio/market.ts';
import { walkForward } from '../src/lab/portfolio/walk-forward.ts';
import { allocatorData } from '../src/learning/allocators/data.ts';
import { learn } from '../src/learning/allocators/learner.ts';
import { LEARNER_DEFAULTS } from '../src/learning/allocators/params.ts';
import { type BenchRow, medianMs } from './bench.ts';
import { runPeer } from './peers/run.ts';

const DAYS = 4 * 365;
const TEN = [
  'equal-weight',
  'inverse-volatility',
  'min-variance',
  'max-sharpe',
  'risk-parity',
  'max-diversification',
  'min-cvar',
  'hrp',
  'herc',
  'nested-clusters',
];

/** Returns of one market and of each asset: the same numbers for both sides, made by the same rule. */
function returnsOf(assets: number, days: number): Float64Array[] {
  const random = createRandom(11);
  const market = Float64Array.from({ length: days }, () => 0.03 * normal(random));
  return Array.from({ length: assets }, (_, i) =>
    market.map((value) => 0.0003 * (i % 7) + (0.6 + 0.04 * (i % 20)) * value + 0.02 * normal(random)),
  );
}

function taskOf(assets: number, days: number): MeanVarianceTask {
  const returns = returnsOf(assets, days);
  return {
    symbols: returns.map((_, i) => `S${i}`),
    expected: arithmeticMean(returns),
    covariance: ledoitWolf(returns).covariance,
    limits: openLimits(assets),
    current: new Float64Array(assets),
    costRate: 0,
  };
}

export async function run(): Promise<readonly BenchRow[]> {
  const [twenty, many] = [taskOf(20, 500), taskOf(200, 1000)];
  // As a walk forward runs it, once compiled: the first hundred calls take two to three times as long.
  for (let k = 0; k < 1000; k++) maximumSharpe(twenty, 0);
  const solve = await medianMs(() => maximumSharpe(twenty, 0), 501);
  const curve = await medianMs(() => finish(frontier(twenty, 100)), 11);
  const large = await medianMs(() => maximumSharpe(many, 0), 5);
  const walk = await walkTen();
  const steps = 100;
  const deep = await learning(steps);
  const peer = runPeer('portfolio.py');
  const against = (name: string, label: string) => {
    const value = peer?.[name];
    return value === undefined
      ? { note: 'no Python with PyPortfolioOpt, skfolio and PyTorch here' }
      : { peer: { name: label, value } };
  };
  return [
    {
      name: 'maximum Sharpe, 20 assets',
      value: solve,
      unit: 'ms',
      target: '<= 2 ms, 20 x faster',
      ...against('maxSharpe20', 'PyPortfolioOpt'),
    },
    {
      name: 'maximum Sharpe, 20 assets, against skfolio',
      value: solve,
      unit: 'ms',
      ...against('skfolioMaxSharpe20', 'skfolio'),
    },
    {
      name: 'frontier of 100 portfolios, 20 assets',
      value: curve,
      unit: 'ms',
      target: '<= 100 ms',
      ...against('frontier100', 'PyPortfolioOpt'),
    },
    {
      name: 'maximum Sharpe, 200 assets',
      value: large,
      unit: 'ms',
      target: '<= 500 ms',
      ...against('maxSharpe200', 'PyPortfolioOpt'),
    },
    {
      name: `walk-forward, ten strategies, 20 assets x ${DAYS} days, weekly`,
      value: walk / 1000,
      unit: 's',
      target: '<= 10 s',
    },
    {
      name: `deep allocator, ${steps} training steps, 20 assets`,
      value: deep,
      unit: 'ms',
      target: '2 x faster',
      ...against('deepSteps', 'PyTorch'),
    },
  ];
}

function candlesOf(returns: Float64Array): Candles {
  const close = new Float64Array(returns.length);
  let price = 100;
  for (let t = 0; t < close.length; t++) close[t] = price *= Math.max(0.5, 1 + returns[t]);
  const time = close.map((_, t) => Date.UTC(2022, 0, 1) + t * 86_400_000);
  const open = close.map((value, t) => (t === 0 ? value : close[t - 1]));
  return {
    time,
    open,
    high: close.map((value, t) => Math.max(value, open[t])),
    low: close.map((value, t) => Math.min(value, open[t])),
    close,
    volume: close.map(() => 1e6),
  };
}

async function walkTen(): Promise<number> {
  const candles = returnsOf(20, DAYS).map(candlesOf);
  const members = candles.map((_, i) => ({ symbol: `S${i}/USDT` as const }));
  const market = marketOf(members, candles, '1d');
  const solveLinear = await loadLinearSolver();
  const start = performance.now();
  for (const id of TEN) {
    const strategy = allocators.find((one) => one.id === id);
    if (strategy === undefined) throw new Error(`no strategy ${id}`);
    await walkForward(
      {
        members,
        market,
        instruments: members.map(({ symbol }) => ({ symbol, amountStep: 0, priceTick: 0, minNotional: 0 })),
        rules: { ...SPOT_RULES, rebalanceBandPct: 0 },
        windowBars: 180,
        rebalance: { kind: 'every', bars: 7 },
        fromMs: 0,
        untilMs: Infinity,
        limitsFor: (assets) => openLimits(assets.length),
        settings: ALLOCATION_DEFAULTS,
        solveLinear,
      },
      strategy,
    );
  }
  return performance.now() - start;
}

async function learning(steps: number): Promise<number> {
  const returns = returnsOf(20, 600);
  const data = {
    ...allocatorData(
      returns.map((_, i) => `S${i}`),
      Float64Array.from({ length: 600 }, (_, t) => t),
      returns,
    ),
    returns,
  };
  let started = 0;
  let ended = 0;
  // The first steps compile; the peer's warm up as well.
  await learn('deep', {
    data,
    lastRow: 598,
    params: { ...LEARNER_DEFAULTS.deep, costRate: 0.001, steps: steps + 10 },
    seed: 1,
    onStep: (done) => {
      if (done === 10) started = performance.now();
      ended = performance.now();
    },
  });
  return ended - started;
}
