import { join } from 'node:path';
import { createRandom, normal } from '../../src/core/foundation/random.ts';
import { DEFAULT_SOURCES } from '../../src/core/features/inputs.ts';
import type { Forecast } from '../../src/core/forecast/model.ts';
import { type Candles, emptyCandles } from '../../src/core/market/candles.ts';
import { chooseStrategy } from '../../src/core/strategy/registry.ts';
import { runBacktest } from '../../src/core/trading/run.ts';
import { SPOT_RULES } from '../../src/core/trading/rules.ts';
import { tradeCost } from '../../src/core/trading/trade-cost.ts';
import { openStore } from '../../src/data/store/store.ts';
import { decide } from '../../src/lab/backtest/decide.ts';
import { walkForwardForecasts } from '../../src/lab/backtest/walk-forward-source.ts';
import { marketOf } from '../../src/lab/backtest/strategies.ts';
import { driftingWalk } from './planted.ts';

export const YEAR_BARS = 8760;

const HOUR = 3_600_000;
const START = Date.UTC(2025, 0, 1);
const SYMBOL = 'BTC/USDT';

/** A random walk whose volatility clusters (GARCH 1,1 with .08 and .9) and whose returns nobody can foresee. */
export function clusteringWalk(rows: number, seed: number): Candles {
  const random = createRandom(seed);
  const candles = emptyCandles(rows);
  const [base, arch, memory] = [0.006 ** 2, 0.08, 0.9];
  let variance = base;
  let price = 100;
  for (let row = 0; row < rows; row++) {
    const change = Math.sqrt(variance) * normal(random);
    const close = price * Math.exp(change - variance / 2);
    candles.time[row] = START + row * HOUR;
    candles.open[row] = price;
    candles.close[row] = close;
    candles.high[row] = Math.max(price, close) * (1 + 0.2 * Math.sqrt(variance) * random());
    candles.low[row] = Math.min(price, close) * (1 - 0.2 * Math.sqrt(variance) * random());
    candles.volume[row] = 1000 + 100 * random();
    variance = base * (1 - arch - memory) + arch * change * change + memory * variance;
    price = close;
  }
  return candles;
}

interface Outcome {
  readonly returnPct: number;
  readonly trades: number;
}

/** How a world is traded: models refitted walking forward, a folder for the candles. */
export interface Trading {
  readonly folder: string;
  readonly models: readonly string[];
  readonly folds: number;
}

/** The default ensemble under the default strategy, and beside it the plain mean of the same models, each position as stated. */
interface Outcomes {
  readonly decided: Outcome;
  readonly plain: Outcome;
  /** The default strategy on the forecasts of `truth`, when that is known. */
  readonly informed: Outcome | undefined;
}

/** A year of hours of a walk with an edge of so many basis points a trade, and what its true parameters expect. */
export function plantedWorld(edgeBps: number, seed: number) {
  const [persistence, noise] = [0.95, 0.004];
  // A drift of one deviation is worth drift / (1 - persistence) until it is gone.
  const drift = edgeBps * 1e-4 * (1 - persistence);
  const { candles } = driftingWalk(YEAR_BARS, { startMs: START, seed, noise, drift, persistence });
  const truth = (horizonBars: number): Float64Array =>
    filtered(candles, { noise, drift, persistence }).map(
      (next) => (next * (1 - persistence ** horizonBars)) / (1 - persistence),
    );
  return { candles, truth };
}

/** The drift of the next bar as of each close, by the steady Kalman filter of the process that `driftingWalk` draws. */
function filtered(
  { open, close }: Candles,
  process: { readonly noise: number; readonly drift: number; readonly persistence: number },
): Float64Array {
  const { drift, persistence } = process;
  const noise = process.noise ** 2;
  const shock = drift ** 2 * (1 - persistence ** 2);
  let variance = drift ** 2;
  for (let i = 0; i < 1000; i++)
    variance = persistence ** 2 * (variance - variance ** 2 / (variance + noise)) + shock;
  const gain = variance / (variance + noise);
  let expected = 0;
  return close.map((value, t) => {
    const seen = Math.log(value / open[t]);
    return (expected = persistence * (expected + gain * (seen - expected)));
  });
}

/** Trades candles at 10 + 5 bp over the folds of their second half. */
export async function tradeWorld(
  { candles, truth }: { readonly candles: Candles; readonly truth?: (horizonBars: number) => Float64Array },
  { folder, models, folds }: Trading,
): Promise<Outcomes> {
  const store = openStore(join(folder, 'data'));
  const key = { exchange: 'made', symbol: SYMBOL, timeframe: '1h' } as const;
  await store.merge(key, candles, { source: 'made', synthetic: true });
  const source = await walkForwardForecasts({
    store,
    exchange: key.exchange,
    timeframe: key.timeframe,
    symbols: [SYMBOL],
    fromMs: undefined,
    untilMs: undefined,
    sinceMs: START,
    models,
    folds,
    embargoBars: 24,
    validationPct: 15,
    params: {},
    sources: DEFAULT_SOURCES,
    seed: 1,
    signal: new AbortController().signal,
    onFold: () => {},
  });
  const terms = { ...chooseStrategy('cost-aware', {}), cost: tradeCost(SPOT_RULES), allowShort: false };
  const decided = decide(source, terms).source.ensemble;
  const { horizonBars } = source.ensemble[0];
  const informed =
    truth &&
    decide({ ...source, ensemble: [statedBy(truth(horizonBars), horizonBars)] }, terms).source.ensemble;
  const plain = source.members.find(({ id }) => id === 'equal-weight')?.forecasts ?? source.ensemble;
  const { market, targetsOf } = marketOf(source.panel, source.range);
  const instruments = [{ symbol: SYMBOL, amountStep: 0, priceTick: 0, minNotional: 0 }] as const;
  const outcome = (forecasts: typeof plain): Outcome => {
    const run = runBacktest({ market, targets: targetsOf(forecasts), instruments, rules: SPOT_RULES });
    const last = run.equity[run.equity.length - 1];
    return { returnPct: 100 * (last / SPOT_RULES.initialBalance - 1), trades: run.trades.length };
  };
  return { decided: outcome(decided), plain: outcome(plain), informed: informed && outcome(informed) };
}

const statedBy = (expectedReturn: Float64Array, horizonBars: number): Forecast => ({
  symbol: SYMBOL,
  horizonBars,
  position: expectedReturn.map(Math.sign),
  confidence: expectedReturn.map(() => 1),
  expectedReturn,
});
