/**
 * How a formula finds its columns. Every formula takes the address of its arguments and the number of rows in the block:
 * four numbers (float64), the address of what it remembers, and the addresses of where its columns stand: inputs, then
 * outputs. src/core/features/columns/plan.ts lays them out.
 *
 * Rows are eight bytes apart, the row before is at `- 8`. Formulas that take two rows at once may write one row more than
 * the block has: there is room behind every column, and the next block writes over it.
 */

const MEMORY: usize = 32;
const COLUMNS: usize = 36;

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

/** 1, -1, or `x` itself where it is 0 or unknown. */
// @ts-ignore: decorator
@inline
export function sign(x: f64): f64 {
  return select<f64>(1, select<f64>(-1, x, x < 0), x > 0);
}

// @ts-ignore: decorator
@inline
export function larger(a: f64, b: f64): f64 {
  return select<f64>(a, b, a > b);
}

// @ts-ignore: decorator
@inline
export function smaller(a: f64, b: f64): f64 {
  return select<f64>(a, b, a < b);
}
