import { UserError } from '../../foundation/errors.ts';
import { invert } from '../../foundation/linear-algebra.ts';
import { minimise } from '../../foundation/optimise.ts';
import { digamma, lnGamma } from '../../foundation/special-functions.ts';

/**
 * Conditional variance of returns in percent:
 *   h[t] = omega + (alpha + gamma [e[t-1] < 0]) e[t-1]^2 + beta h[t-1],  e[t] = r[t] - mu.
 * Bollerslev 1986 (`garch`, gamma 0), Glosten, Jagannathan and Runkle 1993 (`gjr`). Before the sample e^2 and h
 * are the mean of e^2, the convention of the DM/GBP benchmark (Fiorentini, Calzolari and Panattoni 1996);
 * a presample shock counts half as negative.
 */
export interface Garch {
  readonly mu: number;
  readonly omega: number;
  readonly alpha: number;
  /** Extra response to a fall; 0 without asymmetry. */
  readonly gamma: number;
  readonly beta: number;
  /** Degrees of freedom of Student's t, scaled to variance 1; `undefined` for normal shocks. */
  readonly nu?: number | undefined;
  /** h and e^2 before the sample. */
  readonly presample: number;
}

export interface GarchFit {
  readonly garch: Garch;
  readonly logLikelihood: number;
  readonly iterations: number;
  /**
   * By parameter name: from the inverse Hessian, and Bollerslev and Wooldridge's (1992) sandwich, which holds
   * when the shocks are not of the assumed distribution. Empty when the Hessian is singular (a parameter on its
   * bound).
   */
  readonly standardErrors: Readonly<Record<string, { readonly hessian: number; readonly robust: number }>>;
}

export interface GarchOptions {
  readonly asymmetric: boolean;
  readonly student: boolean;
}

/**
 * Maximum likelihood by BFGS on transformed parameters with the exact gradient. `percentReturns` are returns
 * x 100, finite. Throws `UserError` when they are fewer than 50 or never vary.
 */
export function fitGarch(percentReturns: Float64Array, options: GarchOptions): GarchFit {
  const n = percentReturns.length;
  const mean = percentReturns.reduce((sum, value) => sum + value, 0) / n;
  const variance = percentReturns.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n;
  if (n < 50 || !(variance > 0)) {
    throw new UserError(`A GARCH model needs 50 returns that vary, got ${n} with variance ${variance}.`, {
      hint: 'Fetch more history, and check the candles with `crypto-trader data verify`.',
    });
  }
  const likelihood = createLikelihood(percentReturns, options);
  // mu, ln omega, and logits of (alpha, [alpha + gamma,] beta) against what persistence leaves to 1.
  const start = options.asymmetric
    ? [mean, Math.log(0.05 * variance), Math.log(0.5), Math.log(0.5), Math.log(18)]
    : [mean, Math.log(0.05 * variance), 0, Math.log(18)];
  if (options.student) start.push(Math.log(6));

  const natural = new Float64Array(NATURAL);
  const naturalGradient = new Float64Array(NATURAL);
  const best = minimise((x, gradient) => {
    toNatural(x, options, natural);
    const total = likelihood.evaluate(natural, naturalGradient);
    pullBack(x, options, { natural, naturalGradient, gradient });
    for (let i = 0; i < gradient.length; i++) gradient[i] /= -n;
    return Number.isFinite(total) ? -total / n : Infinity;
  }, Float64Array.from(start));
  toNatural(best.x, options, natural);
  const logLikelihood = likelihood.evaluate(natural, naturalGradient);
  const [mu, omega, alpha, gamma, beta, nu] = natural;
  return {
    garch: {
      mu,
      omega,
      alpha,
      gamma,
      beta,
      nu: options.student ? nu : undefined,
      presample: likelihood.presample(mu),
    },
    logLikelihood,
    iterations: best.iterations,
    standardErrors: standardErrors(likelihood, natural, options),
  };
}

/**
 * Variance forecast for the bar after each row, from the returns up to and including it. Rows without a return
 * (`NaN`) carry the forecast on unchanged.
 */
export function filterVariance(percentReturns: Float64Array, garch: Garch): Float64Array {
  const { mu, omega, alpha, gamma, beta, presample } = garch;
  let next = omega + (alpha + gamma / 2) * presample + beta * presample;
  return percentReturns.map((value) => {
    if (value !== value) return next;
    const shock = value - mu;
    next = omega + (shock < 0 ? alpha + gamma : alpha) * shock * shock + beta * next;
    return next;
  });
}

