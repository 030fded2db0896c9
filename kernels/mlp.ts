/**
 * The arithmetic of small multilayer perceptrons on 128-bit vectors, in AssemblyScript. `npm run kernels` compiles it
 * into src/learning/learners/agent/kernel-code.ts. No relaxed instructions: every machine gives the same bits.
 *
 * Pointers are bytes into the shared memory, matrices are float32 row by row, and a matrix that is read or written as
 * vectors has a multiple of four columns (callers pad them with zeros).
 */

/**
 * C [rows, columns] = A B + bias, B [depth, columns] and C without gaps. The element (i, k) of A lies at
 * `a + i * aRow + k * aStep`, so that a transposed A needs no copy. `bias` [columns]; 0 for none.
 */
export function multiply(
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bias: usize,
  c: usize,
  rows: usize,
  depth: i32,
  columns: i32,
): void {
  const stride: usize = (<usize>columns) << 2;
  let column = 0;
  for (; column + 8 <= columns; column += 8) {
    const at: usize = (<usize>column) << 2;
    band(8, a, aRow, aStep, b + at, bias === 0 ? 0 : bias + at, c + at, stride, rows, depth);
  }
  for (; column < columns; column += 4) {
    const at: usize = (<usize>column) << 2;
    band(4, a, aRow, aStep, b + at, bias === 0 ? 0 : bias + at, c + at, stride, rows, depth);
  }
}

/** `width` columns of a product, four rows at a time, then one by one. */
// @ts-ignore: decorator
@inline
function band(
  width: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bias: usize,
  c: usize,
  stride: usize,
  rows: usize,
  depth: i32,
): void {
  let row: usize = 0;
  for (; row + 4 <= rows; row += 4)
    tile(4, width, a + row * aRow, aRow, aStep, b, bias, c + row * stride, stride, depth);
  for (; row < rows; row++)
    tile(1, width, a + row * aRow, aRow, aStep, b, bias, c + row * stride, stride, depth);
}

/**
 * A tile of a product: 4 rows or 1 by 8 columns or 4, its sums in registers; 4 by 8 keep both multipliers busy. `height`
 * and `width` are constants of the call: the compiler leaves out what they exclude.
 */
// @ts-ignore: decorator
@inline
function tile(
  height: i32,
  width: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bias: usize,
  c: usize,
  stride: usize,
  depth: i32,
): void {
  const low = bias === 0 ? f32x4.splat(0) : v128.load(bias);
  const high = bias === 0 || width === 4 ? f32x4.splat(0) : v128.load(bias, 16);
  let a1 = a + aRow;
  let a2 = a1 + aRow;
  let a3 = a2 + aRow;
  let c00 = low;
  let c01 = high;
  let c10 = low;
  let c11 = high;
  let c20 = low;
  let c21 = high;
  let c30 = low;
  let c31 = high;
  for (let k = 0; k < depth; k++) {
    const b0 = v128.load(b);
    const b1 = width === 4 ? b0 : v128.load(b, 16);
    const x0 = v128.load_splat<f32>(a);
    c00 = f32x4.add(c00, f32x4.mul(x0, b0));
    if (width === 8) c01 = f32x4.add(c01, f32x4.mul(x0, b1));
    if (height === 4) {
      const x1 = v128.load_splat<f32>(a1);
      c10 = f32x4.add(c10, f32x4.mul(x1, b0));
      if (width === 8) c11 = f32x4.add(c11, f32x4.mul(x1, b1));
      const x2 = v128.load_splat<f32>(a2);
      c20 = f32x4.add(c20, f32x4.mul(x2, b0));
      if (width === 8) c21 = f32x4.add(c21, f32x4.mul(x2, b1));
      const x3 = v128.load_splat<f32>(a3);
      c30 = f32x4.add(c30, f32x4.mul(x3, b0));
      if (width === 8) c31 = f32x4.add(c31, f32x4.mul(x3, b1));
      a1 += aStep;
      a2 += aStep;
      a3 += aStep;
    }
    a += aStep;
    b += stride;
  }
  store(width, c, c00, c01);
  if (height === 4) {
    store(width, c + stride, c10, c11);
    store(width, c + 2 * stride, c20, c21);
    store(width, c + 3 * stride, c30, c31);
  }
}

// @ts-ignore: decorator
@inline
function store(width: i32, at: usize, low: v128, high: v128): void {
  v128.store(at, low);
  if (width === 8) v128.store(at, high, 16);
}

/** B [columns, bColumns] = the transpose of A [rows, columns] with zeros behind it; both widths multiples of 4. */
export function transpose(a: usize, b: usize, rows: i32, columns: i32, bColumns: i32): void {
  const aStride: usize = (<usize>columns) << 2;
  const bStride: usize = (<usize>bColumns) << 2;
  const zero = f32x4.splat(0);
  for (let i = 0; i < rows; i += 4) {
    for (let from = a, to = b, end = a + aStride; from < end; from += 16, to += 4 * bStride) {
      const r0 = v128.load(from);
      const r1 = i + 1 < rows ? v128.load(from + aStride) : zero;
      const r2 = i + 2 < rows ? v128.load(from + 2 * aStride) : zero;
      const r3 = i + 3 < rows ? v128.load(from + 3 * aStride) : zero;
      const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
      const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
      const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
      const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5));
      v128.store(to + bStride, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7));
      v128.store(to + 2 * bStride, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5));
      v128.store(to + 3 * bStride, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7));
    }
    a += 4 * aStride;
    b += 16;
  }
}

