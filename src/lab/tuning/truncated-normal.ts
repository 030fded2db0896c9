import { erfc } from '../../core/foundation/special-functions.ts';

const LOG_SQRT_2_PI = 0.5 * Math.log(2 * Math.PI);

const normalCdf = (x: number): number => 0.5 * erfc(-x * Math.SQRT1_2);

/** Logarithm of the standard normal distribution function; an asymptotic series where the function itself vanishes. */
function logNormalCdf(x: number): number {
  if (x > 6) return -normalCdf(-x);
  if (x > -30) return Math.log(normalCdf(x));
  const inverse = 1 / (x * x);
  return (
    -0.5 * x * x - Math.log(-x) - LOG_SQRT_2_PI + Math.log1p(-inverse * (1 - inverse * (3 - inverse * 15)))
  );
}

/** Logarithm of the standard normal mass between `a` and `b`, a < b. */
export function logNormalMass(a: number, b: number): number {
  // All of it, to the last digit.
  if (a < -9 && b > 9) return 0;
  if (a > 0) return logNormalMass(-b, -a);
  if (b > 0) return Math.log1p(-normalCdf(a) - normalCdf(-b));
  // In the lower tail, where neither is lost in the other.
  if (b > -30) return Math.log(normalCdf(b) - normalCdf(a));
  const upper = logNormalCdf(b);
  return upper + Math.log1p(-Math.exp(logNormalCdf(a) - upper));
}

/** The standard normal quantile of exp(`logP`), by Newton's method on logarithms. */
function quantileOfLog(logP: number): number {
  if (logP > Math.log(0.5)) return -quantileOfLog(Math.log(-Math.expm1(logP)));
  let x =
    logP < -5
      ? -Math.sqrt(-2 * (logP + LOG_SQRT_2_PI))
      : (-Math.sqrt(3) / Math.PI) * Math.log(Math.expm1(-logP));
  for (let i = 0; i < 100; i++) {
    const at = logNormalCdf(x);
    const step = (at - logP) * Math.exp(at + 0.5 * x * x + LOG_SQRT_2_PI);
    x -= step;
    if (Math.abs(step) < 1e-8 * Math.abs(x)) break;
  }
  return x;
}

/** The quantile `q` in (0, 1) of a standard normal variable that is kept between `a` and `b`. */
export function truncatedQuantile(q: number, a: number, b: number): number {
  if (a > 0) return -truncatedQuantile(1 - q, -b, -a);
  const low = logNormalCdf(a);
  const part = Math.log(q) + logNormalMass(a, b);
  const larger = Math.max(low, part);
  const x = quantileOfLog(larger + Math.log1p(Math.exp(Math.min(low, part) - larger)));
  return Math.min(Math.max(x, a), b);
}
