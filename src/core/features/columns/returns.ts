import { type Column, compute } from './plan.ts';

/** `ln(x / the previous x)`. */
export const logMove = (x: Column): Column => logGap(x, x);

/** `ln(a / b)`. */
export const logRatio = (a: Column, b: Column): Column => compute('logRatio', [a, b]);

/** `ln(a / the previous b)`. */
export const logGap = (a: Column, b: Column): Column => compute('logGap', [a, b.keep(1)]);
