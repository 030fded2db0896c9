import { type Column, compute, zeros } from './plan.ts';

/** Bars in a row of one direction (1 or -1), signed; 0 after one without any. */
export const run = (direction: Column): Column => compute('run', [direction], [], zeros(1));

/** Bars in a row in which x was above 0. */
export const rises = (x: Column): Column => compute('rises', [x], [], zeros(1));
