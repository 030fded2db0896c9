import type { Random } from '../../core/foundation/random.ts';
import { lowerBound } from '../../core/market/candles.ts';
import { type Dimension, isSingle, type Params, type Space, stepOf, toNumber, toValue } from './space.ts';
import { logNormalMass, truncatedQuantile } from './truncated-normal.ts';

const LOG_SQRT_2_PI = 0.5 * Math.log(2 * Math.PI);
/** The newest observations weigh alike; older ones less, on a ramp. */
const FULL_WEIGHT = 25;

interface NumberKernels {
  readonly low: number;
  readonly high: number;
  readonly log: boolean;
  readonly step: number | undefined;
  readonly mu: Float64Array;
  readonly sigma: Float64Array;
  /** Of sigma. */
  readonly inverse: Float64Array;
  /** Steps make many kernels alike: for each the number of its kind, and of each kind its first kernel. */
  readonly kind: Int32Array;
  readonly firsts: readonly number[];
  /** By value, kind by kind, the logarithm of the mass around it. */
  readonly around: Map<number, Float64Array>;
}

/** A row of weights a kernel, one a choice; and by choice the logarithms of all kernels' weights. */
interface ChoiceKernels {
  readonly rows: readonly Float64Array[];
  readonly logs: readonly Float64Array[];
}

/** A mixture of products of truncated normal and categorical kernels, one kernel an observation and one for the whole space. */
export interface Parzen {
  draw(random: Random): Params;
  logDensity(params: Params): number;
}

/**
 * The density estimate of the Tree-structured Parzen Estimator as Optuna 5 makes it (Watanabe 2023, "Tree-structured
 * Parzen estimator: understanding its algorithm components and their roles"): bandwidths by the distance to the nearest
 * neighbour with the magic clip, a uniform prior of weight 1. Observations in the order in which they were suggested,
 * each with every parameter of the space. Densities of parameters on a logarithmic scale are those of the logarithm.
 */
export function createParzen(space: Space, observations: readonly Params[]): Parzen {
  const dimensions = Object.entries(space).filter(([, dimension]) => !isSingle(dimension));
  const weights = kernelWeights(observations.length);
  /** Of each kernel's logarithm what does not depend on the value: its weight, its masses between bounds, its widths. */
  const base = new Float64Array(weights.length);
  for (let k = 0; k < base.length; k++) base[k] = Math.log(weights[k]);
  const kernels = dimensions.map(([name, dimension]) => {
    const seen = new Float64Array(observations.length);
    for (let k = 0; k < seen.length; k++) seen[k] = toNumber(dimension, observations[k][name]);
    return dimension.kind === 'categorical'
      ? choiceKernels(seen, dimension.choices.length)
      : numberKernels(seen, dimension, base);
  });
  const sums = new Float64Array(base.length);

  return {
    draw(random) {
      const kernel = pick(weights, random());
      const params: Record<string, Params[string]> = {};
      for (const [d, [name, dimension]] of dimensions.entries()) {
        const one = kernels[d];
        params[name] = toValue(
          dimension,
          isChoice(one) ? pick(one.rows[kernel], random()) : drawNumber(one, kernel, random),
        );
      }
      return params;
    },
    logDensity(params) {
      sums.set(base);
      for (const [d, [name, dimension]] of dimensions.entries()) {
        const one = kernels[d];
        const x = toNumber(dimension, params[name]);
        if (isChoice(one)) add(sums, one.logs[x]);
        else addLogDensities(one, x, sums);
      }
      let largest = -Infinity;
      for (let k = 0; k < sums.length; k++) if (sums[k] > largest) largest = sums[k];
      let total = 0;
      for (let k = 0; k < sums.length; k++) {
        const below = sums[k] - largest;
        // Less than the last digit of what thousands of kernels add up to.
        if (below > -50) total += Math.exp(below);
      }
      return largest + Math.log(total);
    },
  };
}

const isChoice = (kernels: NumberKernels | ChoiceKernels): kernels is ChoiceKernels => 'rows' in kernels;

function add(sums: Float64Array, values: Float64Array): void {
  for (let k = 0; k < sums.length; k++) sums[k] += values[k];
}

function kernelWeights(observations: number): Float64Array {
  const weights = new Float64Array(observations + 1).fill(1);
  const ramp = observations - FULL_WEIGHT;
  for (let k = 0; k < ramp; k++)
    weights[k] = 1 / observations + (ramp === 1 ? 0 : (k / (ramp - 1)) * (1 - 1 / observations));
  let sum = 0;
  for (let k = 0; k <= observations; k++) sum += weights[k];
  for (let k = 0; k <= observations; k++) weights[k] /= sum;
  return weights;
}

function choiceKernels(seen: Float64Array, choices: number): ChoiceKernels {
  const kernels = seen.length + 1;
  const prior = new Float64Array(choices).fill(1 / choices);
  /** Two weights are all there are: of the choice that was seen, and of each other. */
  const sum = 1 + choices / kernels;
  const rowOf = Array.from({ length: choices }, (_, own) =>
    prior.map((_, choice) => (1 / kernels + (choice === own ? 1 : 0)) / sum),
  );
  const rows: Float64Array[] = [];
  for (let k = 0; k < seen.length; k++) rows.push(rowOf[seen[k]]);
  rows.push(prior);
  const [ownLog, otherLog] = [1 / kernels + 1, 1 / kernels].map((weight) => Math.log(weight / sum));
  const logs = rowOf.map((_, choice) => {
    const column = new Float64Array(kernels).fill(-Math.log(choices));
    for (let k = 0; k < seen.length; k++) column[k] = seen[k] === choice ? ownLog : otherLog;
    return column;
  });
  return { rows, logs };
}

