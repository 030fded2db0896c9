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

/** A pair of a made world, and what the true process expects of it over so many bars, as of each close. */
interface Made {
  readonly symbol: 'BTC/USDT' | 'ETH/USDT' | 'SOL/USDT';
  readonly candles: Candles;
  readonly truth?: (horizonBars: number) => Float64Array;
}
type World = readonly Made[];

/** A world in which nobody can foresee anything. */
export const walkingWorld = (seed: number): World => [
  { symbol: 'BTC/USDT', candles: clusteringWalk(YEAR_BARS, seed) },
];

/** Three pairs that move together and in which nobody can foresee anything either. */
export function walkingMarket(seed: number): World {
  const [market, ...own] = Array.from({ length: 4 }, (_, i) =>
    clusteringWalk(YEAR_BARS, 1000 * (i + 1) + seed),
  );
  return (['BTC/USDT', 'ETH/USDT', 'SOL/USDT'] as const).map((symbol, s) => ({
    symbol,
    candles: multiplied(market, own[s]),
  }));
}

/** The two walks as one price. */
function multiplied(a: Candles, b: Candles): Candles {
  const product = (name: 'open' | 'high' | 'low' | 'close'): Float64Array =>
    a[name].map((price, row) => (price * b[name][row]) / 100);
  return {
    ...a,
    open: product('open'),
    high: product('high'),
    low: product('low'),
    close: product('close'),
    volume: b.volume,
  };
}

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

/** Those that worlds are traded with: fitted in seconds. */
export const MODELS = ['ridge', 'logistic', 'vector-autoregression', 'momentum-garch'];

/** The default ensemble under the default strategy, and beside it the plain mean of the same models, each position as stated. */
interface Outcomes {
  readonly decided: Outcome;
  readonly plain: Outcome;
  /** The default strategy on the forecasts of `truth`, when that is known. */
  readonly informed: Outcome | undefined;
}

/**
 * Years of hours with an edge of so many basis points a trade: a deviation of what the true process expects until it is gone.
 * `drift`: regimes that last, seen through noise. `ar1`: each return repeats a share of the one before. `lead-lag`: ETH/USDT follows
 * BTC/USDT, itself a random walk, within one bar or over six.
 */
export const PLANTED = {
  drift: driftWorld,
  ar1: autoregressiveWorld,
  'lead-lag': (edgeBps: number, seed: number) => leadLagWorld(edgeBps, seed, 1),
  'lead-lag-6': (edgeBps: number, seed: number) => leadLagWorld(edgeBps, seed, 6),
} satisfies Readonly<Record<string, (edgeBps: number, seed: number) => World>>;

const NOISE = 0.004;

function driftWorld(edgeBps: number, seed: number): World {
  const [persistence, noise] = [0.95, NOISE];
  // A drift of one deviation is worth drift / (1 - persistence) until it is gone.
  const drift = edgeBps * 1e-4 * (1 - persistence);
  const { candles } = driftingWalk(YEAR_BARS, { startMs: START, seed, noise, drift, persistence });
  const truth = (horizonBars: number): Float64Array =>
    filtered(candles, { noise, drift, persistence }).map(
      (next) => (next * (1 - persistence ** horizonBars)) / (1 - persistence),
    );
  return [{ symbol: 'BTC/USDT', candles, truth }];
}

/** r = share r before + noise: a return of one deviation is worth share / (1 - share) of it until it is gone. */
function autoregressiveWorld(edgeBps: number, seed: number): World {
  const worth = (share: number): number => (share / (1 - share)) * (NOISE / Math.sqrt(1 - share ** 2));
  let [below, above] = [0, 1];
  for (let i = 0; i < 60; i++) {
    const middle = (below + above) / 2;
    if (worth(middle) < edgeBps * 1e-4) below = middle;
    else above = middle;
  }
  const share = below;
  const random = createRandom(seed);
  const returns = new Float64Array(YEAR_BARS);
  for (let row = 0; row < YEAR_BARS; row++)
    returns[row] = share * (row === 0 ? 0 : returns[row - 1]) + NOISE * normal(random);
  const truth = (horizonBars: number): Float64Array =>
    returns.map((now) => (now * share * (1 - share ** horizonBars)) / (1 - share));
  return [{ symbol: 'BTC/USDT', candles: candlesOf(returns, random), truth }];
}

