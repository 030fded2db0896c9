import type { Candles } from '../market/candles.ts';
import type { ImpactRules } from './rules.ts';

/** What trailing bars say about the cost of trading a symbol, one entry a symbol: exponential means up to the last close. */
export interface LiquidityColumns {
  readonly liquidityBars: Float64Array;
  readonly lastHigh: Float64Array;
  readonly lastLow: Float64Array;
  readonly lastClose: Float64Array;
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

/** Half of the value: where an order is many times the volume the law says nothing, and no sale fills below zero. */
const MOST = 0.5;

/**
 * How much worse than the reference price a market order of `baseAmount` is expected to fill, as a fraction: half the
 * spread, and the square-root law of impact (Toth et al. 2011; Almgren et al. 2005): a factor near 1 x the deviation of a
 * bar's return x the root of the order's share of a bar's volume. The spread is at most `maxHalfSpreadBps`: on long bars
 * of liquid pairs the estimator reads volatility as spread (BTC/USDT on days: 47 bp, in books less than .1).
 */
export function impactRate(
  known: LiquidityColumns,
  { factor, maxHalfSpreadBps }: ImpactRules,
  s: number,
  baseAmount: number,
): number {
  const widest = maxHalfSpreadBps / 10_000;
  if (known.liquidityBars[s] < 2) return widest;
  const half = Math.min(widest, Math.max(0, known.spread[s] / 2));
  const volume = known.barVolume[s];
  if (!(volume > 0)) return half;
  return Math.min(MOST, half + factor * Math.sqrt((known.barVariance[s] * baseAmount) / volume));
}

/** Base amount that one order may take of a bar, from the volume known before it; no volume at all is not known. */
export const participationLimit = (
  known: LiquidityColumns,
  { participationPct }: ImpactRules,
  s: number,
): number => (known.barVolume[s] > 0 ? (known.barVolume[s] * participationPct) / 100 : Infinity);

const SCALE = 3 - 2 * Math.SQRT2;

/** Spread as a fraction of the price from two bars that follow each other (Corwin and Schultz 2012, equations 14 and 18). */
export function corwinSchultz(high: number, low: number, highBefore: number, lowBefore: number): number {
  const single = Math.log(high / low) ** 2 + Math.log(highBefore / lowBefore) ** 2;
  const both = Math.log(Math.max(high, highBefore) / Math.min(low, lowBefore)) ** 2;
  const alpha = (Math.sqrt(2 * single) - Math.sqrt(single)) / SCALE - Math.sqrt(both / SCALE);
  const grown = Math.exp(alpha);
  return (2 * (grown - 1)) / (1 + grown);
}
