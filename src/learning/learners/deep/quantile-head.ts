import { type Tensor, tf } from '../../engine/tf.ts';
import { normalCdf, normalQuantile } from '../../../core/evaluation/statistics.ts';
import type { Head, HeadSample } from './architecture.ts';
import { returnTargets } from './targets.ts';

/** 10 %, median, 90 %. */
export const QUANTILE_LEVELS = [0.1, 0.5, 0.9] as const;

export interface QuantileRule {
  readonly horizonsBars: readonly number[];
  /** The horizon whose median makes the decision. */
  readonly decisionBars: number;
  /** Least median return over that horizon, in percent, for a position; its negative for a short one. */
  readonly thresholdPct: number;
  /** Least probability that the return has the sign of the position. */
  readonly minimumConfidence: number;
}

/**
 * Three quantiles of the return at every horizon. The median is an output as it is; its neighbours lie a
 * softplus below and above, so quantiles cannot cross. Pinball loss, summed over quantiles and horizons
 * (Koenker & Bassett 1978; Lim et al. 2021, eq. 25).
 */
export function quantileHead(rule: QuantileRule): Head {
  const { horizonsBars, decisionBars } = rule;
  const width = QUANTILE_LEVELS.length;
  const at = horizonsBars.indexOf(decisionBars);
  return {
    targets: returnTargets(horizonsBars),
    outputs: horizonsBars.length * width,
    rowLosses(output, targets) {
      const quantiles = orderedQuantiles(output, horizonsBars.length); // [rows, horizons, levels]
      const error = tf.sub(tf.expandDims(targets, 2), quantiles);
      const levels = tf.tensor([...QUANTILE_LEVELS]);
      const loss = tf.maximum(tf.mul(error, levels), tf.mul(error, tf.sub(levels, 1)));
      return tf.sum(loss, [1, 2]);
    },
    calibrate: () => ({}),
    scores: (validation) => quantileScores(validation, horizonsBars),
    forecast(outputs, volatility) {
      const rows = volatility.length;
      const scale = volatility.map((value) => value * Math.sqrt(decisionBars));
      const columns = QUANTILE_LEVELS.map(() => new Float64Array(rows).fill(NaN));
      const probabilityUp = new Float64Array(rows).fill(NaN);
      for (let row = 0; row < rows; row++) {
        // Bars that nobody asked for.
        if (Number.isNaN(outputs[(row * horizonsBars.length + at) * width])) continue;
        const scaled = ordered(outputs, (row * horizonsBars.length + at) * width);
        scaled.forEach((value, q) => (columns[q][row] = value * scale[row]));
        probabilityUp[row] = 1 - probabilityBelowZero(scaled);
      }
      const expectedReturn = columns[1];
      return {
        horizonBars: decisionBars,
        position: expectedReturn.map((median, row) => decide(median, probabilityUp[row], rule)),
        confidence: probabilityUp.map((p) => Math.abs(2 * p - 1)),
        probabilityUp,
        expectedReturn: Float64Array.from(expectedReturn),
        quantiles: { levels: QUANTILE_LEVELS, columns },
      };
    },
  };
}

function decide(median: number, probabilityUp: number, rule: QuantileRule): number {
  if (Number.isNaN(median)) return NaN;
  const least = rule.thresholdPct / 100;
  if (median > least && probabilityUp > rule.minimumConfidence) return 1;
  if (median < -least && 1 - probabilityUp > rule.minimumConfidence) return -1;
  return 0;
}

/** [rows, horizons x 3] as [rows, horizons, 3] in ascending order. */
function orderedQuantiles(output: Tensor, horizons: number): Tensor {
  const raw = tf.reshape(output, [-1, horizons, QUANTILE_LEVELS.length]);
  const [below, median, above] = tf.split(raw, 3, 2);
  return tf.concat([tf.sub(median, tf.softplus(below)), median, tf.add(median, tf.softplus(above))], 2);
}

/** The same in numbers, for the three outputs from `offset` on. */
function ordered(outputs: ArrayLike<number>, offset: number): [number, number, number] {
  const median = outputs[offset + 1];
  return [median - softplus(outputs[offset]), median, median + softplus(outputs[offset + 2])];
}

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/**
 * Probability of a value below zero from its quantiles: linear between them, and beyond them, on the scale of
 * normal scores, which is exact for a normal distribution.
 */
function probabilityBelowZero([low, median, high]: readonly [number, number, number]): number {
  const half = median > 0 ? median - low : high - median;
  return normalCdf((-median / half) * SCORE_OF_90);
}
const SCORE_OF_90 = normalQuantile(0.9);

/** Of every horizon: share of returns inside the 10-90 % band, and 2 sum(loss) / sum |return| by level. */
function quantileScores({ count, outputs, targets }: HeadSample, horizons: readonly number[]) {
  const scores: Record<string, number> = { quantileCrossings: 0 };
  horizons.forEach((bars, h) => {
    let inside = 0;
    let size = 0;
    const losses = QUANTILE_LEVELS.map(() => 0);
    for (let i = 0; i < count; i++) {
      const value = targets[i * horizons.length + h];
      const quantiles = ordered(outputs, (i * horizons.length + h) * QUANTILE_LEVELS.length);
      if (value >= quantiles[0] && value <= quantiles[2]) inside++;
      if (!(quantiles[0] <= quantiles[1] && quantiles[1] <= quantiles[2])) scores.quantileCrossings++;
      size += Math.abs(value);
      QUANTILE_LEVELS.forEach((level, q) => {
        const error = value - quantiles[q];
        losses[q] += Math.max(level * error, (level - 1) * error);
      });
    }
    scores[`coverage80At${bars}BarsPct`] = (100 * inside) / count;
    QUANTILE_LEVELS.forEach((level, q) => {
      scores[`qRisk${100 * level}At${bars}Bars`] = (2 * losses[q]) / size;
    });
  });
  return scores;
}
