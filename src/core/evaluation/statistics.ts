/** `undefined` for an empty sample. */
export function mean(sample: Float64Array): number | undefined {
  if (sample.length === 0) return undefined;
  let sum = 0;
  for (const value of sample) sum += value;
  return sum / sample.length;
}

/** Sample standard deviation (n - 1). `undefined` below two values. */
export function deviation(sample: Float64Array): number | undefined {
  const centre = mean(sample);
  if (centre === undefined || sample.length < 2) return undefined;
  let squares = 0;
  for (const value of sample) squares += (value - centre) ** 2;
  return Math.sqrt(squares / (sample.length - 1));
}

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
