/** Formulas that look at single rows, or at two of one column. */
import { bytes, column, parameter, signOf, whole } from './columns';
import { log1p as ln1p, logs } from './log';

export function plus(args: usize, rows: i32): void {
  const a = column(args, 0);
  const b = column(args, 1);
  const out = column(args, 2);
  for (let i: usize = 0; i < bytes(rows); i += 16)
    v128.store(out + i, f64x2.add(v128.load(a + i), v128.load(b + i)));
}

export function minus(args: usize, rows: i32): void {
  const a = column(args, 0);
  const b = column(args, 1);
  const out = column(args, 2);
  for (let i: usize = 0; i < bytes(rows); i += 16)
    v128.store(out + i, f64x2.sub(v128.load(a + i), v128.load(b + i)));
}

export function times(args: usize, rows: i32): void {
  const a = column(args, 0);
  const b = column(args, 1);
  const out = column(args, 2);
  for (let i: usize = 0; i < bytes(rows); i += 16)
    v128.store(out + i, f64x2.mul(v128.load(a + i), v128.load(b + i)));
}

export function over(args: usize, rows: i32): void {
  const a = column(args, 0);
  const b = column(args, 1);
  const out = column(args, 2);
  for (let i: usize = 0; i < bytes(rows); i += 16)
    v128.store(out + i, f64x2.div(v128.load(a + i), v128.load(b + i)));
}

/** Parameter: the value where b is 0. */
export function ratio(args: usize, rows: i32): void {
  const a = column(args, 0);
  const b = column(args, 1);
  const out = column(args, 2);
  const neutral = f64x2.splat(parameter(args, 0));
  const zero = f64x2.splat(0);
  for (let i: usize = 0; i < bytes(rows); i += 16) {
    const below = v128.load(b + i);
    const share = f64x2.div(v128.load(a + i), below);
    v128.store(out + i, v128.bitselect(neutral, share, f64x2.eq(below, zero)));
  }
}

export function distance(args: usize, rows: i32): void {
  const a = column(args, 0);
  const b = column(args, 1);
  const out = column(args, 2);
  const one = f64x2.splat(1);
  for (let i: usize = 0; i < bytes(rows); i += 16)
    v128.store(out + i, f64x2.sub(f64x2.div(v128.load(a + i), v128.load(b + i)), one));
}

/** Parameter: scale. */
export function place(args: usize, rows: i32): void {
  const x = column(args, 0);
  const bottom = column(args, 1);
  const top = column(args, 2);
  const out = column(args, 3);
  const scale = f64x2.splat(parameter(args, 0));
  const half = f64x2.splat(0.5);
  const zero = f64x2.splat(0);
  for (let i: usize = 0; i < bytes(rows); i += 16) {
    const from = v128.load(bottom + i);
    const width = f64x2.sub(v128.load(top + i), from);
    const share = f64x2.div(f64x2.sub(v128.load(x + i), from), width);
    v128.store(out + i, f64x2.mul(scale, v128.bitselect(half, share, f64x2.eq(width, zero))));
  }
}

/** Parameters: factor, added. */
export function scaled(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  const factor = f64x2.splat(parameter(args, 0));
  const added = f64x2.splat(parameter(args, 1));
  for (let i: usize = 0; i < bytes(rows); i += 16)
    v128.store(out + i, f64x2.add(f64x2.mul(factor, v128.load(x + i)), added));
}

export function abs(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  for (let i: usize = 0; i < bytes(rows); i += 16) v128.store(out + i, f64x2.abs(v128.load(x + i)));
}

export function signs(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  for (let i: usize = 0; i < bytes(rows); i += 16) v128.store(out + i, signOf(v128.load(x + i)));
}

export function root(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  const zero = f64x2.splat(0);
  for (let i: usize = 0; i < bytes(rows); i += 16) {
    const value = v128.load(x + i);
    v128.store(out + i, v128.bitselect(zero, f64x2.sqrt(value), f64x2.lt(value, zero)));
  }
}

/** Parameter: what is divided by. */
export function rootOver(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  const count = f64x2.splat(parameter(args, 0));
  for (let i: usize = 0; i < bytes(rows); i += 16)
    v128.store(out + i, f64x2.sqrt(f64x2.div(v128.load(x + i), count)));
}

export function log(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  for (let i: usize = 0; i < bytes(rows); i += 16) v128.store(out + i, logs(v128.load(x + i)));
}

export function logRatio(args: usize, rows: i32): void {
  const a = column(args, 0);
  const b = column(args, 1);
  const out = column(args, 2);
  for (let i: usize = 0; i < bytes(rows); i += 16)
    v128.store(out + i, logs(f64x2.div(v128.load(a + i), v128.load(b + i))));
}

export function log1p(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  for (let i: usize = 0; i < bytes(rows); i += 8) store<f64>(out + i, ln1p(load<f64>(x + i)));
}

export function where(args: usize, rows: i32): void {
  const witness = column(args, 0);
  const x = column(args, 1);
  const out = column(args, 2);
  const unknown = f64x2.splat(NaN);
  for (let i: usize = 0; i < bytes(rows); i += 16) {
    const known = v128.load(witness + i);
    v128.store(out + i, v128.bitselect(v128.load(x + i), unknown, f64x2.eq(known, known)));
  }
}

export function above(args: usize, rows: i32): void {
  const a = column(args, 0);
  const b = column(args, 1);
  const out = column(args, 2);
  for (let i: usize = 0; i < bytes(rows); i += 16)
    v128.store(out + i, isAbove(f64x2.sub(v128.load(a + i), v128.load(b + i))));
}

/** Parameters: the level, and 1 for above it or -1 for below. */
export function beyond(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  const level = f64x2.splat(parameter(args, 0));
  const side = f64x2.splat(parameter(args, 1));
  for (let i: usize = 0; i < bytes(rows); i += 16)
    v128.store(out + i, isAbove(f64x2.mul(side, f64x2.sub(v128.load(x + i), level))));
}

// @ts-ignore: decorator
@inline
function isAbove(apart: v128): v128 {
  const zero = f64x2.splat(0);
  const below = v128.bitselect(zero, f64x2.splat(NaN), f64x2.le(apart, zero));
  return v128.bitselect(f64x2.splat(1), below, f64x2.gt(apart, zero));
}

/** Parameter: bars. */
export function lag(args: usize, rows: i32): void {
  const x = column(args, 0) - bytes(whole(args, 0));
  memory.copy(column(args, 1), x, bytes(rows));
}

/** Parameter: bars. */
export function change(args: usize, rows: i32): void {
  const x = column(args, 0);
  const before = x - bytes(whole(args, 0));
  const out = column(args, 1);
  for (let i: usize = 0; i < bytes(rows); i += 16)
    v128.store(out + i, f64x2.sub(v128.load(x + i), v128.load(before + i)));
}

/** Parameter: bars. */
export function growth(args: usize, rows: i32): void {
  const x = column(args, 0);
  const before = x - bytes(whole(args, 0));
  const out = column(args, 1);
  const one = f64x2.splat(1);
  for (let i: usize = 0; i < bytes(rows); i += 16)
    v128.store(out + i, f64x2.sub(f64x2.div(v128.load(x + i), v128.load(before + i)), one));
}