/** Sums of the columns of X [rows, columns]: the gradient of a bias. */
export function sumColumns(x: usize, into: usize, rows: i32, columns: i32): void {
  const stride: usize = (<usize>columns) << 2;
  for (let at: usize = 0; at < stride; at += 16) {
    let sum = f32x4.splat(0);
    let from = x + at;
    for (let row = 0; row < rows; row++) {
      sum = f32x4.add(sum, v128.load(from));
      from += stride;
    }
    v128.store(into + at, sum);
  }
}

// prettier-ignore
const TANH = memory.data<f32>([
  7.9, -7.9,
  -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-8, 1.48572235717979e-5,
  6.37261928875436e-4, 4.89352455891786e-3,
  1.19825839466702e-6, 1.18534705686654e-4, 2.268434632439e-3, 4.89352518554385e-3,
]);

/** x = tanh(x), the rational approximation of Eigen and ONNX Runtime, within 3e-7. `count`: a multiple of 4. */
export function tanhForward(x: usize, count: i32): void {
  const end = x + ((<usize>count) << 2);
  for (; x + 32 <= end; x += 32) {
    const first = tanh4(v128.load(x));
    const second = tanh4(v128.load(x, 16));
    v128.store(x, first);
    v128.store(x, second, 16);
  }
  if (x < end) v128.store(x, tanh4(v128.load(x)));
}

// @ts-ignore: decorator
@inline
function tanh4(x: v128): v128 {
  const v = f32x4.pmin(f32x4.pmax(x, constant(1)), constant(0));
  const s = f32x4.mul(v, v);
  let p = f32x4.add(f32x4.mul(s, constant(2)), constant(3));
  p = f32x4.add(f32x4.mul(p, s), constant(4));
  p = f32x4.add(f32x4.mul(p, s), constant(5));
  p = f32x4.add(f32x4.mul(p, s), constant(6));
  p = f32x4.add(f32x4.mul(p, s), constant(7));
  p = f32x4.add(f32x4.mul(p, s), constant(8));
  let q = f32x4.add(f32x4.mul(s, constant(9)), constant(10));
  q = f32x4.add(f32x4.mul(q, s), constant(11));
  q = f32x4.add(f32x4.mul(q, s), constant(12));
  return f32x4.div(f32x4.mul(v, p), q);
}

// Read from memory each time: a vector constant in the code costs three instructions.
// @ts-ignore: decorator
@inline
function constant(index: usize): v128 {
  return v128.load_splat<f32>(TANH + (index << 2));
}

/** Turns `delta`, the gradient of y = tanh(x), into that of x. */
export function tanhBackward(y: usize, delta: usize, count: i32): void {
  const end = y + ((<usize>count) << 2);
  for (; y < end; y += 16, delta += 16) {
    const v = v128.load(y);
    const slope = f32x4.sub(f32x4.splat(1), f32x4.mul(v, v));
    v128.store(delta, f32x4.mul(v128.load(delta), slope));
  }
}

/** x = max(x, 0). */
export function reluForward(x: usize, count: i32): void {
  const end = x + ((<usize>count) << 2);
  for (; x < end; x += 16) v128.store(x, f32x4.max(v128.load(x), f32x4.splat(0)));
}

/** Turns `delta`, the gradient of y = max(x, 0), into that of x. */
export function reluBackward(y: usize, delta: usize, count: i32): void {
  const end = y + ((<usize>count) << 2);
  for (; y < end; y += 16, delta += 16) {
    v128.store(delta, v128.and(v128.load(delta), f32x4.gt(v128.load(y), f32x4.splat(0))));
  }
}

/** Sum of the squares of `count` numbers, a multiple of 4. */
export function sumSquares(x: usize, count: i32): f64 {
  const end = x + ((<usize>count) << 2);
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (; x < end; x += 16) {
    const v = v128.load(x);
    const a = f64x2.promote_low_f32x4(v);
    const b = f64x2.promote_low_f32x4(i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  const sum = f64x2.add(low, high);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/**
 * One step of Adam (Kingma & Ba 2015) as PyTorch writes it, over `count` parameters (a multiple of 4) whose gradient
 * counts `scale` times: p -= rate m / (sqrt(v) + floor), where rate and floor hold the corrections of the bias. A mean fades
 * to about 1e-27 and no further: that of a unit which never answers would end in denormal numbers, with which processors are slow.
 */
export function adam(
  p: usize,
  m: usize,
  v: usize,
  gradient: usize,
  count: i32,
  scale: f32,
  beta1: f32,
  beta2: f32,
  rate: f32,
  floor: f32,
): void {
  const keep1 = f32x4.splat(beta1);
  const take1 = f32x4.splat(1 - beta1);
  const keep2 = f32x4.splat(beta2);
  const take2 = f32x4.splat(1 - beta2);
  const tiny = f32x4.splat(1e-20);
  const end = p + ((<usize>count) << 2);
  for (; p < end; p += 16, m += 16, v += 16, gradient += 16) {
    const g = f32x4.mul(v128.load(gradient), f32x4.splat(scale));
    const faded = f32x4.add(f32x4.mul(v128.load(m), keep1), f32x4.mul(g, take1));
    const mean = f32x4.sub(f32x4.add(faded, tiny), tiny);
    const square = f32x4.add(f32x4.mul(v128.load(v), keep2), f32x4.mul(f32x4.mul(g, g), take2));
    v128.store(m, mean);
    v128.store(v, square);
    const root = f32x4.add(f32x4.sqrt(square), f32x4.splat(floor));
    v128.store(p, f32x4.sub(v128.load(p), f32x4.div(f32x4.mul(mean, f32x4.splat(rate)), root)));
  }
}
