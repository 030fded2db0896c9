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
  /** Logarithm of each kernel's mass between the bounds. */
  readonly mass: Float64Array;
}

/** A row of weights a kernel, one a choice. */
type ChoiceKernels = readonly Float64Array[];

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
          isChoice(one) ? pick(one[kernel], random()) : drawNumber(one, kernel, random),
        );
      }
      return params;
    },
    logDensity(params) {
      const sums = logWeights.slice();
      for (const [d, [name, dimension]] of dimensions.entries()) {
        const one = kernels[d];
        const x = toNumber(dimension, params[name]);
        if (isChoice(one)) for (let k = 0; k < sums.length; k++) sums[k] += Math.log(one[k][x]);
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

const isChoice = (kernels: NumberKernels | ChoiceKernels): kernels is ChoiceKernels => Array.isArray(kernels);

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
  return [...Array.from(seen, (choice) => row(choice)), row()];
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
  const order = Array.from(seen.keys()).sort((a, b) => mu[a] - mu[b]);
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
  const mass = mu.map((centre, k) => logNormalMass((low - centre) / sigma[k], (high - centre) / sigma[k]));
  return { low, high, log, step, mu, sigma, mass };
}

function drawNumber({ low, high, log, mu, sigma }: NumberKernels, k: number, random: Random): number {
  const q = Math.max(random(), 2 ** -33);
  const x = mu[k] + sigma[k] * truncatedQuantile(q, (low - mu[k]) / sigma[k], (high - mu[k]) / sigma[k]);
  return log ? Math.exp(x) : x;
}

/** Adds to each kernel's sum the logarithm of its density at x, or of its mass around x where there are steps. */
function addLogDensities({ log, step, mu, sigma, mass }: NumberKernels, x: number, sums: Float64Array): void {
  if (step === undefined) {
    const at = log ? Math.log(x) : x;
    for (let k = 0; k < sums.length; k++) {
      const z = (at - mu[k]) / sigma[k];
      sums[k] += -0.5 * z * z - LOG_SQRT_2_PI - Math.log(sigma[k]) - mass[k];
    }
    return;
  }
  const [left, right] = [x - step / 2, x + step / 2].map((edge) => (log ? Math.log(edge) : edge));
  for (let k = 0; k < sums.length; k++)
    sums[k] += logNormalMass((left - mu[k]) / sigma[k], (right - mu[k]) / sigma[k]) - mass[k];
}

function pick(weights: Float64Array, at: number): number {
  let sum = 0;
  for (let k = 0; k < weights.length - 1; k++) {
    sum += weights[k];
    if (at < sum) return k;
  }
  return weights.length - 1;
}
