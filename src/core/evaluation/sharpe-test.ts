import { barSharpe } from './returns.ts';
import { normalCdf, normalQuantile, shape } from './statistics.ts';

/** A sample of returns as the tests of its Sharpe ratio see it; all per bar, nothing annualised. */
export interface SharpeSample {
  readonly sharpe: number;
  readonly bars: number;
  readonly skew: number;
  /** A normal sample has 3. */
  readonly kurtosis: number;
}

/** `undefined` when the returns never vary. */
export function sharpeSample(returns: Float64Array): SharpeSample | undefined {
  const ratio = barSharpe(returns);
  const moments = shape(returns);
  if (ratio === undefined || moments === undefined) return undefined;
  return { sharpe: ratio, bars: returns.length, ...moments };
}

/** Standard error of the Sharpe ratio per bar, skew and fat tails included (Mertens 2002). */
export const sharpeError = (sample: SharpeSample): number =>
  Math.sqrt(unitVariance(sample) / (sample.bars - 1));

/**
 * Probabilistic Sharpe ratio: how probable it is that the true Sharpe ratio exceeds `benchmark` (per bar).
 * Bailey & Lopez de Prado 2012, The Sharpe Ratio Efficient Frontier.
 */
export const probabilisticSharpe = (sample: SharpeSample, benchmark = 0): number =>
  normalCdf((sample.sharpe - benchmark) / sharpeError(sample));

/**
 * The Sharpe ratio that the best of `trials` strategies without any skill is expected to show, when their ratios
 * (per bar) have this variance. Bailey & Lopez de Prado 2014, The Deflated Sharpe Ratio.
 */
export function expectedBestSharpe(trials: number, variance: number): number {
  if (trials < 2) return 0;
  const best =
    (1 - EULER) * normalQuantile(1 - 1 / trials) + EULER * normalQuantile(1 - 1 / (trials * Math.E));
  return Math.sqrt(variance) * best;
}

/**
 * Variance of the Sharpe ratio per bar of strategies without any skill, net of what their costs take: with a true
 * ratio of zero it is 1 / (bars - 1), whatever the shape of the returns (Mertens 2002). The variance over trials as they came out
 * measures how much they paid for trading instead: next to strategies that bleed, it hides any edge.
 */
export const noSkillVariance = (bars: number): number => 1 / (bars - 1);

/** The probabilistic Sharpe ratio against the best that luck alone would show after this many trials. */
export const deflatedSharpe = (
  sample: SharpeSample,
  trials: { readonly count: number; readonly variance: number },
): number => probabilisticSharpe(sample, expectedBestSharpe(trials.count, trials.variance));

/**
 * Bars after which this Sharpe ratio would differ from zero with the given confidence. `undefined` for a ratio that
 * is not above zero.
 */
export function minimumTrackRecord(sample: SharpeSample, confidence = 0.95): number | undefined {
  if (sample.sharpe <= 0) return undefined;
  return 1 + unitVariance(sample) * (normalQuantile(confidence) / sample.sharpe) ** 2;
}

const EULER = 0.5772156649015329;

const unitVariance = ({ sharpe, skew, kurtosis }: SharpeSample): number =>
  Math.max(0, 1 - skew * sharpe + ((kurtosis - 1) / 4) * sharpe * sharpe);
