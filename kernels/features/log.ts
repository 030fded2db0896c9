/**
 * Natural logarithm: the argument reduction and polynomial of fdlibm's `__ieee754_log` (Sun Microsystems 1993), which
 * V8's `Math.log` is too, so that both give the same bits. Inlined into a loop it takes half the time of a call.
 */
// @ts-ignore: decorator
@inline
export function log(x: f64): f64 {
  const high = <u32>(reinterpret<u64>(x) >> 32);
  return high - 0x00100000 < 0x7fe00000 ? normal(x, 0) : rare(x);
}

const LN2_HIGH: f64 = 6.93147180369123816490e-1;
const LN2_LOW: f64 = 1.90821492927058770002e-10;
const THIRD: f64 = 0.33333333333333333;
const TWO_54: f64 = 18014398509481984;

const SMALLEST_NORMAL: f64 = 2.2250738585072014e-308;

/** Of two numbers at once, the same bits. */
// @ts-ignore: decorator
@inline
export function logs(x: v128): v128 {
  const usual = v128.and(
    f64x2.ge(x, f64x2.splat(SMALLEST_NORMAL)),
    f64x2.lt(x, f64x2.splat(Infinity)),
  );
  return i64x2.all_true(usual) ? normals(x) : eachOf(x);
}

function eachOf(x: v128): v128 {
  const first = f64x2.splat(log(f64x2.extract_lane(x, 0)));
  return f64x2.replace_lane(first, 1, log(f64x2.extract_lane(x, 1)));
}

// @ts-ignore: decorator
@inline
function normals(x: v128): v128 {
  const word = i64x2.shr_u(x, 32);
  const high = v128.and(word, i64x2.splat(0x000fffff));
  const shift = v128.and(i64x2.add(high, i64x2.splat(0x95f64)), i64x2.splat(0x100000));
  const top = i64x2.shl(v128.or(high, v128.xor(shift, i64x2.splat(0x3ff00000))), 32);
  const f = f64x2.sub(v128.or(top, v128.and(x, i64x2.splat(0xffffffff))), f64x2.splat(1));
  const power = i64x2.add(i64x2.shr_u(word, 20), i64x2.shr_u(shift, 20));
  const k = i64x2.sub(power, i64x2.splat(1023));
  const n = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(k, k, 0, 2, 0, 2));
  const s = f64x2.div(f, f64x2.add(f64x2.splat(2), f));
  const z = f64x2.mul(s, s);
  const w = f64x2.mul(z, z);
  let even = f64x2.add(f64x2.splat(2.222219843214978396e-1), f64x2.mul(w, f64x2.splat(1.531383769920937332e-1)));
  even = f64x2.mul(w, f64x2.add(f64x2.splat(3.999999999940941908e-1), f64x2.mul(w, even)));
  let odd = f64x2.add(f64x2.splat(1.818357216161805012e-1), f64x2.mul(w, f64x2.splat(1.479819860511658591e-1)));
  odd = f64x2.add(f64x2.splat(2.857142874366239149e-1), f64x2.mul(w, odd));
  odd = f64x2.mul(z, f64x2.add(f64x2.splat(6.666666666666735130e-1), f64x2.mul(w, odd)));
  const r = f64x2.add(odd, even);
  const whole = f64x2.mul(n, f64x2.splat(LN2_HIGH));
  const rest = f64x2.mul(n, f64x2.splat(LN2_LOW));
  const plain = f64x2.sub(f64x2.mul(s, f64x2.sub(f, r)), rest);
  let result = f64x2.sub(whole, f64x2.sub(plain, f));
  const tiny = i64x2.lt_s(
    v128.and(i64x2.add(high, i64x2.splat(2)), i64x2.splat(0x000fffff)),
    i64x2.splat(3),
  );
  const middle = v128.and(
    i64x2.gt_s(high, i64x2.splat(0x61479)),
    i64x2.lt_s(high, i64x2.splat(0x6b852)),
  );
  if (v128.any_true(v128.or(tiny, middle))) {
    const square = f64x2.mul(f64x2.mul(f, f), f64x2.sub(f64x2.splat(0.5), f64x2.mul(f64x2.splat(THIRD), f)));
    const near = f64x2.sub(whole, f64x2.sub(f64x2.sub(square, rest), f));
    const half = f64x2.mul(f64x2.mul(f64x2.splat(0.5), f), f);
    const tail = f64x2.add(f64x2.mul(s, f64x2.add(half, r)), rest);
    const between = f64x2.sub(whole, f64x2.sub(f64x2.sub(half, tail), f));
    result = v128.bitselect(near, v128.bitselect(between, result, middle), tiny);
  }
  return result;
}

