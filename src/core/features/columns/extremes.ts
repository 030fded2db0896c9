import { type Column, compute, zeros } from './plan.ts';

/** Largest value of the last `length`; unknown until the window is full. */
export const highest = (x: Column, length: number): Column => extreme(x, length, 1);

/** Smallest value of the last `length`; unknown until the window is full. */
export const lowest = (x: Column, length: number): Column => extreme(x, length, -1);

/**
 * Chunks of `length` values: a window is the end of one chunk and the beginning of the next, whose extremes are
 * known from running through each once (van Herk 1992; Gil and Werman 1993). Three comparisons a bar, whatever
 * the length.
 */
const extreme = (x: Column, length: number, direction: 1 | -1): Column =>
  compute('extreme', [x.keep(length)], [length, direction], zeros(3 + length + 1));

/** Bars since the largest of the last `length` values, the latest of equals; unknown until the window is full. */
export const barsSinceHighest = (x: Column, length: number): Column => age(x, length, 1);

/** Bars since the smallest of the last `length` values, the latest of equals. */
export const barsSinceLowest = (x: Column, length: number): Column => age(x, length, -1);

const age = (x: Column, length: number, direction: 1 | -1): Column =>
  compute('age', [x.keep(length)], [length, direction], zeros(3));
