import { mean } from '../../../core/foundation/moments.ts';
import { z } from 'zod';
import { type Tensor, tf } from '../../engine/tf.ts';
import { rankCorrelation } from '../../../core/evaluation/rank-correlation.ts';
import type { Head, HeadSample } from '../../learners/deep/architecture.ts';
import {
  type DirectionRule,
  Platt,
  probabilityScores,
  sideTaken,
} from '../../learners/deep/direction-head.ts';
import { fitPlatt, plattProbability } from '../../learners/deep/platt.ts';
import { DIRECTIONS, multiTaskTargets, REGIMES, type TargetRule, TARGETS } from './targets.ts';

export interface MultiTaskRule extends DirectionRule, TargetRule {
  readonly sidewaysSigmas: number;
  readonly fullSizeSigmas: number;
}

/** Widths of the tasks' outputs, in their order; after them the logarithm of each task's variance. */
export const TASKS = {
  direction: DIRECTIONS.length,
  volatility: 1,
  regime: REGIMES.length,
  size: 1,
} as const;
const TASK_NAMES = ['direction', 'volatility', 'regime', 'size'] as const;
export const TASK_OUTPUTS = TASK_NAMES.reduce((sum, name) => sum + TASKS[name], 0);

const Calibrated = Platt.extend({ logVolatilityOffset: z.number() });

/**
 * Four losses weighed by learned variances (Kendall, Gal & Cipolla 2018, eq. 10): of down, sideways and up, and of the
 * regime, cross-entropy; of log volatility the squared error; of the position size the regression of 1 on what the
 * position earns (Britten-Jones 1999), whose optimum is mean over variance. The forecast takes the side on which the
 * calibrated odds of up against down are, and of it the size, where the two agree.
 */
export function multiTaskHead(rule: MultiTaskRule): Head {
  const { horizonBars, sidewaysSigmas, fullSizeSigmas, focalGamma = 0 } = rule;
  const sideOf = (change: number): number => (change > sidewaysSigmas ? 2 : change > -sidewaysSigmas ? 1 : 0);
  return {
    targets: multiTaskTargets(rule),
    outputs: TASK_OUTPUTS + TASK_NAMES.length,
    questions: [
      { classes: DIRECTIONS.length, of: (targets, at) => sideOf(targets[at + TARGETS.scaledReturn]) },
      { classes: REGIMES.length, of: (targets, at) => targets[at + TARGETS.regime] },
    ],
    rowLosses(output, targets, { shares }) {
      const [direction, volatility, regime, size, logVariances] = tf.split(
        output,
        [...TASK_NAMES.map((name) => TASKS[name]), TASK_NAMES.length],
        1,
      );
      const [change, logVolatility, actualRegime] = tf.split(targets, 3, 1); // [rows, 1] each
      const band = [sidewaysSigmas, -sidewaysSigmas].map((edge) =>
        tf.cast(tf.greater(change, edge), 'int32'),
      );
      const side = tf.add(band[0], band[1]); // 0 down, 1 sideways, 2 up
      const missed = tf.sub(1, tf.mul(tf.mul(tf.tanh(size), change), fullSizeSigmas));
      const losses = [
        rowCrossEntropy(direction, side, { shares: shares?.[0], focalGamma }),
        tf.mul(tf.square(tf.sub(volatility, logVolatility)), 0.5),
        rowCrossEntropy(regime, tf.cast(actualRegime, 'int32'), { shares: shares?.[1], focalGamma }),
        tf.mul(tf.square(missed), 0.5),
      ];
      const weighed = tf.mul(tf.concat(losses, 1), tf.exp(tf.neg(logVariances))); // [rows, tasks]
      return tf.sum(tf.add(weighed, tf.mul(logVariances, 0.5)), 1);
    },
    calibrate(validation) {
      const { count, targets } = validation;
      const changes = column(targets, count, TARGETS.scaledReturn);
      const { forecast, actual } = volatilities(validation, 0);
      // So that the forecast variance is on average the realised one: the mean of a logarithm lies below.
      const logVolatilityOffset = logMeanSquare(actual.map((value, i) => value - forecast[i]));
      return {
        ...fitPlatt(
          upAgainstDown(validation),
          Array.from(changes, (change) => change > 0),
        ),
        logVolatilityOffset,
      };
    },
    scores(validation, calibration) {
      const { count, targets } = validation;
      const { logVolatilityOffset } = Calibrated.parse(calibration);
      const changes = column(targets, count, TARGETS.scaledReturn);
      const odds = { count, outputs: upAgainstDown(validation), targets: changes };
      const sides = changes.map(sideOf);
      return {
        ...probabilityScores(odds, calibration),
        ...classScores('direction', validation, sides),
        ...classScores('regime', validation, column(targets, count, TARGETS.regime)),
        ...volatilityScores(volatilities(validation, logVolatilityOffset)),
        ...sizeScores(sizes(validation), changes, fullSizeSigmas),
        ...Object.fromEntries(
          TASK_NAMES.map((name, i) => [
            `logVarianceOf${capital(name)}`,
            validation.outputs[TASK_OUTPUTS + i],
          ]),
        ),
      };
    },
    forecast(outputs, volatility, calibration) {
      const platt = Calibrated.parse(calibration);
      const sample = { count: volatility.length, outputs };
      const probabilityUp = Float64Array.from(upAgainstDown(sample), (logit) =>
        plattProbability(platt, logit),
      );
      const wanted = sizes(sample);
      return {
        horizonBars,
        position: probabilityUp.map((p, row) => {
          const side = sideTaken(p, rule);
          return Number.isNaN(side) ? NaN : side * wanted[row] > 0 ? wanted[row] : 0;
        }),
        confidence: probabilityUp.map((p) => Math.abs(2 * p - 1)),
        probabilityUp,
      };
    },
  };
}

