import { mean } from '../foundation/moments.ts';

/** Third and fourth standardised moments of the population (a normal sample: 0 and 3). `undefined` without variance. */
export function shape(
  sample: Float64Array,
): { readonly skew: number; readonly kurtosis: number } | undefined {
  const centre = mean(sample);
  if (centre === undefined) return undefined;
  let second = 0;
  let third = 0;
  let fourth = 0;
  for (const value of sample) {
    const d = value - centre;
    second += d * d;
    third += d * d * d;
    fourth += d * d * d * d;
  }
  if (second === 0) return undefined;
  const n = sample.length;
  return { skew: third / n / (second / n) ** 1.5, kurtosis: fourth / n / (second / n) ** 2 };
}

/** Linear interpolation between order statistics (NumPy's default) of a sorted sample. */
export function quantileOfSorted(sorted: Float64Array, probability: number): number | undefined {
  if (sorted.length === 0) return undefined;
  const at = probability * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

/** Distribution function of the standard normal, absolute error below 1e-15. */
export function normalCdf(x: number): number {
  const z = Math.abs(x);
  const upper = z > 38 ? 0 : z < 3 ? 0.5 - density(z) * series(z) : density(z) * tail(z);
  return x > 0 ? 1 - upper : upper;
}

/** Quantile of the standard normal: Newton's method on `normalCdf`, from a logistic first guess. */
export function normalQuantile(probability: number): number {
  if (probability <= 0) return -Infinity;
  if (probability >= 1) return Infinity;
  let x = Math.log(probability / (1 - probability)) / 1.702;
  for (let i = 0; i < 60; i++) {
    const error = normalCdf(x) - probability;
    // Halley's step: the curvature keeps it from overshooting in the tails.
    const newton = error / density(x);
    const step = newton / (1 + (x * newton) / 2);
    x -= Math.abs(step) > 1 ? Math.sign(step) : step;
    if (Math.abs(step) < 1e-14 * (1 + Math.abs(x))) break;
  }
  return x;
}

const density = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

/** (cdf(z) - 1/2) / density(z): Abramowitz & Stegun 26.2.11. */
function series(z: number): number {
  let term = z;
  let sum = z;
  for (let k = 3; Math.abs(term) > 1e-17 * sum; k += 2) {
    term *= (z * z) / k;
    sum += term;
  }
  return sum;
}

/** Upper tail over density(z): Laplace's continued fraction, Abramowitz & Stegun 26.2.14. */
function tail(z: number): number {
  let fraction = z;
  for (let k = 120; k >= 1; k--) fraction = z + k / fraction;
  return 1 / fraction;
}

/** Distribution function of Student's t: the regularised incomplete beta function by its continued fraction. */
export function studentCdf(t: number, degrees: number): number {
  const tail = 0.5 * incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
  return t > 0 ? 1 - tail : tail;
}

/** I_x(a, b): Abramowitz & Stegun 26.5.8, evaluated by Lentz's method where it converges fast. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  let d = 1 / (1 - ((a + b) * x) / (a + 1));
  let c = 1;
  let fraction = d;
  for (let m = 1; m < 500; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / (1 + even * d);
    c = 1 + even / c;
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + odd * d);
    c = 1 + odd / c;
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return (front * fraction) / a;
}

/** Of positive numbers: Stirling's series after shifting the argument above 10 (Abramowitz & Stegun 6.1.41). */
function logGamma(x: number): number {
  let shift = 0;
  let z = x;
  while (z < 10) shift += Math.log(z++);
  const s = 1 / (z * z);
  const series = (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s / 1680))) / z;
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift;
}
