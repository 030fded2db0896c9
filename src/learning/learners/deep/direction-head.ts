import { z } from 'zod';
import { tf } from '../../engine/tf.ts';
import type { Calibration, Head, HeadSample } from './architecture.ts';
import { fitPlatt, plattProbability } from './platt.ts';
import { returnTargets } from './targets.ts';

/** Which probability makes which position. */
export interface DirectionRule {
  readonly horizonBars: number;
  /** Long above this calibrated probability of a positive return. */
  readonly buyAbove: number;
  /** Short, where that is allowed, below this one. */
  readonly sellBelow: number;
  /** Least probability of the side that is taken, for a long position. */
  readonly minimumConfidence: number;
  /** Of the focal loss; 0, the default: plain cross-entropy. */
  readonly focalGamma?: number;
}

export const Platt = z.object({ slope: z.number().min(0), offset: z.number() });

/**
 * One logit for the sign of the return over `horizonBars`: class-weighted binary cross-entropy, focal where asked for (Lin,
 * Goyal, Girshick, He & Dollar 2017), and a probability calibrated by Platt's scaling. Flat between the two thresholds.
 */
export function directionHead(rule: DirectionRule): Head {
  const { horizonBars, focalGamma = 0 } = rule;
  return {
    targets: returnTargets([horizonBars]),
    outputs: 1,
    rowLosses(output, targets, { positiveShare }) {
      const logit = tf.reshape(output, [-1]);
      const positive = tf.cast(tf.greater(tf.reshape(targets, [-1]), 0), 'float32');
      // Both classes weigh the same in sum: n / (2 n_class).
      const [up, down] = [0.5 / positiveShare, 0.5 / (1 - positiveShare)];
      const weight = tf.add(tf.mul(positive, up - down), down);
      const odds = tf.softplus(logit);
      const losses = tf.mul(weight, tf.sub(odds, tf.mul(positive, logit)));
      if (focalGamma === 0) return losses;
      // ln of what is missing to certainty, 1 - p of the class that came.
      const missing = tf.sub(tf.mul(tf.sub(1, positive), logit), odds);
      return tf.mul(losses, tf.exp(tf.mul(missing, focalGamma)));
    },
    calibrate: ({ outputs, targets }) => ({
      ...fitPlatt(
        outputs,
        Array.from(targets, (z) => z > 0),
      ),
    }),
    scores: (validation, calibration) => probabilityScores(validation, calibration),
    forecast(outputs, _, calibration) {
      const platt = Platt.parse(calibration);
      const probabilityUp = outputs.map((logit) => plattProbability(platt, logit));
      return {
        horizonBars,
        position: probabilityUp.map((p) => sideTaken(p, rule)),
        confidence: probabilityUp.map((p) => Math.abs(2 * p - 1)),
        probabilityUp,
      };
    },
  };
}

/** 1, 0 or -1; `NaN` without a probability. */
export function sideTaken(
  probabilityUp: number,
  { buyAbove, sellBelow, minimumConfidence }: Omit<DirectionRule, 'horizonBars'>,
): number {
  if (Number.isNaN(probabilityUp)) return NaN;
  if (probabilityUp > buyAbove && probabilityUp >= minimumConfidence) return 1;
  return probabilityUp < sellBelow ? -1 : 0;
}

/** How good calibrated logits, one a row, were as probabilities that the target beside each was positive. */
export function probabilityScores(
  { count, outputs, targets }: HeadSample,
  calibration: Calibration,
): Readonly<Record<string, number>> {
  const platt = Platt.parse(calibration);
  let [right, brier, ups] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const p = plattProbability(platt, outputs[i]);
    const up = targets[i] > 0;
    if (p > 0.5 === up) right++;
    if (up) ups++;
    brier += (p - (up ? 1 : 0)) ** 2;
  }
  const base = ups / count;
  return {
    accuracyPct: (100 * right) / count,
    majorityClassPct: 100 * Math.max(base, 1 - base),
    brierScore: brier / count,
    /** Of always stating the base rate. */
    baselineBrierScore: base * (1 - base),
  };
}
