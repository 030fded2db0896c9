import type { Random } from '../../core/foundation/random.ts';
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
  /** What of each kernel's logarithm does not depend on the value: its mass between the bounds, and its width where there are no steps. */
  readonly constant: Float64Array;
  /** Steps make many kernels alike: for each the number of its kind, and of each kind its first kernel. */
  readonly kind: Int32Array;
  readonly firsts: readonly number[];
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
  const kernels = dimensions.map(([name, dimension]) => {
    const seen = Float64Array.from(observations, (params) => toNumber(dimension, params[name]));
    return dimension.kind === 'categorical'
      ? choiceKernels(seen, dimension.choices.length)
      : numberKernels(seen, dimension);
  });
  const weights = kernelWeights(observations.length);
  const logWeights = weights.map(Math.log);

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
      const sums = logWeights.slice();
      for (const [d, [name, dimension]] of dimensions.entries()) {
        const one = kernels[d];
        const x = toNumber(dimension, params[name]);
        if (isChoice(one)) add(sums, one.logs[x]);
        else addLogDensities(one, x, sums);
      }
      let largest = -Infinity;
      for (const sum of sums) largest = Math.max(largest, sum);
      let total = 0;
      for (const sum of sums) total += Math.exp(sum - largest);
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
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function choiceKernels(seen: Float64Array, choices: number): ChoiceKernels {
  const kernels = seen.length + 1;
  const row = (own?: number): Float64Array => {
    const weights = new Float64Array(choices).fill(own === undefined ? 1 : 1 / kernels);
    if (own !== undefined) weights[own]++;
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return weights.map((weight) => weight / sum);
  };
  const rows = [...Array.from(seen, (choice) => row(choice)), row()];
  const logs = Array.from({ length: choices }, (_, choice) =>
    Float64Array.from(rows, (weights) => Math.log(weights[choice])),
  );
  return { rows, logs };
}

function numberKernels(
  seen: Float64Array,
  dimension: Exclude<Dimension, { kind: 'categorical' }>,
): NumberKernels {
  const log = dimension.log === true;
  const step = stepOf(dimension);
  const half = (step ?? 0) / 2;
  const scaled = (value: number): number => (log ? Math.log(value) : value);
  const [low, high] = [scaled(dimension.low - half), scaled(dimension.high + half)];
  const mu = Float64Array.of(...seen.map(scaled), (low + high) / 2);
  const sigma = new Float64Array(mu.length);
  const order = Uint32Array.from(seen.keys()).sort((a, b) => mu[a] - mu[b]);
  const least = (high - low) / Math.min(100, seen.length + 2);
  for (const [place, k] of order.entries()) {
    const below = mu[k] - (place === 0 ? low : mu[order[place - 1]]);
    const above = (place === order.length - 1 ? high : mu[order[place + 1]]) - mu[k];
    let width = Math.max(below, above);
    // The outermost look inwards only.
    if (order.length > 1 && place === 0) width = above;
    if (order.length > 1 && place === order.length - 1) width = below;
    sigma[k] = Math.min(Math.max(width, least), high - low);
  }
  sigma[seen.length] = high - low;
  // In the order of the values, so that kernels alike are neighbours; the last is that of the whole space.
  const firsts: number[] = [];
  const kind = new Int32Array(mu.length);
  for (const k of [...order, seen.length]) {
    const before = firsts[firsts.length - 1];
    const isLike =
      step !== undefined && before !== undefined && mu[before] === mu[k] && sigma[before] === sigma[k];
    kind[k] = isLike ? firsts.length - 1 : firsts.push(k) - 1;
  }
  const constantOf = (k: number): number =>
    -logNormalMass((low - mu[k]) / sigma[k], (high - mu[k]) / sigma[k]) -
    (step === undefined ? LOG_SQRT_2_PI + Math.log(sigma[k]) : 0);
  const byKind = firsts.map(constantOf);
  const constant = Float64Array.from(kind, (own) => byKind[own]);
  return { low, high, log, step, mu, sigma, constant, kind, firsts };
}

function drawNumber({ low, high, log, mu, sigma }: NumberKernels, k: number, random: Random): number {
  const q = Math.max(random(), 2 ** -33);
  const x = mu[k] + sigma[k] * truncatedQuantile(q, (low - mu[k]) / sigma[k], (high - mu[k]) / sigma[k]);
  return log ? Math.exp(x) : x;
}

/** Adds to each kernel's sum the logarithm of its density at x, or of its mass around x where there are steps. */
function addLogDensities(kernels: NumberKernels, x: number, sums: Float64Array): void {
  const { log, step, mu, sigma, constant, kind, firsts } = kernels;
  if (step === undefined) {
    const at = log ? Math.log(x) : x;
    for (let k = 0; k < sums.length; k++) {
      const z = (at - mu[k]) / sigma[k];
      sums[k] += constant[k] - 0.5 * z * z;
    }
    return;
  }
  const [left, right] = [x - step / 2, x + step / 2].map((edge) => (log ? Math.log(edge) : edge));
  const around = new Float64Array(firsts.length);
  for (let i = 0; i < firsts.length; i++) {
    const k = firsts[i];
    const a = (left - mu[k]) / sigma[k];
    const b = (right - mu[k]) / sigma[k];
    // Below 1e-18 of a kernel: the kernel of the whole space weighs more there by far.
    around[i] = a > 9 || b < -9 ? -Infinity : logNormalMass(a, b);
  }
  for (let k = 0; k < sums.length; k++) sums[k] += constant[k] + around[kind[k]];
}

function pick(weights: Float64Array, at: number): number {
  let sum = 0;
  for (let k = 0; k < weights.length - 1; k++) {
    sum += weights[k];
    if (at < sum) return k;
  }
  return weights.length - 1;
}
