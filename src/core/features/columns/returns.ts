import { type Column, derive } from './plan.ts';

/** `ln(x / the previous x)`. */
export const logMove = (x: Column): Column =>
  derive('log move', [x.keep(1)], (out) => (rows) => {
    const { data: xs, at } = x;
    const { data: ys, at: to } = out;
    for (let i = 0; i < rows; i++) ys[to + i] = Math.log(xs[at + i] / xs[at + i - 1]);
  });

/** `ln(a / b)`. */
export const logRatio = (a: Column, b: Column): Column =>
  derive('log ratio', [a, b], (out) => (rows) => {
    const { data: xs, at } = a;
    const { data: ys, at: yAt } = b;
    const { data: zs, at: to } = out;
    for (let i = 0; i < rows; i++) zs[to + i] = Math.log(xs[at + i] / ys[yAt + i]);
  });
