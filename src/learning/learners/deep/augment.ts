import { z } from 'zod';
import { searchRanges } from '../../../core/forecast/search-range.ts';
import { normal, type Random } from '../../../core/foundation/random.ts';

/** How windows are varied while a network trains on them; windows of validation and of forecasts stay as they are. */
export const augmentParams = {
  jitter: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Noise on every scaled input of a training window, in standard deviations (Um et al. 2017)')
    .register(searchRanges, { low: 0, high: 0.2 }),
  scaling: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Deviation from 1 of a factor for each input of a training window (Um et al. 2017)')
    .register(searchRanges, { low: 0, high: 0.3 }),
  timeWarp: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('How unevenly time may run inside a training window; its ends stay (Um et al. 2017)')
    .register(searchRanges, { low: 0, high: 0.5 }),
  mixup: z
    .number()
    .min(0)
    .max(2)
    .default(0)
    .describe(
      'Pairs of training windows are mixed by a share of Beta(mixup, mixup) (Zhang et al. 2018); 0: not',
    )
    .register(searchRanges, { low: 0, high: 1 }),
};
export type AugmentParams = z.output<z.ZodObject<typeof augmentParams>>;

/** Varies one window [time, features] in place. */
export function varyWindow(
  window: Float32Array,
  features: number,
  { jitter, scaling, timeWarp }: Omit<AugmentParams, 'mixup'>,
  random: Random,
): void {
  if (timeWarp > 0) warp(window, features, timeWarp, random);
  if (scaling > 0) {
    for (let f = 0; f < features; f++) {
      const factor = 1 + scaling * normal(random);
      for (let i = f; i < window.length; i += features) window[i] *= factor;
    }
  }
  if (jitter > 0) for (let i = 0; i < window.length; i++) window[i] += jitter * normal(random);
}

/** Speeds are drawn at so many places of the window and run evenly from one to the next. */
const KNOTS = 6;
const SLOWEST = 0.1;

function warp(window: Float32Array, features: number, deviation: number, random: Random): void {
  const steps = window.length / features;
  const knots = Array.from({ length: KNOTS }, () => Math.max(SLOWEST, 1 + deviation * normal(random)));
  const place = new Float64Array(steps); // where in the old window each step is read
  for (let t = 1; t < steps; t++) {
    const at = ((t - 0.5) / (steps - 1)) * (KNOTS - 1);
    const k = Math.min(Math.floor(at), KNOTS - 2);
    place[t] = place[t - 1] + knots[k] + (at - k) * (knots[k + 1] - knots[k]);
  }
  const stretch = (steps - 1) / place[steps - 1];
  const old = window.slice();
  for (let t = 1; t < steps - 1; t++) {
    const from = Math.min(Math.floor(place[t] * stretch), steps - 2);
    const share = place[t] * stretch - from;
    for (let f = 0; f < features; f++) {
      const [a, b] = [old[from * features + f], old[(from + 1) * features + f]];
      window[t * features + f] = a + share * (b - a);
    }
  }
}

/** The larger share of a pair, from Beta(alpha, alpha) by Jöhnk's method (1964). */
export function mixingShare(alpha: number, random: Random): number {
  for (;;) {
    const [x, y] = [random() ** (1 / alpha), random() ** (1 / alpha)];
    const sum = x + y;
    if (sum > 1 || sum === 0) continue;
    return Math.max(x, y) / sum;
  }
}

/**
 * Mixes row `i` with row `rows - 1 - i` of each list of values [rows, ...], in place; gives the share that each row keeps of
 * itself, at least one half.
 */
export function mixPairs(
  inputs: readonly Float32Array[],
  rows: number,
  alpha: number,
  random: Random,
): Float32Array {
  const shares = new Float32Array(rows).fill(1);
  for (let i = 0; i < Math.floor(rows / 2); i++) {
    const j = rows - 1 - i;
    const share = mixingShare(alpha, random);
    shares[i] = shares[j] = share;
    for (const values of inputs) {
      const size = values.length / rows;
      for (let k = 0; k < size; k++) {
        const [a, b] = [values[i * size + k], values[j * size + k]];
        values[i * size + k] = share * a + (1 - share) * b;
        values[j * size + k] = share * b + (1 - share) * a;
      }
    }
  }
  return shares;
}