/** The follower repeats the mean of its leader's last `bars` returns, magnified, beside noise of its own. */
function leadLagWorld(edgeBps: number, seed: number, bars: number): World {
  const random = createRandom(seed);
  // After one return of one deviation, all that is still to come is worth strength * NOISE.
  const strength = (edgeBps * 1e-4) / NOISE;
  const leader = Float64Array.from({ length: YEAR_BARS }, () => NOISE * normal(random));
  const told = (row: number): number => (row < 0 ? 0 : leader[row]);
  const follower = leader.map((_, row) => {
    let sum = 0;
    for (let lag = 1; lag <= bars; lag++) sum += told(row - lag);
    return (strength * sum) / bars + NOISE * normal(random);
  });
  /** Of what the leader did until now, each return is still to come in the bars that it has left. */
  const truth = (horizonBars: number): Float64Array =>
    leader.map((_, row) => {
      let sum = 0;
      for (let age = 0; age < bars; age++) sum += told(row - age) * Math.min(horizonBars, bars - age);
      return (strength * sum) / bars;
    });
  return [
    { symbol: 'BTC/USDT', candles: candlesOf(leader, random), truth: () => new Float64Array(YEAR_BARS) },
    { symbol: 'ETH/USDT', candles: candlesOf(follower, random), truth },
  ];
}

/** Candles from log returns, each bar opening where the one before closed. */
function candlesOf(returns: Float64Array, random: () => number): Candles {
  const candles = emptyCandles(returns.length);
  let price = 100;
  returns.forEach((change, row) => {
    const close = price * Math.exp(change);
    candles.time[row] = START + row * HOUR;
    candles.open[row] = price;
    candles.close[row] = close;
    candles.high[row] = Math.max(price, close) * (1 + 0.2 * NOISE * random());
    candles.low[row] = Math.min(price, close) * (1 - 0.2 * NOISE * random());
    candles.volume[row] = 1000 + 100 * random();
    price = close;
  });
  return candles;
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
export async function tradeWorld(world: World, { folder, models, folds }: Trading): Promise<Outcomes> {
  const store = openStore(join(folder, 'data'));
  const key = { exchange: 'made', timeframe: '1h' } as const;
  for (const { symbol, candles } of world)
    await store.merge({ ...key, symbol }, candles, { source: 'made', synthetic: true });
  const source = await walkForwardForecasts({
    store,
    exchange: key.exchange,
    timeframe: key.timeframe,
    symbols: world.map(({ symbol }) => symbol),
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
  // The truth's own statements are what its skill is measured on, not those of the models.
  const { shown: _, ...stated } = source;
  const known = world.flatMap(({ symbol, truth }) =>
    truth === undefined ? [] : [statedBy(symbol, truth(horizonBars), horizonBars)],
  );
  const informed =
    known.length > 0 ? decide({ ...stated, ensemble: known }, terms).source.ensemble : undefined;
  const plain = source.members.find(({ id }) => id === 'equal-weight')?.forecasts ?? source.ensemble;
  const { market, targetsOf } = marketOf(source.panel, source.range);
  const instruments = world.map(({ symbol }) => ({ symbol, amountStep: 0, priceTick: 0, minNotional: 0 }));
  const rules = { ...SPOT_RULES, maxPositionPct: 100 / world.length };
  const outcome = (forecasts: typeof plain): Outcome => {
    const run = runBacktest({ market, targets: targetsOf(forecasts), instruments, rules });
    const last = run.equity[run.equity.length - 1];
    return { returnPct: 100 * (last / SPOT_RULES.initialBalance - 1), trades: run.trades.length };
  };
  return { decided: outcome(decided), plain: outcome(plain), informed: informed && outcome(informed) };
}

const statedBy = (symbol: Made['symbol'], expectedReturn: Float64Array, horizonBars: number): Forecast => ({
  symbol,
  horizonBars,
  position: expectedReturn.map(Math.sign),
  confidence: expectedReturn.map(() => 1),
  expectedReturn,
});
