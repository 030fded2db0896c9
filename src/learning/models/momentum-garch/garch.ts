import { UserError } from '../../../core/foundation/errors.ts';
import { dot, invert } from '../../../core/foundation/linear-algebra.ts';
import { minimise } from '../../../core/foundation/optimise.ts';
import { finish, type Steps } from '../../../core/foundation/steps.ts';
import { digamma, lnGamma } from '../../../core/foundation/special-functions.ts';

/**
 * Conditional variance of returns in percent:
 *   h[t] = omega + (alpha + gamma [e[t-1] < 0]) e[t-1]^2 + beta h[t-1],  e[t] = r[t] - mu.
 * Bollerslev 1986 (`garch`, gamma 0), Glosten, Jagannathan and Runkle 1993 (`gjr`), RiskMetrics 1996 with its decay
 * estimated (`ewma`: omega and gamma 0, alpha 1 - beta). Before the sample e^2 and h are the mean of e^2, the convention of the DM/GBP benchmark (Fiorentini, Calzolari and Panattoni 1996);
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
   * when the shocks are not of the assumed distribution. Without `alpha` for `ewma`, where it is 1 - `beta`. Empty
   * when the Hessian is singular (a parameter on its bound).
   */
  readonly standardErrors: Readonly<Record<string, { readonly hessian: number; readonly robust: number }>>;
}

export interface GarchOptions {
  readonly variance: 'garch' | 'gjr' | 'ewma';
  readonly student: boolean;
}

/**
 * Maximum likelihood by BFGS on transformed parameters with the exact gradient. `percentReturns` are returns
 * x 100, finite. Throws `UserError` when they are fewer than 50 or never vary.
 */
export const fitGarch = (percentReturns: Float64Array, options: GarchOptions): GarchFit =>
  finish(garchSteps(percentReturns, options));

