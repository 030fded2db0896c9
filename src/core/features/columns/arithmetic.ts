import { type Column, compute } from './plan.ts';

export const plus = (a: Column, b: Column): Column => compute('plus', [a, b]);

export const minus = (a: Column, b: Column): Column => compute('minus', [a, b]);

export const times = (a: Column, b: Column): Column => compute('times', [a, b]);

export const over = (a: Column, b: Column): Column => compute('over', [a, b]);

/** `a / b`, or `neutral` where b is 0. */
export const ratio = (a: Column, b: Column, neutral: number): Column => compute('ratio', [a, b], [neutral]);

/** `a / b - 1`. */
export const distance = (a: Column, b: Column): Column => compute('distance', [a, b]);

/** Place of x between `bottom` (0) and `top` (`scale`); the middle where they are the same. */
export const place = (x: Column, bottom: Column, top: Column, scale = 1): Column =>
  compute('place', [x, bottom, top], [scale]);

/** `factor * x + added`. */
export const scaled = (x: Column, factor: number, added = 0): Column =>
  compute('scaled', [x], [factor, added]);

export const abs = (x: Column): Column => compute('abs', [x]);

export const sign = (x: Column): Column => compute('signs', [x]);

/** Square root of a mean that rounding may have left a hair below 0. */
export const root = (x: Column): Column => compute('root', [x]);

export const log = (x: Column): Column => compute('log', [x]);

/** `ln(1 + x)`. */
export const log1p = (x: Column): Column => compute('log1p', [x]);

/** x, unknown where `witness` is. */
export const where = (witness: Column, x: Column): Column => compute('where', [witness, x]);

/** 1 where a is above b, else 0; unknown where one of them is. */
export const above = (a: Column, b: Column): Column => compute('above', [a, b]);

/** The value of `bars` bars ago. */
export const lag = (x: Column, bars: number): Column => compute('lag', [x.keep(bars)], [bars]);

/** Less the value of `bars` bars ago. */
export const change = (x: Column, bars = 1): Column => compute('change', [x.keep(bars)], [bars]);

/** As a fraction of the value of `bars` bars ago, less 1. */
export const growth = (x: Column, bars = 1): Column => compute('growth', [x.keep(bars)], [bars]);
