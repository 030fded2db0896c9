import { type Column, derive } from './plan.ts';

/* One pass over the block each, so that every loop stays a loop over numbers. */

export const plus = (a: Column, b: Column): Column =>
  derive('+', [a, b], (out) => (rows) => {
    const { data: x, at: i } = a;
    const { data: y, at: j } = b;
    const { data: z, at: k } = out;
    for (let row = 0; row < rows; row++) z[k + row] = x[i + row] + y[j + row];
  });

export const minus = (a: Column, b: Column): Column =>
  derive('-', [a, b], (out) => (rows) => {
    const { data: x, at: i } = a;
    const { data: y, at: j } = b;
    const { data: z, at: k } = out;
    for (let row = 0; row < rows; row++) z[k + row] = x[i + row] - y[j + row];
  });

export const times = (a: Column, b: Column): Column =>
  derive('*', [a, b], (out) => (rows) => {
    const { data: x, at: i } = a;
    const { data: y, at: j } = b;
    const { data: z, at: k } = out;
    for (let row = 0; row < rows; row++) z[k + row] = x[i + row] * y[j + row];
  });

export const over = (a: Column, b: Column): Column =>
  derive('/', [a, b], (out) => (rows) => {
    const { data: x, at: i } = a;
    const { data: y, at: j } = b;
    const { data: z, at: k } = out;
    for (let row = 0; row < rows; row++) z[k + row] = x[i + row] / y[j + row];
  });

/** `a / b`, or `neutral` where b is 0. */
export const ratio = (a: Column, b: Column, neutral: number): Column =>
  derive(`/ else ${neutral}`, [a, b], (out) => (rows) => {
    const { data: x, at: i } = a;
    const { data: y, at: j } = b;
    const { data: z, at: k } = out;
    for (let row = 0; row < rows; row++) {
      const below = y[j + row];
      z[k + row] = below === 0 ? neutral : x[i + row] / below;
    }
  });

/** `a / b - 1`. */
export const distance = (a: Column, b: Column): Column =>
  derive('/ - 1', [a, b], (out) => (rows) => {
    const { data: x, at: i } = a;
    const { data: y, at: j } = b;
    const { data: z, at: k } = out;
    for (let row = 0; row < rows; row++) z[k + row] = x[i + row] / y[j + row] - 1;
  });

/** Place of x between `bottom` (0) and `top` (`scale`); the middle where they are the same. */
export const place = (x: Column, bottom: Column, top: Column, scale = 1): Column =>
  derive(`place ${scale}`, [x, bottom, top], (out) => (rows) => {
    const { data: xs, at: i } = x;
    const { data: low, at: j } = bottom;
    const { data: high, at: k } = top;
    const { data: z, at: l } = out;
    for (let row = 0; row < rows; row++) {
      const from = low[j + row];
      const width = high[k + row] - from;
      z[l + row] = scale * (width === 0 ? 0.5 : (xs[i + row] - from) / width);
    }
  });

/** `factor * x + added`. */
export const scaled = (x: Column, factor: number, added = 0): Column =>
  derive(`* ${factor} + ${added}`, [x], (out) => (rows) => {
    const { data: xs, at: i } = x;
    const { data: z, at: k } = out;
    for (let row = 0; row < rows; row++) z[k + row] = factor * xs[i + row] + added;
  });

export const abs = (x: Column): Column =>
  derive('abs', [x], (out) => (rows) => {
    const { data: xs, at: i } = x;
    const { data: z, at: k } = out;
    for (let row = 0; row < rows; row++) z[k + row] = Math.abs(xs[i + row]);
  });

export const sign = (x: Column): Column =>
  derive('sign', [x], (out) => (rows) => {
    const { data: xs, at: i } = x;
    const { data: z, at: k } = out;
    for (let row = 0; row < rows; row++) {
      const value = xs[i + row];
      z[k + row] = value > 0 ? 1 : value < 0 ? -1 : value;
    }
  });

/** Square root of a mean that rounding may have left a hair below 0. */
export const root = (x: Column): Column =>
  derive('root', [x], (out) => (rows) => {
    const { data: xs, at: i } = x;
    const { data: z, at: k } = out;
    for (let row = 0; row < rows; row++) {
      const value = xs[i + row];
      z[k + row] = value < 0 ? 0 : Math.sqrt(value);
    }
  });

export const log = (x: Column): Column =>
  derive('log', [x], (out) => (rows) => {
    const { data: xs, at: i } = x;
    const { data: z, at: k } = out;
    for (let row = 0; row < rows; row++) z[k + row] = Math.log(xs[i + row]);
  });

/** `ln(1 + x)`. */
export const log1p = (x: Column): Column =>
  derive('log1p', [x], (out) => (rows) => {
    const { data: xs, at: i } = x;
    const { data: z, at: k } = out;
    for (let row = 0; row < rows; row++) z[k + row] = Math.log1p(xs[i + row]);
  });

/** x, unknown where `witness` is. */
export const where = (witness: Column, x: Column): Column =>
  derive('where', [witness, x], (out) => (rows) => {
    const { data: known, at: i } = witness;
    const { data: xs, at: j } = x;
    const { data: z, at: k } = out;
    for (let row = 0; row < rows; row++) z[k + row] = known[i + row] === known[i + row] ? xs[j + row] : NaN;
  });

/** 1 where a is above b, else 0; unknown where one of them is. */
export const above = (a: Column, b: Column): Column =>
  derive('>', [a, b], (out) => (rows) => {
    const { data: x, at: i } = a;
    const { data: y, at: j } = b;
    const { data: z, at: k } = out;
    for (let row = 0; row < rows; row++) {
      const apart = x[i + row] - y[j + row];
      z[k + row] = apart > 0 ? 1 : apart <= 0 ? 0 : NaN;
    }
  });

/** The value of `bars` bars ago. */
export const lag = (x: Column, bars: number): Column =>
  derive(`lag ${bars}`, [x.keep(bars)], (out) => (rows) => {
    const { data: xs, at: i } = x;
    const { data: z, at: k } = out;
    for (let row = 0; row < rows; row++) z[k + row] = xs[i + row - bars];
  });

/** Less the value of `bars` bars ago. */
export const change = (x: Column, bars = 1): Column =>
  derive(`change ${bars}`, [x.keep(bars)], (out) => (rows) => {
    const { data: xs, at: i } = x;
    const { data: z, at: k } = out;
    for (let row = 0; row < rows; row++) z[k + row] = xs[i + row] - xs[i + row - bars];
  });

/** As a fraction of the value of `bars` bars ago, less 1. */
export const growth = (x: Column, bars = 1): Column =>
  derive(`growth ${bars}`, [x.keep(bars)], (out) => (rows) => {
    const { data: xs, at: i } = x;
    const { data: z, at: k } = out;
    for (let row = 0; row < rows; row++) z[k + row] = xs[i + row] / xs[i + row - bars] - 1;
  });