/** Share of a shock's variance that is still there one bar later. */
export const persistence = ({ alpha, gamma, beta }: Garch): number => alpha + gamma / 2 + beta;

/** Sum of the variances of the next `bars` bars, when the next one's is `next`. */
export function cumulativeVariance(garch: Garch, next: number, bars: number): number {
  const decay = persistence(garch);
  let total = 0;
  for (let bar = 0, variance = next; bar < bars; bar++) {
    total += variance;
    variance = garch.omega + decay * variance;
  }
  return total;
}

const NATURAL = 6;
const NAMES = ['mu', 'omega', 'alpha', 'gamma', 'beta', 'nu'] as const;

interface Likelihood {
  presample(mu: number): number;
  /** At (mu, omega, alpha, gamma, beta, nu): the log likelihood; its gradient goes to `gradient`. */
  evaluate(natural: Float64Array, gradient: Float64Array, scores?: Float64Array): number;
}

/** With `scores` also fills the sum of outer products of the rows' gradients, row by row. */
function createLikelihood(returns: Float64Array, { student }: { student: boolean }): Likelihood {
  const n = returns.length;
  const mean = returns.reduce((sum, value) => sum + value, 0) / n;
  const square = returns.reduce((sum, value) => sum + value * value, 0) / n;
  const presample = (mu: number): number => square - 2 * mu * mean + mu * mu;
  const row = new Float64Array(NATURAL);

  function evaluate(natural: Float64Array, gradient: Float64Array, scores?: Float64Array): number {
    const [mu, omega, alpha, gamma, beta, nu] = natural;
    const before = presample(mu);
    const constant = student
      ? lnGamma((nu + 1) / 2) - lnGamma(nu / 2) - 0.5 * Math.log(Math.PI * (nu - 2))
      : -0.5 * Math.log(2 * Math.PI);
    const constantByNu = student ? (digamma((nu + 1) / 2) - digamma(nu / 2) - 1 / (nu - 2)) / 2 : 0;
    let h = before;
    let [hMu, hOmega, hAlpha, hGamma, hBeta] = [2 * (mu - mean), 0, 0, 0, 0];
    let total = n * constant;
    let [gMu, gOmega, gAlpha, gGamma, gBeta, gNu] = [0, 0, 0, 0, 0, 0];
    let shock = 0;
    let squared = before;
    let falling = 0.5;
    for (let t = 0; t < n; t++) {
      const response = alpha + gamma * falling;
      // The presample shock depends on mu through its mean square.
      const squaredMu = t === 0 ? 2 * (mu - mean) : -2 * shock;
      hMu = response * squaredMu + beta * hMu;
      hOmega = 1 + beta * hOmega;
      hAlpha = squared + beta * hAlpha;
      hGamma = falling * squared + beta * hGamma;
      hBeta = h + beta * hBeta;
      h = omega + response * squared + beta * h;

      shock = returns[t] - mu;
      squared = shock * shock;
      falling = shock < 0 ? 1 : 0;
      const standard = squared / h;
      let byVariance: number;
      let byMu: number;
      let byNu = 0;
      if (student) {
        const tail = 1 + standard / (nu - 2);
        const weight = (nu + 1) / (nu - 2) / tail;
        const logTail = Math.log(tail);
        total -= 0.5 * Math.log(h) + ((nu + 1) / 2) * logTail;
        byVariance = (weight * standard - 1) / (2 * h);
        byMu = (weight * shock) / h;
        byNu = constantByNu - logTail / 2 + (weight * standard) / (2 * (nu - 2));
      } else {
        total -= 0.5 * (Math.log(h) + standard);
        byVariance = (standard - 1) / (2 * h);
        byMu = shock / h;
      }
      gMu += byMu + byVariance * hMu;
      gOmega += byVariance * hOmega;
      gAlpha += byVariance * hAlpha;
      gGamma += byVariance * hGamma;
      gBeta += byVariance * hBeta;
      gNu += byNu;
      if (scores !== undefined) {
        row[0] = byMu + byVariance * hMu;
        row[1] = byVariance * hOmega;
        row[2] = byVariance * hAlpha;
        row[3] = byVariance * hGamma;
        row[4] = byVariance * hBeta;
        row[5] = byNu;
        for (let i = 0; i < NATURAL; i++)
          for (let j = 0; j < NATURAL; j++) scores[i * NATURAL + j] += row[i] * row[j];
      }
    }
    gradient[0] = gMu;
    gradient[1] = gOmega;
    gradient[2] = gAlpha;
    gradient[3] = gGamma;
    gradient[4] = gBeta;
    gradient[5] = gNu;
    return total;
  }
  return { presample, evaluate };
}

