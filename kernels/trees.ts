/**
 * The inner loops of gradient-boosted trees, in AssemblyScript. `npm run kernels` compiles it into
 * src/learning/learners/trees/kernel-code.ts. All sums have a fixed order: every machine gives the same bits.
 *
 * Pointers are bytes into the memory.
 */

/** Bytes of a node: the bytes from a row's cell of input 0 to the one it reads, its threshold, its left child's address. */
const NODE_BYTES: usize = 16;

/**
 * Adds to `sums` [rows] (float64) the values of the leaves in which each row of `cells` (float32, input by input) ends.
 * `trees` [count] are three integers each: the addresses of its nodes and of their values (float64), and its depth. The
 * right child stands after the left one. A leaf has itself as left child and `NaN` as threshold, which no cell reaches,
 * so that every row takes `depth` steps. `rows` is a multiple of eight.
 */
export function addLeaves(trees: usize, count: i32, cells: usize, rows: i32, sums: usize): void {
  for (let i = 0; i < count; i++) {
    addLeavesOf(load<u32>(trees), load<u32>(trees, 4), load<i32>(trees, 8), cells, rows, sums);
    trees += 12;
  }
}

function addLeavesOf(
  nodes: usize,
  values: usize,
  depth: i32,
  cells: usize,
  rows: i32,
  sums: usize,
): void {
  // Eight rows side by side: the loads of one wait while those of the others go on.
  for (let row = 0; row < rows; row += 8) {
    let n0 = nodes;
    let n1 = nodes;
    let n2 = nodes;
    let n3 = nodes;
    let n4 = nodes;
    let n5 = nodes;
    let n6 = nodes;
    let n7 = nodes;
    for (let step = 0; step < depth; step++) {
      n0 = childOf(n0, load<f32>(cells + <usize>load<u32>(n0)));
      n1 = childOf(n1, load<f32>(cells + <usize>load<u32>(n1), 4));
      n2 = childOf(n2, load<f32>(cells + <usize>load<u32>(n2), 8));
      n3 = childOf(n3, load<f32>(cells + <usize>load<u32>(n3), 12));
      n4 = childOf(n4, load<f32>(cells + <usize>load<u32>(n4), 16));
      n5 = childOf(n5, load<f32>(cells + <usize>load<u32>(n5), 20));
      n6 = childOf(n6, load<f32>(cells + <usize>load<u32>(n6), 24));
      n7 = childOf(n7, load<f32>(cells + <usize>load<u32>(n7), 28));
    }
    addTo(sums, values + ((n0 - nodes) >> 1));
    addTo(sums + 8, values + ((n1 - nodes) >> 1));
    addTo(sums + 16, values + ((n2 - nodes) >> 1));
    addTo(sums + 24, values + ((n3 - nodes) >> 1));
    addTo(sums + 32, values + ((n4 - nodes) >> 1));
    addTo(sums + 40, values + ((n5 - nodes) >> 1));
    addTo(sums + 48, values + ((n6 - nodes) >> 1));
    addTo(sums + 56, values + ((n7 - nodes) >> 1));
    cells += 32;
    sums += 64;
  }
}

// @ts-ignore: decorator
@inline
function childOf(node: usize, cell: f32): usize {
  return <usize>load<u32>(node, 8) + (<usize>(cell >= load<f32>(node, 4))) * NODE_BYTES;
}

// @ts-ignore: decorator
@inline
function addTo(sum: usize, value: usize): void {
  store<f64>(sum, load<f64>(sum) + load<f64>(value));
}

/** `values[i] = packed[rows[i]]`, float64 by int32. */
export function gather(values: usize, packed: usize, rows: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    store<f64>(values, load<f64>(packed + ((<usize>load<u32>(rows)) << 3)));
    values += 8;
    rows += 4;
  }
}

/** Adds `values[i]` to the cell of `histogram` (float64) that the byte `column[rows[i]]` names. */
export function accumulate(histogram: usize, column: usize, rows: usize, values: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    addValue(histogram, column + <usize>load<u32>(rows), load<f64>(values));
    rows += 4;
    values += 8;
  }
}

/** The same for four features in one pass: the row and its value are read once. */
export function accumulateFour(
  h0: usize,
  h1: usize,
  h2: usize,
  h3: usize,
  c0: usize,
  c1: usize,
  c2: usize,
  c3: usize,
  rows: usize,
  values: usize,
  count: i32,
): void {
  for (let i = 0; i < count; i++) {
    const row = <usize>load<u32>(rows);
    const value = load<f64>(values);
    addValue(h0, c0 + row, value);
    addValue(h1, c1 + row, value);
    addValue(h2, c2 + row, value);
    addValue(h3, c3 + row, value);
    rows += 4;
    values += 8;
  }
}

// @ts-ignore: decorator
@inline
function addValue(histogram: usize, bin: usize, value: f64): void {
  const cell = histogram + ((<usize>load<u8>(bin)) << 3);
  store<f64>(cell, load<f64>(cell) + value);
}

/** `a -= b`, float64; `count` even. */
export function subtract(a: usize, b: usize, count: i32): void {
  for (let i = 0; i < count; i += 2) {
    v128.store(a, f64x2.sub(v128.load(a), v128.load(b)));
    a += 16;
    b += 16;
  }
}

/**
 * Rows (int32) whose byte in `column` has a 1 in the table `left` first, the others after them, both in their old order;
 * the number of the first. `spare` has room for all.
 */
export function partition(rows: usize, count: i32, column: usize, left: usize, spare: usize): i32 {
  let first = rows;
  let second = spare;
  let at = rows;
  for (let i = 0; i < count; i++) {
    const row = load<u32>(at);
    const goesLeft: usize = <usize>load<u8>(left + <usize>load<u8>(column + <usize>row));
    store<u32>(first, row);
    first += goesLeft << 2;
    store<u32>(second, row);
    second += (1 - goesLeft) << 2;
    at += 4;
  }
  memory.copy(first, spare, second - spare);
  return <i32>((first - rows) >> 2);
}
