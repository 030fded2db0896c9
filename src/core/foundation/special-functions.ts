/**
 * Standard normal distribution function, absolute error below 1e-15 near 0 and relative error below 1e-12 in
 * the tails (power series for |x| < 3, Lentz's continued fraction beyond).
 */
export function normalCdf(x: number): number {
  if (x !== x) return NaN;
  const size = Math.abs(x);
  const density = Math.exp((-size * size) / 2) / Math.sqrt(2 * Math.PI);
  if (size < 3) {
    let term = size;
    let sum = size;
    for (let k = 3; Math.abs(term) > 1e-17 * sum; k += 2) {
      term *= (size * size) / k;
      sum += term;
    }
    return 0.5 + Math.sign(x) * density * sum;
  }
  let fraction = 0;
  for (let k = 100; k > 0; k--) fraction = k / (size + fraction);
  const tail = density / (size + fraction);
  return x > 0 ? 1 - tail : tail;
}

/**
 * Complementary error function to 16 digits, in the tails too: Cody's rational approximations (W. J. Cody 1969, "Rational Chebyshev
 * approximations for the error function", Mathematics of Computation 23, 631-637). A tenth of the time of `normalCdf`.
 */
export function erfc(x: number): number {
  const size = Math.abs(x);
  const square = x * x;
  if (size <= 0.46875) return 1 - x * ratio(ERF_TOP, ERF_BELOW, square);
  // exp(-x^2) with x^2 split, so that its rounding is not multiplied.
  const whole = Math.trunc(size * 16) / 16;
  const density = Math.exp(-whole * whole) * Math.exp(-(size - whole) * (size + whole));
  const far = 1 / square;
  const tail =
    size <= 4
      ? density * ratio(ERFC_TOP, ERFC_BELOW, size)
      : (density * (1 / Math.sqrt(Math.PI) - far * ratio(TAIL_TOP, TAIL_BELOW, far))) / size;
  return x > 0 ? tail : 2 - tail;
}

/** Two polynomials of the same degree, highest power first. */
function ratio(top: readonly number[], below: readonly number[], x: number): number {
  let [p, q] = [top[0], below[0]];
  for (let k = 1; k < top.length; k++) {
    p = p * x + top[k];
    q = q * x + below[k];
  }
  return p / q;
}

const ERF_TOP = [
  1.85777706184603153e-1, 3.1611237438705656, 1.13864154151050156e2, 3.77485237685302021e2,
  3.20937758913846947e3,
];
const ERF_BELOW = [
  1, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3,
];
const ERFC_TOP = [
  2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1,
  2.98635138197400131e2, 8.8195222124176909e2, 1.71204761263407058e3, 2.05107837782607147e3,
  1.23033935479799725e3,
];
const ERFC_BELOW = [
  1, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
  3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
];
const TAIL_TOP = [
  1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
  1.60837851487422766e-2, 6.58749161529837803e-4,
];
const TAIL_BELOW = [
  1, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2,
  2.33520497626869185e-3,
];

/** ln Gamma(x) for x > 0 (recurrence to x >= 10, then Stirling's series), relative error about 1e-14. */
export function lnGamma(x: number): number {
  let shift = 0;
  let at = x;
  for (; at < 10; at++) shift += Math.log(at);
  const inverse = 1 / (at * at);
  const series =
    (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse / 1188)))) / at;
  return (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series - shift;
}

/** Derivative of ln Gamma(x) for x > 0. */
export function digamma(x: number): number {
  let shift = 0;
  let at = x;
  for (; at < 10; at++) shift += 1 / at;
  const inverse = 1 / (at * at);
  const series =
    inverse * (1 / 12 - inverse * (1 / 120 - inverse * (1 / 252 - inverse * (1 / 240 - inverse / 132))));
  return Math.log(at) - 1 / (2 * at) - series - shift;
}
