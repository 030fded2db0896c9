import { type Column, compute, zeros } from './plan.ts';

/** Largest value of the last `length`; unknown until the window is full. */
export const highest = (x: Column, length: number): Column => extreme('largerOfTwo', x, length);

/** Smallest value of the last `length`; unknown until the window is full. */
export const lowest = (x: Column, length: number): Column => extreme('smallerOfTwo', x, length);

/**
 * Extremes of 2, 4, 8, ... values, each of two windows half as long; then of two such windows that overlap. Windows of
 * all lengths share the former, and no row waits for the one before.
 */
function extreme(formula: 'largerOfTwo' | 'smallerOfTwo', x: Column, length: number): Column {
  let [window, bars] = [x, 1];
  const widen = (by: number): Column => compute(formula, [window.keep(by)], [by]);
  for (; 2 * bars <= length; bars *= 2) window = widen(bars);
  return bars === length ? window : widen(length - bars);
}

/** Bars since the largest of the last `length` values, the latest of equals; unknown until the window is full. */
export const barsSinceHighest = (x: Column, length: number): Column => age(x, length, 1);

/** Bars since the smallest of the last `length` values, the latest of equals. */
export const barsSinceLowest = (x: Column, length: number): Column => age(x, length, -1);

const age = (x: Column, length: number, direction: 1 | -1): Column =>
  compute('age', [x.keep(length)], [length, direction], zeros(3));