/**
 * [rows, 1] from logits [rows, classes] and classes [rows, 1]; with the shares of the classes, each weighs the same in sum,
 * and with a gamma above 0 the loss is focal (Lin et al. 2017).
 */
function rowCrossEntropy(
  logits: Tensor,
  classes: Tensor,
  of: { readonly shares: readonly number[] | undefined; readonly focalGamma: number },
): Tensor {
  const count = logits.shape[1] ?? 0;
  const chosen = tf.cast(tf.oneHot(tf.reshape(classes, [-1]), count), 'float32');
  const loss = tf.neg(tf.sum(tf.mul(chosen, tf.logSoftmax(logits)), 1, true));
  const weights = of.shares?.map((share) => 1 / (count * share));
  const weighed = weights ? tf.mul(loss, tf.sum(tf.mul(chosen, tf.tensor1d(weights)), 1, true)) : loss;
  if (of.focalGamma === 0) return weighed;
  const missing = tf.clipByValue(tf.sub(1, tf.exp(tf.neg(loss))), 1e-7, 1);
  return tf.mul(weighed, tf.exp(tf.mul(tf.log(missing), of.focalGamma)));
}

type Outputs = Pick<HeadSample, 'count'> & { readonly outputs: ArrayLike<number> };

/** Where each task's outputs begin. */
const FIRST = {
  direction: 0,
  volatility: TASKS.direction,
  regime: TASKS.direction + TASKS.volatility,
  size: TASKS.direction + TASKS.volatility + TASKS.regime,
};

/** Column `at` of values [count, width]. */
function column(values: ArrayLike<number>, count: number, at: number): Float32Array {
  const width = values.length / count;
  const picked = new Float32Array(count);
  for (let row = 0; row < count; row++) picked[row] = values[row * width + at];
  return picked;
}

/** Logarithm of the odds of up against down, before calibration. */
function upAgainstDown({ count, outputs }: Outputs): Float32Array {
  const down = column(outputs, count, FIRST.direction);
  return column(outputs, count, FIRST.direction + 2).map((up, row) => up - down[row]);
}

const sizes = ({ count, outputs }: Outputs): Float32Array =>
  column(outputs, count, FIRST.size).map(Math.tanh);

/** Logarithms of realised over known volatility, the forecast ones moved by `offset`. */
function volatilities({ count, outputs, targets }: HeadSample, offset: number) {
  return {
    forecast: column(outputs, count, FIRST.volatility).map((value) => value + offset),
    actual: column(targets, count, TARGETS.logVolatility),
  };
}

/** How often the likeliest class was the right one, and how often the most frequent class would have been. */
function classScores(task: 'direction' | 'regime', { count, outputs }: HeadSample, classes: Float32Array) {
  const width = outputs.length / count;
  const seen = new Float64Array(TASKS[task]);
  let right = 0;
  for (let row = 0; row < count; row++) {
    const from = row * width + FIRST[task];
    const logits = outputs.subarray(from, from + TASKS[task]);
    if (logits.indexOf(Math.max(...logits)) === classes[row]) right++;
    seen[classes[row]]++;
  }
  return {
    [`${task}AccuracyPct`]: (100 * right) / count,
    [`${task}MajorityClassPct`]: (100 * Math.max(...seen)) / count,
  };
}

/**
 * Rank correlation of forecast and realised change of the volatility, and the QLIKE loss (Patton 2011), less the
 * logarithm of the known variance, beside that of the known volatility; both of the right size on average.
 */
function volatilityScores({ forecast, actual }: ReturnType<typeof volatilities>) {
  const correlation = rankCorrelation(forecast, actual);
  const known = actual.map(() => logMeanSquare(actual));
  return {
    ...(correlation !== undefined && { volatilityRankCorrelation: correlation }),
    volatilityQlike: qlike(forecast, actual),
    ewmaVolatilityQlike: qlike(known, actual),
  };
}

/** Mean of ln h + r^2 / h, of standard deviations given as logarithms. */
function qlike(forecast: Float32Array, actual: Float32Array): number {
  const losses = forecast.map((value, i) => 2 * value + Math.exp(2 * (actual[i] - value)));
  return mean(losses) ?? NaN;
}

/** What the sizes gain over flat: mean of size x return less half `aversion` x its square, in standard deviations. */
const sizeScores = (wanted: Float32Array, changes: Float32Array, aversion: number) => {
  const earned = wanted.map((size, i) => size * changes[i]);
  return {
    meanSizePct: 100 * (mean(wanted.map(Math.abs)) ?? NaN),
    sizeUtilitySigmas: mean(earned.map((value) => value - (aversion / 2) * value ** 2)) ?? NaN,
  };
};

/** Half the logarithm of the mean of exp(2 x): the deviation of which the logarithms are `values`. */
const logMeanSquare = (values: Float32Array): number =>
  Math.log(mean(values.map((value) => Math.exp(2 * value))) ?? NaN) / 2;

const capital = (name: string): string => name[0].toUpperCase() + name.slice(1);
