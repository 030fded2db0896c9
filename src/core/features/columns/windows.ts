import { root } from './arithmetic.ts';
import { type Column, compute, zeros } from './plan.ts';

/*
 * Statistics of the last `length` values. A column may begin with unknown values (`NaN`): a window counts from
 * the first known one on, so that warm-ups add up. Running sums are rebuilt exactly once per window length or two:
 * rounding cannot pile up, and a window of equal values has a deviation of exactly 0.
 */

/** Sum of the window; unknown until it is full. */
export const sum = (x: Column, length: number): Column => total(x, length, 1);

/** Mean of the window; unknown until it is full. */
export const mean = (x: Column, length: number): Column => total(x, length, length);

const total = (x: Column, length: number, divisor: number): Column =>
  compute('total', [x.keep(length)], [length, divisor], zeros(5));

export interface Moments {
  readonly mean: Column;
  /** Sum of squared deviations from the mean. */
  readonly squares: Column;
}

/** Mean and variance of the window; unknown until it is full. */
export function moments(x: Column, length: number): Moments {
  const [means, squares] = x.plan.formula('moments', [x.keep(length)], 2, [length], zeros(7));
  return { mean: means, squares };
}

/** Sample standard deviation (n - 1) of the window. */
export const deviation = (x: Column, length: number): Column =>
  compute('rootOver', [moments(x, length).squares], [length - 1]);

/** Population standard deviation (n), the convention of Bollinger bands. */
export const populationDeviation = (x: Column, length: number): Column =>
  compute('rootOver', [moments(x, length).squares], [length]);

/** Distance of x from its mean in sample deviations of the window; 0 where it does not vary. */
export function score(x: Column, length: number): Column {
  const { mean: means, squares } = moments(x, length);
  return compute('score', [x, means, squares], [length - 1]);
}

/** Root of the mean of the window, at least 0. */
export const rootMean = (x: Column, length: number): Column => root(mean(x, length));

export interface Pairs {
  /** Sum of products of deviations. */
  readonly products: Column;
  readonly x: Moments;
  readonly y: Moments;
}

/** Co-moments of pairs, counted where both are known; both are first known on the same bar, `where` sees to it. */
export function pairs(x: Column, y: Column, length: number): Pairs {
  const [mx, my] = [moments(x, length), moments(y, length)];
  const products = compute('pairs', [x.keep(length), y.keep(length), mx.mean, my.mean], [length], zeros(7));
  return { products, x: mx, y: my };
}

/** Pearson's correlation over the window, in [-1, 1]; 0 where either side does not vary. */
export function correlation(x: Column, y: Column, length: number): Column {
  const { products, x: mx, y: my } = pairs(x, y, length);
  return compute('correlation', [products, mx.squares, my.squares]);
}

export interface Line {
  readonly slope: Column;
  /** Share of variance explained, 0 where the window does not vary. */
  readonly rSquared: Column;
}

/** Least-squares line through the window against 0, 1, 2, ... */
export function line(x: Column, length: number): Line {
  const { mean: means, squares } = moments(x, length);
  const inputs = [x.keep(length), means, squares];
  const [slope, rSquared] = x.plan.formula('line', inputs, 2, [length], zeros(5));
  return { slope, rSquared };
}
