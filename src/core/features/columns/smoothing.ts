import { type Column, compute, zeros } from './plan.ts';

/**
 * Exponential mean with weight `2 / (length + 1)` unless told, seeded with the simple mean of the first `length`
 * known values.
 */
export const ema = (x: Column, length: number, weight = 2 / (length + 1)): Column =>
  compute('ema', [x], [length, weight], zeros(2));

/** Wilder's mean: an exponential mean with weight `1 / length`, seeded with the simple mean. */
export const wilder = (x: Column, length: number): Column => ema(x, length, 1 / length);

/** Mean weighted 1, 2, ..., `length`, the latest most. */
export const linearMean = (x: Column, length: number): Column =>
  compute('linearMean', [x.keep(length)], [length], zeros(1));
