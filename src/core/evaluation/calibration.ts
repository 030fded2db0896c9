import { createRandom, type Random } from '../foundation/random.ts';
import { quantileOfSorted } from './statistics.ts';

/** Mean squared error of probabilities, and what it is made of (Murphy 1973, with Stephenson's two terms within bins). */
export interface BrierScore {
  readonly score: number;
  /** Of always stating the share of ups: what there is to know. */
  readonly uncertainty: number;
  /** How much outcomes differ between bins: higher is better. */
  readonly resolution: number;
  /** How far stated probabilities are from what came: lower is better. */
  readonly reliability: number;
  /** Within bins: variance of the probabilities less twice their covariance with the outcomes. */
  readonly within: number;
  /** 1 - score / uncertainty; below 0 the base rate is better. `undefined` when all outcomes are the same. */
  readonly skill: number | undefined;
}

/** One bin of a reliability curve; shares in [0, 1]. */
export interface ReliabilityBin {
  readonly count: number;
  readonly stated: number;
  readonly observed: number;
  /** Where `observed` lies in 90 % of draws when what is stated is true (Broecker & Smith 2007). */
  readonly consistent: { readonly low: number; readonly high: number };
}

export interface Calibration {
  readonly samples: number;
  readonly brier: BrierScore;
  /** Mean negative log likelihood in nats; of the base rate beside it. */
  readonly logLoss: number;
  readonly baseRateLogLoss: number;
  /** Expected calibration error: mean distance of stated from observed over the bins. */
  readonly ece: number;
  /** What it is in 95 % of draws at most when the probabilities are true: above it, they are not calibrated. */
  readonly eceWhenCalibrated: number;
  readonly bins: readonly ReliabilityBin[];
}

/**
 * How true the stated probabilities of an up-move are. `probability` and `up` (1 or 0) row by row; bins hold equally many.
 * `undefined` below 20 rows.
 */
export function calibration(
  probability: Float64Array,
  up: Float64Array,
  { bins: wanted = 10, random = createRandom(1), draws = 1000 }: CalibrationOptions = {},
): Calibration | undefined {
  const n = probability.length;
  if (n < 20) return undefined;
  const order = Uint32Array.from(probability, (_, i) => i).sort((i, j) => probability[i] - probability[j]);
  const p = Float64Array.from(order, (i) => probability[i]);
  const y = Float64Array.from(order, (i) => up[i]);
  const groups = cut(p, Math.min(wanted, Math.floor(n / 10)));
  const base = mean(y, 0, n);
  const shares = groups.map(([from, until]) => ({
    weight: (until - from) / n,
    stated: mean(p, from, until),
    observed: mean(y, from, until),
  }));
  const total = (of: (bin: (typeof shares)[number]) => number): number =>
    shares.reduce((sum, bin) => sum + bin.weight * of(bin), 0);
  const score = p.reduce((sum, stated, i) => sum + (stated - y[i]) ** 2, 0) / n;
  const uncertainty = base * (1 - base);
  const reliability = total((bin) => (bin.stated - bin.observed) ** 2);
  const resolution = total((bin) => (bin.observed - base) ** 2);
  const { bands, eces } = consistency(p, groups, random, draws);
  return {
    samples: n,
    brier: {
      score,
      uncertainty,
      resolution,
      reliability,
      within: score - (reliability - resolution + uncertainty),
      skill: uncertainty > 0 ? 1 - score / uncertainty : undefined,
    },
    logLoss: logLoss(p, y),
    baseRateLogLoss: logLoss(
      y.map(() => base),
      y,
    ),
    ece: total((bin) => Math.abs(bin.stated - bin.observed)),
    eceWhenCalibrated: quantileOfSorted(eces.sort(), 0.95) ?? 0,
    bins: shares.map(({ stated, observed }, b) => ({
      count: groups[b][1] - groups[b][0],
      stated,
      observed,
      consistent: bands[b],
    })),
  };
}

interface CalibrationOptions {
  readonly bins?: number;
  readonly random?: Random;
  readonly draws?: number;
}

/** Mean negative log likelihood, in nats; probabilities are kept 1e-15 away from 0 and 1. */
export function logLoss(probability: Float64Array, up: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < up.length; i++) {
    const p = Math.min(1 - 1e-15, Math.max(1e-15, probability[i]));
    sum -= up[i] === 1 ? Math.log(p) : Math.log(1 - p);
  }
  return sum / up.length;
}

/** Equally many rows each; rows of one probability stay together. */
function cut(sorted: Float64Array, bins: number): readonly (readonly [number, number])[] {
  const n = sorted.length;
  const edges = [0];
  for (let b = 1; b < bins; b++) {
    let at = Math.round((b * n) / bins);
    while (at < n && sorted[at] === sorted[at - 1]) at++;
    if (at > edges[edges.length - 1] && at < n) edges.push(at);
  }
  return edges.map((from, b) => [from, edges[b + 1] ?? n] as const);
}

/** Outcomes drawn from the stated probabilities: how far a calibrated forecast strays by chance. */
function consistency(
  p: Float64Array,
  groups: readonly (readonly [number, number])[],
  random: Random,
  draws: number,
) {
  const observed = groups.map(() => new Float64Array(draws));
  const eces = new Float64Array(draws);
  groups.forEach(([from, until], b) => {
    const stated = mean(p, from, until);
    for (let draw = 0; draw < draws; draw++) {
      let ups = 0;
      for (let i = from; i < until; i++) if (random() < p[i]) ups++;
      observed[b][draw] = ups / (until - from);
      eces[draw] += ((until - from) / p.length) * Math.abs(observed[b][draw] - stated);
    }
  });
  const bands = observed.map((shares) => {
    const sorted = shares.sort();
    return { low: quantileOfSorted(sorted, 0.05) ?? 0, high: quantileOfSorted(sorted, 0.95) ?? 1 };
  });
  return { bands, eces };
}

function mean(values: Float64Array, from: number, until: number): number {
  let sum = 0;
  for (let i = from; i < until; i++) sum += values[i];
  return sum / (until - from);
}
