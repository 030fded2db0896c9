/**
 * Mean and variance of a stream of rows, by Chan, Golub & LeVeque's parallel update: what Stable-Baselines3's
 * VecNormalize keeps (population variance, and a first count of 1e-4 so that the start is defined).
 */
export interface RunningMoments {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  count: number;
}

export const createMoments = (size: number): RunningMoments => ({
  mean: new Float64Array(size),
  variance: new Float64Array(size).fill(1),
  count: 1e-4,
});

/** Takes in `rows` rows laid out one after another, as wide as the moments. */
export function updateMoments(
  moments: RunningMoments,
  values: Float32Array | Float64Array,
  rows: number,
): void {
  const { mean, variance, count } = moments;
  const size = mean.length;
  const total = count + rows;
  for (let k = 0; k < size; k++) {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += values[i * size + k];
    const batchMean = sum / rows;
    let squares = 0;
    for (let i = 0; i < rows; i++) squares += (values[i * size + k] - batchMean) ** 2;
    const delta = batchMean - mean[k];
    mean[k] += (delta * rows) / total;
    variance[k] = (variance[k] * count + squares + (delta * delta * count * rows) / total) / total;
  }
  moments.count = total;
}

const EPSILON = 1e-8;

/** Writes `rows` rows of `values`, shifted and scaled by the moments and clipped to [-clip, clip], into `into`. */
export function standardise(
  moments: RunningMoments,
  values: Float32Array,
  rows: number,
  into: Float32Array,
  clip: number,
): void {
  const { mean, variance } = moments;
  const size = mean.length;
  for (let k = 0; k < size; k++) {
    const scale = 1 / Math.sqrt(variance[k] + EPSILON);
    const shift = mean[k];
    for (let at = k; at < rows * size; at += size) {
      const scaled = (values[at] - shift) * scale;
      into[at] = scaled > clip ? clip : scaled < -clip ? -clip : scaled;
    }
  }
}

/**
 * Rewards divided by the deviation of the discounted return (not centred: the sign of a reward must stay). One
 * running return per copy of the environment; it starts anew when an episode ends.
 */
export interface RewardScale {
  readonly returns: Float64Array;
  readonly moments: RunningMoments;
}

export const createRewardScale = (count: number): RewardScale => ({
  returns: new Float64Array(count),
  moments: createMoments(1),
});

/** Scales `rewards` [count] in place and takes them into the statistics first, as VecNormalize does. */
export function scaleRewards(
  scale: RewardScale,
  rewards: Float64Array,
  ended: (i: number) => boolean,
  options: { readonly gamma: number; readonly clip: number },
): void {
  const { returns, moments } = scale;
  const { gamma, clip } = options;
  for (let i = 0; i < rewards.length; i++) returns[i] = returns[i] * gamma + rewards[i];
  updateMoments(moments, returns, returns.length);
  const factor = 1 / Math.sqrt(moments.variance[0] + EPSILON);
  for (let i = 0; i < rewards.length; i++) {
    const scaled = rewards[i] * factor;
    rewards[i] = scaled > clip ? clip : scaled < -clip ? -clip : scaled;
    if (ended(i)) returns[i] = 0;
  }
}
