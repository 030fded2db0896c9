import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrapIntervals, bootstrapMean, bootstrapSharpe } from '../src/core/evaluation/bootstrap.ts';
import { measure } from '../src/core/evaluation/metrics.ts';
import { backtestOverfitting } from '../src/core/evaluation/overfitting.ts';
import { barReturns } from '../src/core/evaluation/returns.ts';
import { superiorPredictiveAbility } from '../src/core/evaluation/superiority.ts';
import { createRandom, normal } from '../src/core/foundation/random.ts';
import { DEFAULT_SOURCES } from '../src/core/features/inputs.ts';
import { openStore } from '../src/data/store/store.ts';
import { walkForwardForecasts } from '../src/lab/backtest/walk-forward-source.ts';
import { minutes } from './backtest/minutes.ts';
import { type BenchRow, medianMs } from './bench.ts';
import { runPeer } from './peers/run.ts';

const BARS = 17_520;
const MODELS = 100;

export async function run(): Promise<readonly BenchRow[]> {
  const random = createRandom(1);
  const noise = (count: number): Float64Array =>
    Float64Array.from({ length: count }, () => 0.0001 + 0.01 * normal(random));
  const models = Array.from({ length: MODELS }, () => noise(BARS));
  const benchmark = noise(BARS);
  const [returns] = models;

  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  writeFileSync(join(folder, 'benchmark.f64'), benchmark);
  models.forEach((column, m) => writeFileSync(join(folder, `model-${m}.f64`), column));
  const peers = runPeer('evaluation_arch.py', [folder, String(MODELS)]);
  rmSync(folder, { recursive: true });
  const note = peers === undefined ? 'no Python with arch here' : '';
  const against = (name: string, value: number | undefined) =>
    value === undefined ? { note } : { peer: { name, value } };

  const bootstrapMs = await medianMs(() => {
    bootstrapMean(returns, createRandom(1), { resamples: 10_000 });
    bootstrapSharpe(returns, createRandom(1), { resamples: 10_000 });
  }, 5);
  const intervalsMs = await medianMs(
    () => bootstrapIntervals(returns, createRandom(1), { resamples: 10_000 }),
    5,
  );
  const spaMs = await medianMs(
    () => superiorPredictiveAbility(benchmark, models, { random: createRandom(1), resamples: 1000 }),
    3,
  );
  const walkSeconds = await walkTwelveFolds();
  const overfittingMs = await medianMs(() => backtestOverfitting(models, 16), 3);
  return [
    {
      name: `walk-forward of boosted trees, GARCH momentum and mean reversion, 12 folds, 3 x ${BARS} bars`,
      value: walkSeconds,
      unit: 's',
      target: '<= 30 s',
    },
    {
      name: `intervals of mean and Sharpe of ${BARS} returns, 10 000 resamples each`,
      value: bootstrapMs,
      unit: 'ms',
      target: '<= 500 ms',
      ...against('arch, StationaryBootstrap of mean and Sharpe', peers?.['bootstrapMs']),
    },
    {
      name: `intervals of Sharpe and total return of ${BARS} returns, 10 000 resamples each`,
      value: intervalsMs,
      unit: 'ms',
    },
    {
      name: `SPA of ${MODELS} models x ${BARS}, 1 000 resamples`,
      value: spaMs,
      unit: 'ms',
      target: '<= 2 000 ms, 10 x arch',
      ...against('arch SPA', peers?.['spaMs']),
    },
    {
      name: `PBO of ${MODELS} strategies x ${BARS}, S = 16`,
      value: overfittingMs,
      unit: 'ms',
      target: '<= 2 000 ms',
    },
    await metrics(),
  ];
}

async function metrics(): Promise<BenchRow> {
  const bars = 52_560;
  const random = createRandom(2);
  let worth = 10_000;
  const equity = Float64Array.from({ length: bars }, () => (worth *= 1 + 0.002 * normal(random)));
  const exposure = equity.map((_, row) => (row % 3 === 0 ? 0 : 0.5));
  const trades = Array.from({ length: 2000 }, (_, i) => ({
    kind: 'trade' as const,
    symbol: 'BTC/USDT' as const,
    side: 'long' as const,
    entryTime: i * 3_600_000,
    exitTime: (i + 5) * 3_600_000,
    barsHeld: 5,
    entryPrice: 100,
    exitPrice: 101,
    baseAmount: 1,
    feeQuote: 0.1,
    profitQuote: normal(random),
    profitPct: normal(random),
    exit: 'target' as const,
  }));
  const run = {
    initialBalance: 10_000,
    equity,
    exposure,
    trades,
    turnoverQuote: 1e6,
    ruined: false,
    hasEvidence: true,
  };
  const benchmark = equity.map(() => 0.001 * normal(random));
  const value = await medianMs(() => measure(run, 8760, benchmark), 5);
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  writeFileSync(join(folder, 'returns.f64'), barReturns(equity, run.initialBalance));
  writeFileSync(join(folder, 'benchmark.f64'), benchmark);
  const peers = runPeer('evaluation_quantstats.py', [folder]);
  rmSync(folder, { recursive: true });
  return {
    name: `all metrics of ${bars} bars and 2 000 trades`,
    value,
    unit: 'ms',
    target: '<= 50 ms',
    ...(peers === undefined
      ? { note: 'no Python with quantstats here' }
      : {
          peer: { name: 'quantstats, full table of returns', value: peers['metricsMs'] },
          note: 'which knows no trades',
        }),
  };
}

/** From stored candles to stitched forecasts of the ensemble. */
async function walkTwelveFolds(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    const store = openStore(folder);
    const symbols = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'] as const;
    for (const [i, symbol] of symbols.entries()) {
      const candles = {
        ...minutes(BARS, i + 1),
        time: Float64Array.from({ length: BARS }, (_, t) => Date.UTC(2024, 1, 15) + t * 3_600_000),
      };
      await store.merge({ exchange: 'made', symbol, timeframe: '1h' }, candles, {
        source: 'made',
        synthetic: true,
      });
    }
    const start = performance.now();
    await walkForwardForecasts({
      store,
      exchange: 'made',
      timeframe: '1h',
      symbols,
      fromMs: undefined,
      untilMs: undefined,
      sinceMs: Date.UTC(2024, 1, 15),
      models: ['boosted-trees', 'momentum-garch', 'mean-reversion'],
      folds: 12,
      embargoBars: 24,
      validationPct: 15,
      params: {},
      sources: DEFAULT_SOURCES,
      seed: 1,
      signal: new AbortController().signal,
      onFold: () => {},
    });
    return (performance.now() - start) / 1000;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