/** What is no positive normal number. */
function rare(x: f64): f64 {
  if (x == 0) return -Infinity;
  if (x < 0 || x != x) return NaN;
  return x == Infinity ? x : normal(x * TWO_54, -54);
}

/** ln(x 2^power) */
// @ts-ignore: decorator
@inline
function normal(x: f64, power: i32): f64 {
  let bits = reinterpret<u64>(x);
  let high = <i32>(bits >> 32);
  let k = (high >> 20) - 1023 + power;
  high &= 0x000fffff;
  const shift = (high + 0x95f64) & 0x100000;
  bits = (<u64>(<u32>(high | (shift ^ 0x3ff00000))) << 32) | (bits & 0xffffffff);
  k += shift >> 20;
  const f = reinterpret<f64>(bits) - 1;
  const n = <f64>k;
  if ((0x000fffff & (2 + high)) < 3) {
    if (f == 0) return n * LN2_HIGH + n * LN2_LOW;
    const r = f * f * (0.5 - THIRD * f);
    return n * LN2_HIGH - (r - n * LN2_LOW - f);
  }
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const even = w * (3.999999999940941908e-1 + w * (2.222219843214978396e-1 + w * 1.531383769920937332e-1));
  const odd =
    z *
    (6.666666666666735130e-1 +
      w * (2.857142874366239149e-1 + w * (1.818357216161805012e-1 + w * 1.479819860511658591e-1)));
  const r = odd + even;
  if (((high - 0x6147a) | (0x6b851 - high)) > 0) {
    const half = 0.5 * f * f;
    return n * LN2_HIGH - (half - (s * (half + r) + n * LN2_LOW) - f);
  }
  return n * LN2_HIGH - (s * (f - r) - n * LN2_LOW - f);
}

/** `ln(1 + x)`: fdlibm's `log1p`, which V8's `Math.log1p` is too. */
export function log1p(x: f64): f64 {
  const word = <i32>(reinterpret<u64>(x) >> 32);
  const size = word & 0x7fffffff;
  if (word >= 0x7ff00000) return x + x;
  if (word < 0 && size >= 0x3ff00000) return x == -1 ? -Infinity : NaN;
  if (size < 0x3e200000) return size < 0x3c900000 ? x : x - x * x * 0.5;
  let k = 0;
  let high = 1;
  let f = x;
  let c: f64 = 0;
  // Further from 1 than a root of 2.
  if (word >= 0x3fda827a || (word < 0 && <u32>word > 0xbfd2bec4)) {
    const far = word >= 0x43400000;
    const u = far ? x : 1 + x;
    const bits = reinterpret<u64>(u);
    high = <i32>(bits >> 32);
    k = (high >> 20) - 1023;
    if (!far) c = (k > 0 ? 1 - (u - x) : x - (u - 1)) / u;
    high &= 0x000fffff;
    const over = high >= 0x6a09e;
    const top = <u64>(<u32>(high | (over ? 0x3fe00000 : 0x3ff00000)));
    f = reinterpret<f64>((top << 32) | (bits & 0xffffffff)) - 1;
    if (over) {
      k++;
      high = (0x00100000 - high) >> 2;
    }
  }
  const n = <f64>k;
  const half = 0.5 * f * f;
  if (high == 0) {
    if (f == 0) return n * LN2_HIGH + (c + n * LN2_LOW);
    const r = half * (1 - 0.66666666666666666 * f);
    return n * LN2_HIGH - (r - (n * LN2_LOW + c) - f);
  }
  const s = f / (2 + f);
  const z = s * s;
  let r = 1.818357216161805012e-1 + z * (1.531383769920937332e-1 + z * 1.479819860511658591e-1);
  r = 2.857142874366239149e-1 + z * (2.222219843214978396e-1 + z * r);
  r = z * (6.666666666666735130e-1 + z * (3.999999999940941908e-1 + z * r));
  if (k == 0) return f - (half - s * (half + r));
  return n * LN2_HIGH - (half - (s * (half + r) + (n * LN2_LOW + c)) - f);
}
