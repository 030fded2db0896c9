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
const TWO_54: f64 = 18014398509481984;

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
    const r = f * f * (0.5 - 0.33333333333333333 * f);
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
