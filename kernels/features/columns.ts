/**
 * How a formula finds its columns. Every formula takes the address of its arguments and the number of rows in the block:
 * four numbers (float64), the same without their fractions (int32), the address of what it remembers, and the addresses of where its columns
 * stand: inputs, then outputs. src/core/features/columns/plan.ts lays them out.
 *
 * Rows are eight bytes apart, the row before is at `- 8`. Formulas that take two rows at once may write one row more than
 * the block has: there is room behind every column, and the next block writes over it.
 */

const WHOLE: usize = 32;
const MEMORY: usize = 48;
const COLUMNS: usize = 52;

/** Address of the k-th column's value of the block's first row. */
// @ts-ignore: decorator
@inline
export function column(args: usize, k: usize): usize {
  return <usize>load<u32>(<usize>load<u32>(args + (k << 2), COLUMNS));
}

// @ts-ignore: decorator
@inline
export function parameter(args: usize, k: usize): f64 {
  return load<f64>(args + (k << 3));
}

/**
 * The k-th parameter as a whole number. Never `<i32>parameter(args, k)`: V8 (11.3, Node 20) moves that conversion and what rests on it,
 * divisions too, into the loop that uses it.
 */
// @ts-ignore: decorator
@inline
export function whole(args: usize, k: usize): i32 {
  return load<i32>(args + (k << 2), WHOLE);
}

/** Address of the numbers that stay between blocks. */
// @ts-ignore: decorator
@inline
export function remembered(args: usize): usize {
  return <usize>load<u32>(args, MEMORY);
}

// @ts-ignore: decorator
@inline
export function bytes(rows: i32): usize {
  return <usize>rows << 3;
}

/*
 * Choices between float64 values become jumps, and whether a price rose cannot be foreseen: these and `v128.bitselect`
 * are none.
 */

/** a where it is above b, else b. */
// @ts-ignore: decorator
@inline
export function larger(a: f64, b: f64): f64 {
  return f64x2.extract_lane(f64x2.pmax(f64x2.splat(b), f64x2.splat(a)), 0);
}

/** a where it is below b, else b. */
// @ts-ignore: decorator
@inline
export function smaller(a: f64, b: f64): f64 {
  return f64x2.extract_lane(f64x2.pmin(f64x2.splat(b), f64x2.splat(a)), 0);
}

/** 1, -1, or x itself where it is 0 or unknown. */
// @ts-ignore: decorator
@inline
export function signOf(x: v128): v128 {
  const zero = f64x2.splat(0);
  const below = v128.bitselect(f64x2.splat(-1), x, f64x2.lt(x, zero));
  return v128.bitselect(f64x2.splat(1), below, f64x2.gt(x, zero));
}
