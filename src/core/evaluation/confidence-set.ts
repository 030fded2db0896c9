import { resampleMeans, type ResampledMeans } from './resampled-means.ts';
import type { SuperiorityOptions } from './superiority.ts';

export interface ConfidenceSet {
  /** Models in the order in which they are eliminated, with the p-value of their elimination; the best is last, with 1. */
  readonly eliminated: readonly { readonly model: number; readonly pValue: number }[];
  /** Those that cannot be told from the best at `size`. */
  readonly included: readonly number[];
}

/**
 * Model confidence set (Hansen, Lunde & Nason 2011): the models among which is the best one with probability 1 - `size`.
 * `range`: the largest difference between two models decides; `maximum`: the largest from the mean of all. Losses row by
 * row, one column a model.
 */
export function modelConfidenceSet(
  losses: readonly Float64Array[],
  options: SuperiorityOptions & { readonly size?: number; readonly method?: 'range' | 'maximum' },
): ConfidenceSet {
  const { random, size = 0.1, method = 'range', resamples = 1000 } = options;
  const n = losses[0].length;
  const blockBars = options.blockBars ?? Math.sqrt(n);
  const means = losses.map((column) => column.reduce((sum, value) => sum + value, 0) / n);
  const errors = resampleMeans(losses, { blockBars, resamples, random });
  for (let r = 0; r < resamples; r++)
    for (let m = 0; m < means.length; m++) errors.values[r * means.length + m] -= means[m];
  const step = method === 'range' ? byRange : byMaximum;

  let left = losses.map((_, m) => m);
  const eliminated: { model: number; pValue: number }[] = [];
  let pValue = 0;
  while (left.length > 1) {
    const { worst, p } = step(left, means, errors);
    pValue = Math.max(pValue, p);
    eliminated.push({ model: worst, pValue });
    left = left.filter((m) => m !== worst);
  }
  eliminated.push(...left.map((model) => ({ model, pValue: 1 })));
  const included = eliminated.filter((one) => one.pValue > size).map(({ model }) => model);
  return { eliminated, included: included.sort((a, b) => a - b) };
}

type Step = (
  left: readonly number[],
  means: readonly number[],
  errors: ResampledMeans,
) => { readonly worst: number; readonly p: number };

/** Where no model is worse than another, nothing speaks against any of them. */
const shareAbove = (highest: Float64Array, largest: number): number =>
  largest > 0 ? highest.filter((value) => value > largest).length / highest.length : 1;

const byRange: Step = (left, means, { values, resamples, series }) => {
  const highest = new Float64Array(resamples);
  let [worst, largest] = [left[0], -Infinity];
  for (const i of left)
    for (const j of left) {
      if (i === j) continue;
      let square = 0;
      for (let r = 0; r < resamples; r++) square += (values[r * series + i] - values[r * series + j]) ** 2;
      const error = Math.sqrt(square / resamples);
      // Two models with the same losses do not differ, and neither can be worse.
      const ratio = error > 0 ? (means[i] - means[j]) / error : 0;
      if (ratio > largest) [worst, largest] = [i, ratio];
      if (error > 0)
        for (let r = 0; r < resamples; r++)
          highest[r] = Math.max(highest[r], (values[r * series + i] - values[r * series + j]) / error);
    }
  return { worst, p: shareAbove(highest, largest) };
};

const byMaximum: Step = (left, means, { values, resamples, series }) => {
  const centre = left.reduce((sum, m) => sum + means[m], 0) / left.length;
  const middles = Float64Array.from(
    { length: resamples },
    (_, r) => left.reduce((sum, m) => sum + values[r * series + m], 0) / left.length,
  );
  const highest = new Float64Array(resamples).fill(-Infinity);
  let [worst, largest] = [left[0], -Infinity];
  for (const m of left) {
    let square = 0;
    for (let r = 0; r < resamples; r++) square += (values[r * series + m] - middles[r]) ** 2;
    const error = Math.sqrt(square / resamples);
    const ratio = error > 0 ? (means[m] - centre) / error : 0;
    if (ratio > largest) [worst, largest] = [m, ratio];
    if (error > 0)
      for (let r = 0; r < resamples; r++)
        highest[r] = Math.max(highest[r], (values[r * series + m] - middles[r]) / error);
  }
  return { worst, p: shareAbove(highest, largest) };
};
