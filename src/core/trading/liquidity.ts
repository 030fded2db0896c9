import type { Candles } from '../market/candles.ts';
import type { ImpactRules } from './rules.ts';

/** What trailing bars say about the cost of trading a symbol, one entry a symbol: exponential means up to the last close. */
export interface LiquidityColumns extends LiquidityMeans {
  readonly liquidityBars: Float64Array;
  readonly lastHigh: Float64Array;
  readonly lastLow: Float64Array;
  readonly lastClose: Float64Array;
}

interface LiquidityMeans {
  /** Corwin and Schultz's estimate of the bid-ask spread, a fraction; single estimates may be negative. */
  readonly spread: Float64Array;
  /** Of the log return of a bar. */
  readonly barVariance: Float64Array;
  /** Base currency. */
  readonly barVolume: Float64Array;
}

export const createLiquidity = (size: number): LiquidityColumns => ({
  liquidityBars: new Float64Array(size),
  lastHigh: new Float64Array(size).fill(NaN),
  lastLow: new Float64Array(size).fill(NaN),
  lastClose: new Float64Array(size).fill(NaN),
  spread: new Float64Array(size),
  barVariance: new Float64Array(size),
  barVolume: new Float64Array(size),
});

/** Takes the closed bar `row` in. */
export function seeLiquidity(
  known: LiquidityColumns,
  { windowBars }: ImpactRules,
  { high, low, close, volume }: Candles,
  row: number,
  s: number,
): void {
  const bars = Math.min(known.liquidityBars[s] + 1, windowBars);
  const traded = volume[row];
  if (traded >= 0) known.barVolume[s] += (traded - known.barVolume[s]) / bars;
  if (bars > 1) {
    // One pair of bars fewer than bars.
    const pairs = bars - 1;
    const move = Math.log(close[row] / known.lastClose[s]) ** 2;
    known.barVariance[s] += (move - known.barVariance[s]) / pairs;
    const spread = corwinSchultz(high[row], low[row], known.lastHigh[s], known.lastLow[s]);
    known.spread[s] += (spread - known.spread[s]) / pairs;
  }
  known.liquidityBars[s] = bars;
  known.lastHigh[s] = high[row];
  known.lastLow[s] = low[row];
  known.lastClose[s] = close[row];
}

/** The means of one symbol as of the close of each bar, for runs that look at every bar of it. */
export interface LiquiditySeries extends LiquidityMeans {
  readonly windowBars: number;
  /** The bar at whose close two bars have been seen; Infinity: there is none. */
  readonly settledAt: number;
}

/** What `seeLiquidity` comes to bar by bar, to the bit. */
export function liquiditySeries(candles: Candles, rules: ImpactRules): LiquiditySeries {
  const bars = candles.close.length;
  const known = createLiquidity(1);
  const series = {
    spread: new Float64Array(bars),
    barVariance: new Float64Array(bars),
    barVolume: new Float64Array(bars),
  };
  let settledAt = Infinity;
  for (let row = 0; row < bars; row++) {
    if (candles.close[row] === candles.close[row]) seeLiquidity(known, rules, candles, row, 0);
    if (settledAt === Infinity && known.liquidityBars[0] >= 2) settledAt = row;
    series.spread[row] = known.spread[0];
    series.barVariance[row] = known.barVariance[0];
    series.barVolume[row] = known.barVolume[0];
  }
  return { ...series, windowBars: rules.windowBars, settledAt };
}

/** Puts the state of symbol `s` to where it stands after bars `from` to `row`, all of which there are. */
export function skipLiquidity(
  known: LiquidityColumns,
  series: LiquiditySeries,
  { high, low, close }: Candles,
  { from, row, s }: { readonly from: number; readonly row: number; readonly s: number },
): void {
  known.liquidityBars[s] = Math.min(known.liquidityBars[s] + row + 1 - from, series.windowBars);
  known.lastHigh[s] = high[row];
  known.lastLow[s] = low[row];
  known.lastClose[s] = close[row];
  known.spread[s] = series.spread[row];
  known.barVariance[s] = series.barVariance[row];
  known.barVolume[s] = series.barVolume[row];
}

/** Half of the value: where an order is many times the volume the law says nothing, and no sale fills below zero. */
const MOST = 0.5;

/**
 * How much worse than the reference price a market order of `baseAmount` is expected to fill, as a fraction: half the
 * spread, and the square-root law of impact (Toth et al. 2011; Almgren et al. 2005): a factor near 1 x the deviation of a
 * bar's return x the root of the order's share of a bar's volume. The spread is at most `maxHalfSpreadBps`: on long bars
 * of liquid pairs the estimator reads volatility as spread (BTC/USDT on days: 47 bp, in books less than .1).
 */
export const impactRate = (
  known: LiquidityColumns,
  rules: ImpactRules,
  s: number,
  baseAmount: number,
): number =>
  known.liquidityBars[s] < 2 ? rules.maxHalfSpreadBps / 10_000 : settledRate(known, rules, s, baseAmount);

/** The same once two bars have been seen, of entry `i`. */
export function settledRate(
  known: LiquidityMeans,
  { factor, maxHalfSpreadBps }: ImpactRules,
  i: number,
  baseAmount: number,
): number {
  const half = Math.min(maxHalfSpreadBps / 10_000, Math.max(0, known.spread[i] / 2));
  const volume = known.barVolume[i];
  if (!(volume > 0)) return half;
  return Math.min(MOST, half + factor * Math.sqrt((known.barVariance[i] * baseAmount) / volume));
}

/** Base amount that one order may take of a bar, from the volume known before it; no volume at all is not known. */
export const participationLimit = (
  known: LiquidityMeans,
  { participationPct }: ImpactRules,
  i: number,
): number => (known.barVolume[i] > 0 ? (known.barVolume[i] * participationPct) / 100 : Infinity);

const SCALE = 3 - 2 * Math.SQRT2;

/** Spread as a fraction of the price from two bars that follow each other (Corwin and Schultz 2012, equations 14 and 18). */
export function corwinSchultz(high: number, low: number, highBefore: number, lowBefore: number): number {
  const single = Math.log(high / low) ** 2 + Math.log(highBefore / lowBefore) ** 2;
  const both = Math.log(Math.max(high, highBefore) / Math.min(low, lowBefore)) ** 2;
  const alpha = (Math.sqrt(2 * single) - Math.sqrt(single)) / SCALE - Math.sqrt(both / SCALE);
  const grown = Math.exp(alpha);
  return (2 * (grown - 1)) / (1 + grown);
}
