import { createRandom, deriveSeed, normal, type Random } from '../../core/foundation/random.ts';
import { type Candles, emptyCandles } from '../../core/market/candles.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { TIMEFRAME_MS, type Timeframe } from '../../core/market/timeframe.ts';

/** Daily drift and volatility (of log returns) in each regime, and how long it lasts on average, in days. */
const REGIMES = [
  { name: 'quiet', drift: 0.0003, volatility: 0.018, meanDays: 40 },
  { name: 'bull', drift: 0.004, volatility: 0.032, meanDays: 30 },
  { name: 'bear', drift: -0.004, volatility: 0.042, meanDays: 20 },
  { name: 'panic', drift: -0.01, volatility: 0.085, meanDays: 4 },
] as const;

/** Share of a pair's variance that it has in common with the whole market. */
const MARKET_SHARE = 0.6;

/** Price moves inside a bar, from which its high and low come. */
const STEPS_PER_BAR = 6;

const DAY_MS = TIMEFRAME_MS['1d'];

/** Paths begin here, wherever the bars that are asked for begin: the same bar is always the same. */
export const SYNTHETIC_START_MS = Date.UTC(2017, 0, 1);

/**
 * Made-up candles that move like crypto: regimes that switch (a Markov chain), fat tails (Student's t with
 * 4 degrees of freedom), volatility that clusters, pairs that move together. Seeded; the same seed gives the
 * same bars whatever range is asked for, and timeframes share their days' open and close.
 */
export function syntheticCandles(request: {
  readonly symbol: PairSymbol;
  readonly timeframe: Timeframe;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly seed: number;
}): Candles {
  const { symbol, timeframe, seed } = request;
  const step = TIMEFRAME_MS[timeframe];
  const fromMs = Math.ceil(Math.max(request.sinceMs, SYNTHETIC_START_MS) / step) * step;
  const rows = Math.max(0, Math.ceil((request.untilMs - fromMs) / step));
  const candles = emptyCandles(rows);
  if (rows === 0) return candles;
  const days = dailyPath(symbol, { seed, days: Math.ceil((request.untilMs - SYNTHETIC_START_MS) / DAY_MS) });
  const barsPerDay = DAY_MS / step;
  const firstBar = (fromMs - SYNTHETIC_START_MS) / step;
  for (let row = 0; row < rows;) {
    const day = Math.floor((firstBar + row) / barsPerDay);
    const path = intradayPath(
      days,
      day,
      barsPerDay,
      createRandom(deriveSeed(seed, `${symbol} ${timeframe} ${day}`)),
    );
    for (let bar = (firstBar + row) % barsPerDay; bar < barsPerDay && row < rows; bar++, row++) {
      candles.time[row] = fromMs + row * step;
      fillBar(candles, row, path, bar, days.volatility[day] / Math.sqrt(barsPerDay));
    }
  }
  return candles;
}

interface DailyPath {
  /** Log price at the open of each day and, last, at the end. */
  readonly logPrice: Float64Array;
  readonly volatility: Float64Array;
}

function dailyPath(
  symbol: PairSymbol,
  { seed, days }: { readonly seed: number; readonly days: number },
): DailyPath {
  const market = createRandom(deriveSeed(seed, 'market'));
  const own = createRandom(deriveSeed(seed, symbol));
  const logPrice = new Float64Array(days + 1);
  const volatility = new Float64Array(days);
  logPrice[0] = Math.log(10) * (1 + 3 * own()); // between 10 and 10 000
  const size = 0.8 + 0.8 * own(); // how far this pair swings compared with the market
  let regime = 0;
  for (let day = 0; day < days; day++) {
    if (market() < 1 / REGIMES[regime].meanDays) regime = Math.floor(market() * REGIMES.length);
    const { drift, volatility: deviation } = REGIMES[regime];
    const shock = Math.sqrt(MARKET_SHARE) * fatTailed(market) + Math.sqrt(1 - MARKET_SHARE) * fatTailed(own);
    volatility[day] = deviation * size;
    logPrice[day + 1] = logPrice[day] + drift * size + volatility[day] * shock;
  }
  return { logPrice, volatility };
}

/** Log prices within one day, `STEPS_PER_BAR` moves a bar: a walk bent so that it ends where the day does. */
function intradayPath(days: DailyPath, day: number, barsPerDay: number, random: Random): Float64Array {
  const steps = barsPerDay * STEPS_PER_BAR;
  const deviation = days.volatility[day] / Math.sqrt(steps);
  const path = new Float64Array(steps + 1);
  for (let i = 0; i < steps; i++) path[i + 1] = path[i] + deviation * fatTailed(random);
  const [from, to] = [days.logPrice[day], days.logPrice[day + 1]];
  const bend = to - from - path[steps];
  for (let i = 0; i <= steps; i++) path[i] += from + (bend * i) / steps;
  return path;
}

function fillBar(candles: Candles, row: number, path: Float64Array, bar: number, deviation: number): void {
  const first = bar * STEPS_PER_BAR;
  let [high, low] = [path[first], path[first]];
  for (let i = first + 1; i <= first + STEPS_PER_BAR; i++) {
    high = Math.max(high, path[i]);
    low = Math.min(low, path[i]);
  }
  const move = Math.abs(path[first + STEPS_PER_BAR] - path[first]);
  candles.open[row] = quoted(path[first]);
  candles.high[row] = quoted(high);
  candles.low[row] = quoted(low);
  candles.close[row] = quoted(path[first + STEPS_PER_BAR]);
  // Turnover of about a million a bar, more when the price moves: in base currency.
  candles.volume[row] = Number((1e6 * (0.5 + move / deviation) * Math.exp(-path[first])).toPrecision(6));
}

/** A price from its logarithm, to six significant digits as exchanges quote it. */
const quoted = (logPrice: number): number => Number(Math.exp(logPrice).toPrecision(6));

/** Student's t with 4 degrees of freedom, scaled to variance 1: normal over the root of a chi-square by its degrees. */
function fatTailed(random: Random): number {
  const chiSquare = -2 * Math.log((1 - random()) * (1 - random()));
  return (normal(random) / Math.sqrt(chiSquare / 4)) * Math.SQRT1_2;
}