/** `x` as (mu, omega, alpha, gamma, beta, nu): any real `x` gives a positive, stationary variance. */
function toNatural(x: Float64Array, { asymmetric, student }: GarchOptions, natural: Float64Array): void {
  const shares = x.subarray(2, asymmetric ? 5 : 4).map(Math.exp);
  const sum = 1 + shares.reduce((total, share) => total + share, 0);
  natural[0] = x[0];
  natural[1] = Math.exp(x[1]);
  if (asymmetric) {
    // Shares of persistence: half the response to rises, half the response to falls, beta.
    natural[2] = (2 * shares[0]) / sum;
    natural[3] = (2 * (shares[1] - shares[0])) / sum;
    natural[4] = shares[2] / sum;
  } else {
    natural[2] = shares[0] / sum;
    natural[3] = 0;
    natural[4] = shares[1] / sum;
  }
  natural[5] = student ? 2.05 + Math.exp(x[x.length - 1]) : 0;
}

/** Gradient by `x` from the gradient by natural parameters (chain rule of `toNatural`). */
function pullBack(
  x: Float64Array,
  { asymmetric, student }: GarchOptions,
  to: {
    readonly natural: Float64Array;
    readonly naturalGradient: Float64Array;
    readonly gradient: Float64Array;
  },
): void {
  const { natural, naturalGradient, gradient } = to;
  const [byMu, byOmega, byAlpha, byGamma, byBeta, byNu] = naturalGradient;
  gradient[0] = byMu;
  gradient[1] = byOmega * natural[1];
  // By the shares: alpha = 2 s0 and gamma = 2 (s1 - s0) with asymmetry, alpha = s0 without.
  const shares = asymmetric
    ? [natural[2] / 2, (natural[2] + natural[3]) / 2, natural[4]]
    : [natural[2], natural[4]];
  const byShare = asymmetric ? [2 * (byAlpha - byGamma), 2 * byGamma, byBeta] : [byAlpha, byBeta];
  const mean = shares.reduce((sum, share, i) => sum + share * byShare[i], 0);
  for (let i = 0; i < shares.length; i++) gradient[2 + i] = shares[i] * (byShare[i] - mean);
  if (student) gradient[x.length - 1] = byNu * (natural[5] - 2.05);
}

function standardErrors(
  likelihood: Likelihood,
  natural: Float64Array,
  { asymmetric, student }: GarchOptions,
): GarchFit['standardErrors'] {
  const used = [0, 1, 2, ...(asymmetric ? [3] : []), 4, ...(student ? [5] : [])];
  const information = used.map((parameter) => {
    const step = 1e-5 * Math.max(Math.abs(natural[parameter]), 1e-3);
    const [above, below] = [step, -step].map((move) => {
      const gradient = new Float64Array(NATURAL);
      const moved = Float64Array.from(natural);
      moved[parameter] += move;
      likelihood.evaluate(moved, gradient);
      return gradient;
    });
    return Float64Array.from(used, (other) => (below[other] - above[other]) / (2 * step));
  });
  const symmetric = information.map((row, i) => row.map((value, j) => (value + information[j][i]) / 2));
  const inverse = invert(symmetric);
  if (inverse === undefined) return {};
  const outer = new Float64Array(NATURAL * NATURAL);
  likelihood.evaluate(natural, new Float64Array(NATURAL), outer);
  return Object.fromEntries(
    used.map((parameter, i) => {
      let sandwich = 0;
      for (let a = 0; a < used.length; a++)
        for (let b = 0; b < used.length; b++)
          sandwich += inverse[i][a] * outer[used[a] * NATURAL + used[b]] * inverse[b][i];
      return [NAMES[parameter], { hessian: Math.sqrt(inverse[i][i]), robust: Math.sqrt(sandwich) }];
    }),
  );
}