/** Makes the kernels of one dimension, and adds to `base` what of their logarithms does not depend on the value. */
function numberKernels(
  seen: Float64Array,
  dimension: Exclude<Dimension, { kind: 'categorical' }>,
  base: Float64Array,
): NumberKernels {
  const log = dimension.log === true;
  const step = stepOf(dimension);
  const half = (step ?? 0) / 2;
  const scaled = (value: number): number => (log ? Math.log(value) : value);
  const [low, high] = [scaled(dimension.low - half), scaled(dimension.high + half)];
  const count = seen.length;
  const mu = new Float64Array(count + 1);
  for (let k = 0; k < count; k++) mu[k] = scaled(seen[k]);
  mu[count] = (low + high) / 2;
  const sigma = new Float64Array(count + 1);
  const order = orderOf(mu.subarray(0, count));
  const least = (high - low) / Math.min(100, count + 2);
  for (let place = 0; place < count; place++) {
    const k = order[place];
    const below = mu[k] - (place === 0 ? low : mu[order[place - 1]]);
    const above = (place === count - 1 ? high : mu[order[place + 1]]) - mu[k];
    let width = Math.max(below, above);
    // The outermost look inwards only.
    if (count > 1 && place === 0) width = above;
    if (count > 1 && place === count - 1) width = below;
    sigma[k] = Math.min(Math.max(width, least), high - low);
  }
  sigma[count] = high - low;
  // In the order of the values, so that kernels alike are neighbours; the last is that of the whole space.
  const firsts: number[] = [];
  const kind = new Int32Array(count + 1);
  let constant = 0;
  for (let place = 0; place <= count; place++) {
    const k = place < count ? order[place] : count;
    const before = firsts[firsts.length - 1];
    if (before === undefined || mu[before] !== mu[k] || sigma[before] !== sigma[k]) {
      firsts.push(k);
      constant = logNormalMass((low - mu[k]) / sigma[k], (high - mu[k]) / sigma[k]);
      if (step === undefined) constant += LOG_SQRT_2_PI + Math.log(sigma[k]);
    }
    kind[k] = firsts.length - 1;
    base[k] -= constant;
  }
  const inverse = new Float64Array(count + 1);
  for (let k = 0; k <= count; k++) inverse[k] = 1 / sigma[k];
  return { low, high, log, step, mu, sigma, inverse, kind, firsts, around: new Map() };
}

/** Places of the values in ascending order, equal ones as they come; sorts numbers alone, which is ten times as fast as by a comparison. */
function orderOf(values: Float64Array): Int32Array {
  const sorted = values.slice().sort();
  const order = new Int32Array(values.length);
  const taken = new Int32Array(values.length);
  for (let k = 0; k < values.length; k++) {
    const first = lowerBound(sorted, values[k]);
    order[first + taken[first]++] = k;
  }
  return order;
}

function drawNumber({ low, high, log, mu, sigma }: NumberKernels, k: number, random: Random): number {
  const q = Math.max(random(), 2 ** -33);
  const x = mu[k] + sigma[k] * truncatedQuantile(q, (low - mu[k]) / sigma[k], (high - mu[k]) / sigma[k]);
  return log ? Math.exp(x) : x;
}

/** Adds to each kernel's sum what its logarithm has of x: of its density, or of its mass around x where there are steps. */
function addLogDensities(kernels: NumberKernels, x: number, sums: Float64Array): void {
  const { log, step, mu, inverse, kind } = kernels;
  if (step === undefined) {
    const at = log ? Math.log(x) : x;
    for (let k = 0; k < sums.length; k++) {
      const z = (at - mu[k]) * inverse[k];
      sums[k] -= 0.5 * z * z;
    }
    return;
  }
  let around = kernels.around.get(x);
  if (around === undefined) kernels.around.set(x, (around = massesAround(kernels, x, step)));
  for (let k = 0; k < sums.length; k++) sums[k] += around[kind[k]];
}

function massesAround({ log, mu, sigma, firsts }: NumberKernels, x: number, step: number): Float64Array {
  const left = log ? Math.log(x - step / 2) : x - step / 2;
  const right = log ? Math.log(x + step / 2) : x + step / 2;
  const around = new Float64Array(firsts.length);
  for (let i = 0; i < firsts.length; i++) {
    const k = firsts[i];
    const a = (left - mu[k]) / sigma[k];
    const b = (right - mu[k]) / sigma[k];
    // Below 1e-18 of a kernel: the kernel of the whole space weighs more there by far.
    around[i] = a > 9 || b < -9 ? -Infinity : logNormalMass(a, b);
  }
  return around;
}

function pick(weights: Float64Array, at: number): number {
  let sum = 0;
  for (let k = 0; k < weights.length - 1; k++) {
    sum += weights[k];
    if (at < sum) return k;
  }
  return weights.length - 1;
}