/** The same in steps of an iteration: a year of minutes takes seconds. */
export function* garchSteps(percentReturns: Float64Array, options: GarchOptions): Steps<GarchFit> {
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
  const start = {
    garch: [mean, Math.log(0.05 * variance), 0, Math.log(18)],
    gjr: [mean, Math.log(0.05 * variance), Math.log(0.5), Math.log(0.5), Math.log(18)],
    ewma: [mean, Math.log(0.94 / 0.06)],
  }[options.variance];
  if (options.student) start.push(0);

  const natural = new Float64Array(NATURAL);
  const naturalGradient = new Float64Array(NATURAL);
  const first = Float64Array.from(start);
  const inverseHessian = invert(information(first, likelihood, options).map((row) => row.map((v) => v / n)));
  const best = yield* minimise(
    (x, gradient) => {
      toNatural(x, options, natural);
      const total = likelihood.evaluate(natural, naturalGradient);
      pullBack(x, options, { natural, naturalGradient, gradient });
      for (let i = 0; i < gradient.length; i++) gradient[i] /= -n;
      return Number.isFinite(total) ? -total / n : Infinity;
    },
    first,
    inverseHessian && { inverseHessian },
  );
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
 * (`NaN`) carry the forecast on unchanged. `before`: the forecast for the first row; default: that of the sample's start.
 */
export function filterVariance(
  percentReturns: Float64Array,
  garch: Garch,
  before = startVariance(garch),
): Float64Array {
  const { mu, omega, alpha, gamma, beta } = garch;
  let next = before;
  return percentReturns.map((value) => {
    if (value !== value) return next;
    const shock = value - mu;
    next = omega + (shock < 0 ? alpha + gamma : alpha) * shock * shock + beta * next;
    return next;
  });
}

const startVariance = ({ omega, alpha, gamma, beta, presample }: Garch): number =>
  omega + (alpha + gamma / 2) * presample + beta * presample;

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
    let [gMu, gOmega, gAlpha, gGamma, gBeta] = [0, 0, 0, 0, 0];
    // One logarithm for several rows: of their product.
    let [logVariances, variances, logTails, tails, weighted] = [0, 1, 0, 1, 0];
    let shock = 0;
    let squared = before;
    // The presample shock depends on mu through its mean square.
    let squaredMu = 2 * (mu - mean);
    let falling = 0.5;
    for (let t = 0; t < n; t++) {
      const response = alpha + gamma * falling;
      hMu = response * squaredMu + beta * hMu;
      hOmega = 1 + beta * hOmega;
      hAlpha = squared + beta * hAlpha;
      hGamma = falling * squared + beta * hGamma;
      hBeta = h + beta * hBeta;
      h = omega + response * squared + beta * h;

      shock = returns[t] - mu;
      squared = shock * shock;
      squaredMu = -2 * shock;
      falling = shock < 0 ? 1 : 0;
      const inverse = 1 / h;
      const standard = squared * inverse;
      const tail = nu - 2 + standard;
      const weight = student ? (nu + 1) / tail : 1;
      weighted += weight * standard;
      variances *= h;
      if (student) tails *= tail;
      if ((t & 7) === 7) {
        logVariances += Math.log(variances);
        logTails += Math.log(tails);
        variances = tails = 1;
      }
      const byVariance = 0.5 * inverse * (weight * standard - 1);
      const byMu = weight * shock * inverse + byVariance * hMu;
      gMu += byMu;
      gOmega += byVariance * hOmega;
      gAlpha += byVariance * hAlpha;
      gGamma += byVariance * hGamma;
      gBeta += byVariance * hBeta;
      if (scores !== undefined) {
        row[0] = byMu;
        row[1] = byVariance * hOmega;
        row[2] = byVariance * hAlpha;
        row[3] = byVariance * hGamma;
        row[4] = byVariance * hBeta;
        row[5] = student
          ? constantByNu - Math.log(tail / (nu - 2)) / 2 + (weight * standard) / (2 * (nu - 2))
          : 0;
        for (let i = 0; i < NATURAL; i++)
          for (let j = 0; j < NATURAL; j++) scores[i * NATURAL + j] += row[i] * row[j];
      }
    }
    logVariances += Math.log(variances);
    logTails += Math.log(tails) - (student ? n * Math.log(nu - 2) : 0);
    const total = n * constant - 0.5 * logVariances - 0.5 * (student ? (nu + 1) * logTails : weighted);
    const gNu = student ? n * constantByNu - logTails / 2 + weighted / (2 * (nu - 2)) : 0;
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
function toNatural(x: Float64Array, { variance, student }: GarchOptions, natural: Float64Array): void {
  natural[0] = x[0];
  if (variance === 'ewma') {
    natural[1] = natural[3] = 0;
    natural[2] = 1 / (1 + Math.exp(x[1]));
    natural[4] = 1 - natural[2];
  } else {
    const shares = x.subarray(2, variance === 'gjr' ? 5 : 4).map(Math.exp);
    const sum = 1 + shares.reduce((total, share) => total + share, 0);
    natural[1] = Math.exp(x[1]);
    if (variance === 'gjr') {
      // Shares of persistence: half the response to rises, half the response to falls, beta.
      natural[2] = (2 * shares[0]) / sum;
      natural[3] = (2 * (shares[1] - shares[0])) / sum;
      natural[4] = shares[2] / sum;
    } else {
      natural[2] = shares[0] / sum;
      natural[3] = 0;
      natural[4] = shares[1] / sum;
    }
  }
  natural[5] = student ? 1 / inverseNu(x[x.length - 1]) : 0;
}

/** Gradient by `x` from the gradient by natural parameters (chain rule of `toNatural`). */
function pullBack(
  x: Float64Array,
  { variance, student }: GarchOptions,
  to: {
    readonly natural: Float64Array;
    readonly naturalGradient: Float64Array;
    readonly gradient: Float64Array;
  },
): void {
  const { natural, naturalGradient, gradient } = to;
  const [byMu, byOmega, byAlpha, byGamma, byBeta, byNu] = naturalGradient;
  gradient[0] = byMu;
  if (variance === 'ewma') gradient[1] = (byBeta - byAlpha) * natural[2] * natural[4];
  else {
    gradient[1] = byOmega * natural[1];
    // By the shares: alpha = 2 s0 and gamma = 2 (s1 - s0) with asymmetry, alpha = s0 without.
    const shares =
      variance === 'gjr'
        ? [natural[2] / 2, (natural[2] + natural[3]) / 2, natural[4]]
        : [natural[2], natural[4]];
    const byShare = variance === 'gjr' ? [2 * (byAlpha - byGamma), 2 * byGamma, byBeta] : [byAlpha, byBeta];
    const mean = shares.reduce((sum, share, i) => sum + share * byShare[i], 0);
    for (let i = 0; i < shares.length; i++) gradient[2 + i] = shares[i] * (byShare[i] - mean);
  }
  if (student) {
    const inverse = 1 / natural[5];
    const slope = ((inverse - LEAST) * (MOST - inverse)) / (MOST - LEAST);
    gradient[x.length - 1] = -byNu * natural[5] ** 2 * slope;
  }
}

/**
 * Bounds of 1 / nu: degrees of freedom between 2.05 and 500, as in the `arch` package. Beyond, Student's t is the normal
 * distribution for all that returns can tell, and the likelihood would drift off into rounding.
 */
const LEAST = 1 / 500;
const MOST = 1 / 2.05;

const inverseNu = (x: number): number => LEAST + (MOST - LEAST) / (1 + Math.exp(-x));

/** Sum of the rows' outer products of gradients by `x`: about the Hessian (Berndt, Hall, Hall and Hausman 1974). */
function information(x: Float64Array, likelihood: Likelihood, options: GarchOptions): Float64Array[] {
  const natural = new Float64Array(NATURAL);
  toNatural(x, options, natural);
  const outer = new Float64Array(NATURAL * NATURAL);
  likelihood.evaluate(natural, new Float64Array(NATURAL), outer);
  const pulled = (naturalGradient: Float64Array): Float64Array => {
    const gradient = new Float64Array(x.length);
    pullBack(x, options, { natural, naturalGradient, gradient });
    return gradient;
  };
  const half = Array.from({ length: NATURAL }, (_, i) =>
    pulled(outer.subarray(i * NATURAL, (i + 1) * NATURAL)),
  );
  return Array.from(x, (_, j) => pulled(Float64Array.from(half, (row) => row[j])));
}

function standardErrors(
  likelihood: Likelihood,
  natural: Float64Array,
  { variance, student }: GarchOptions,
): GarchFit['standardErrors'] {
  const own = { garch: [0, 1, 2, 4], gjr: [0, 1, 2, 3, 4], ewma: [0, 4] }[variance];
  const used = student ? [...own, 5] : own;
  /** Along a parameter: what the others do with it. */
  const along = used.map((parameter) => {
    const direction = new Float64Array(NATURAL);
    direction[parameter] = 1;
    if (variance === 'ewma' && parameter === 4) direction[2] = -1;
    return direction;
  });
  const hessian = used.map((parameter, i) => {
    const step = 1e-5 * Math.max(Math.abs(natural[parameter]), 1e-3);
    const [above, below] = [step, -step].map((move) => {
      const gradient = new Float64Array(NATURAL);
      likelihood.evaluate(
        natural.map((value, k) => value + move * along[i][k]),
        gradient,
      );
      return gradient;
    });
    return Float64Array.from(along, (other) => (dot(other, below) - dot(other, above)) / (2 * step));
  });
  const symmetric = hessian.map((row, i) => row.map((value, j) => (value + hessian[j][i]) / 2));
  const inverse = invert(symmetric);
  if (inverse === undefined) return {};
  const outer = new Float64Array(NATURAL * NATURAL);
  likelihood.evaluate(natural, new Float64Array(NATURAL), outer);
  const products = along.map((one) =>
    Float64Array.from(along, (other) =>
      one.reduce(
        (sum, weight, k) => sum + weight * dot(other, outer.subarray(k * NATURAL, (k + 1) * NATURAL)),
        0,
      ),
    ),
  );
  return Object.fromEntries(
    used.map((parameter, i) => {
      const sandwich = inverse[i].reduce((sum, weight, a) => sum + weight * dot(products[a], inverse[i]), 0);
      return [NAMES[parameter], { hessian: Math.sqrt(inverse[i][i]), robust: Math.sqrt(sandwich) }];
    }),
  );
}
