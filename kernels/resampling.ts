/**
 * Sums over randomly drawn places, in AssemblyScript. `npm run kernels` compiles them into
 * src/core/evaluation/resampling-code.ts. No relaxed instructions: every machine gives the same bits.
 *
 * Pointers are bytes. Numbers come from SplitMix64 (Steele, Lea & Flood 2014, Fast Splittable Pseudorandom Number
 * Generators): each is a function of a counter alone, so that several are worked out at once, and gives two places by the
 * high half of its product with their number (Lemire 2019, Fast Random Integer Generation in an Interval; without his
 * rejection, which for n places moves a probability by less than n / 2^32 of itself).
 */

const STEP: u64 = 0x9e3779b97f4a7c15;

/** Of each of `resamples`: sums of x, of y, of their squares and of their product over `draws` places of `pairs` [places, 2]. */
export function drawPairs(
  pairs: usize,
  places: u32,
  draws: i32,
  resamples: i32,
  seedHigh: u32,
  seedLow: u32,
  sums: usize,
): void {
  let state: u64 = ((<u64>seedHigh) << 32) | <u64>seedLow;
  const n = <u64>places;
  for (let r = 0; r < resamples; r++) {
    let x0 = f64x2.splat(0);
    let y0 = f64x2.splat(0);
    let xx0 = f64x2.splat(0);
    let yy0 = f64x2.splat(0);
    let xy0 = f64x2.splat(0);
    let x1 = f64x2.splat(0);
    let y1 = f64x2.splat(0);
    let xx1 = f64x2.splat(0);
    let yy1 = f64x2.splat(0);
    let xy1 = f64x2.splat(0);
    let left = draws;
    for (; left >= 4; left -= 4) {
      const p = mix((state += STEP));
      const q = mix((state += STEP));
      const a = v128.load(pairs + (place(p & 0xffffffff, n) << 4));
      const b = v128.load(pairs + (place(p >> 32, n) << 4));
      const c = v128.load(pairs + (place(q & 0xffffffff, n) << 4));
      const d = v128.load(pairs + (place(q >> 32, n) << 4));
      const xa = v128.shuffle<f64>(a, b, 0, 2);
      const ya = v128.shuffle<f64>(a, b, 1, 3);
      const xc = v128.shuffle<f64>(c, d, 0, 2);
      const yc = v128.shuffle<f64>(c, d, 1, 3);
      x0 = f64x2.add(x0, xa);
      y0 = f64x2.add(y0, ya);
      xx0 = f64x2.add(xx0, f64x2.mul(xa, xa));
      yy0 = f64x2.add(yy0, f64x2.mul(ya, ya));
      xy0 = f64x2.add(xy0, f64x2.mul(xa, ya));
      x1 = f64x2.add(x1, xc);
      y1 = f64x2.add(y1, yc);
      xx1 = f64x2.add(xx1, f64x2.mul(xc, xc));
      yy1 = f64x2.add(yy1, f64x2.mul(yc, yc));
      xy1 = f64x2.add(xy1, f64x2.mul(xc, yc));
    }
    let x = total(f64x2.add(x0, x1));
    let y = total(f64x2.add(y0, y1));
    let xx = total(f64x2.add(xx0, xx1));
    let yy = total(f64x2.add(yy0, yy1));
    let xy = total(f64x2.add(xy0, xy1));
    for (; left > 0; left--) {
      const from = pairs + (place(mix((state += STEP)) >> 32, n) << 4);
      const u = load<f64>(from);
      const v = load<f64>(from, 8);
      x += u;
      y += v;
      xx += u * u;
      yy += v * v;
      xy += u * v;
    }
    store<f64>(sums, x);
    store<f64>(sums, y, 8);
    store<f64>(sums, xx, 16);
    store<f64>(sums, yy, 24);
    store<f64>(sums, xy, 32);
    sums += 40;
  }
}

/** The same of one column: sums of x and of its squares, two numbers a resample. */
export function drawSingles(
  values: usize,
  places: u32,
  draws: i32,
  resamples: i32,
  seedHigh: u32,
  seedLow: u32,
  sums: usize,
): void {
  let state: u64 = ((<u64>seedHigh) << 32) | <u64>seedLow;
  const n = <u64>places;
  for (let r = 0; r < resamples; r++) {
    let x0 = f64x2.splat(0);
    let xx0 = f64x2.splat(0);
    let x1 = f64x2.splat(0);
    let xx1 = f64x2.splat(0);
    let left = draws;
    for (; left >= 4; left -= 4) {
      const p = mix((state += STEP));
      const q = mix((state += STEP));
      const a = v128.load64_lane(values + (place(p & 0xffffffff, n) << 3), v128.load64_zero(values + (place(p >> 32, n) << 3)), 1);
      const c = v128.load64_lane(values + (place(q & 0xffffffff, n) << 3), v128.load64_zero(values + (place(q >> 32, n) << 3)), 1);
      x0 = f64x2.add(x0, a);
      xx0 = f64x2.add(xx0, f64x2.mul(a, a));
      x1 = f64x2.add(x1, c);
      xx1 = f64x2.add(xx1, f64x2.mul(c, c));
    }
    let x = total(f64x2.add(x0, x1));
    let xx = total(f64x2.add(xx0, xx1));
    for (; left > 0; left--) {
      const u = load<f64>(values + (place(mix((state += STEP)) >> 32, n) << 3));
      x += u;
      xx += u * u;
    }
    store<f64>(sums, x);
    store<f64>(sums, xx, 8);
    sums += 16;
  }
}

// @ts-ignore: decorator
@inline
function mix(counter: u64): u64 {
  let z = counter;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/** The place that 32 random bits choose. */
// @ts-ignore: decorator
@inline
function place(bits: u64, n: u64): usize {
  return <usize>((bits * n) >> 32);
}

// @ts-ignore: decorator
@inline
function total(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}
