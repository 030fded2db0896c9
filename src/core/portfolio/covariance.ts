import { dot, gram, type Matrix } from '../foundation/linear-algebra.ts';
import { compose, eigenSymmetric } from './symmetric.ts';

/** Simple returns a bar: one column an asset, all of one length, without gaps. */
export type ReturnColumns = readonly Float64Array[];

/** A covariance of returns a bar, and how far it was shrunk towards its target, in [0, 1]. */
export interface Shrunk {
  readonly covariance: Float64Array[];
  readonly shrinkage: number;
}

export const COVARIANCES = [
  'sample',
  'exponential',
  'semi',
  'ledoit-wolf',
  'ledoit-wolf-single-factor',
  'ledoit-wolf-constant-correlation',
  'oas',
  'denoised',
  'detoned',
  'gerber',
] as const;
export type CovarianceName = (typeof COVARIANCES)[number];

/** Every estimator by its name, with the parameters that most people use. */
export function estimateCovariance(name: CovarianceName, returns: ReturnColumns): Matrix {
  switch (name) {
    case 'sample':
      return sampleCovariance(returns);
    case 'exponential':
      return exponentialCovariance(returns, 60);
    case 'semi':
      return semiCovariance(returns, 0);
    case 'ledoit-wolf':
      return ledoitWolf(returns).covariance;
    case 'ledoit-wolf-single-factor':
      return ledoitWolfSingleFactor(returns).covariance;
    case 'ledoit-wolf-constant-correlation':
      return ledoitWolfConstantCorrelation(returns).covariance;
    case 'oas':
      return oracleApproximating(returns).covariance;
    case 'denoised':
      return denoised(sampleCovariance(returns), returns[0].length);
    case 'detoned':
      return detoned(sampleCovariance(returns));
    case 'gerber':
      return gerber(returns);
  }
}

/** Sample covariance with n - `freedom` in the denominator. */
export function sampleCovariance(returns: ReturnColumns, freedom = 1): Float64Array[] {
  const rows = returns[0].length;
  return scaled(gram(centred(returns)), 1 / (rows - freedom));
}

/** Exponentially weighted products of deviations from the plain mean, weights 1 - 2 / (span + 1) a bar (pandas' `ewm`). */
export function exponentialCovariance(returns: ReturnColumns, span: number): Float64Array[] {
  const keep = 1 - 2 / (span + 1);
  const rows = returns[0].length;
  let total = 0;
  const roots = new Float64Array(rows);
  for (let t = rows - 1, weight = 1; t >= 0; t--, weight *= keep) {
    roots[t] = Math.sqrt(weight);
    total += weight;
  }
  const weighted = centred(returns).map((column) => column.map((value, t) => value * roots[t]));
  return scaled(gram(weighted), 1 / total);
}

/** Mean product of the parts of the returns below `benchmark` (a bar). */
export function semiCovariance(returns: ReturnColumns, benchmark: number): Float64Array[] {
  const drops = returns.map((column) => column.map((value) => Math.min(value - benchmark, 0)));
  return scaled(gram(drops), 1 / returns[0].length);
}

/** Towards a multiple of the identity; Ledoit and Wolf 2004, A well-conditioned estimator for large-dimensional covariance matrices. */
export function ledoitWolf(returns: ReturnColumns): Shrunk {
  const n = returns.length;
  const rows = returns[0].length;
  const columns = centred(returns);
  const sample = scaled(gram(columns), 1 / rows);
  const squares = columns.map((column) => column.map((value) => value * value));
  const mean = trace(sample) / n;
  let [distance, noise] = [0, 0];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const target = i === j ? mean : 0;
      distance += (sample[i][j] - target) ** 2;
      noise += (dot(squares[i], squares[j]) / rows - sample[i][j] ** 2) / rows;
    }
  const shrinkage = distance === 0 ? 0 : Math.min(noise, distance) / distance;
  return { covariance: towards(sample, shrinkage, (i, j) => (i === j ? mean : 0)), shrinkage };
}

/** Towards a multiple of the identity, for Gaussian returns; Chen, Wiesel, Eldar and Hero 2010 (as scikit-learn has it). */
export function oracleApproximating(returns: ReturnColumns): Shrunk {
  const n = returns.length;
  const rows = returns[0].length;
  const sample = sampleCovariance(returns, 0);
  const mean = trace(sample) / n;
  let squares = 0;
  for (const row of sample) for (const value of row) squares += value * value;
  const average = squares / (n * n);
  const above = average + mean * mean;
  const below = (rows + 1) * (average - (mean * mean) / n);
  const shrinkage = below === 0 ? 1 : Math.min(above / below, 1);
  return { covariance: towards(sample, shrinkage, (i, j) => (i === j ? mean : 0)), shrinkage };
}

/** Towards what one market factor, the mean return, explains; Ledoit and Wolf 2003, Improved estimation of the covariance matrix. */
export function ledoitWolfSingleFactor(returns: ReturnColumns): Shrunk {
  const n = returns.length;
  const rows = returns[0].length;
  const columns = centred(returns);
  const market = new Float64Array(rows);
  for (const column of columns) for (let t = 0; t < rows; t++) market[t] += column[t] / n;
  const sample = scaled(gram(columns), 1 / rows);
  const beta = Float64Array.from(columns, (column) => dot(column, market) / rows);
  const variance = dot(market, market) / rows;
  const target = (i: number, j: number): number => (i === j ? sample[i][i] : (beta[i] * beta[j]) / variance);
  const squares = columns.map((column) => column.map((value) => value * value));
  const withMarket = columns.map((column) => column.map((value, t) => value * market[t]));
  let [distance, noise, alike] = [0, 0, 0];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const variability = dot(squares[i], squares[j]) / rows - sample[i][j] ** 2;
      distance += (sample[i][j] - target(i, j)) ** 2;
      noise += variability;
      if (i === j) {
        alike += variability;
        continue;
      }
      const first = dot(squares[i], withMarket[j]) / rows - beta[i] * sample[i][j];
      const third = dot(withMarket[i], withMarket[j]) / rows - variance * sample[i][j];
      alike += (2 * first * beta[j]) / variance - (third * beta[i] * beta[j]) / (variance * variance);
    }
  const shrinkage = clamp((noise - alike) / distance / rows);
  return { covariance: towards(sample, shrinkage, target), shrinkage };
}

/**
 * Towards one correlation for all; Ledoit and Wolf 2004, Honey, I shrunk the sample covariance matrix. Sample moments with
 * n - 1, as PyPortfolioOpt has them.
 */
export function ledoitWolfConstantCorrelation(returns: ReturnColumns): Shrunk {
  const n = returns.length;
  const rows = returns[0].length;
  const columns = centred(returns);
  const sample = sampleCovariance(returns);
  const deviation = sample.map((row, i) => Math.sqrt(row[i]));
  let sum = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) sum += sample[i][j] / (deviation[i] * deviation[j]);
  const average = n === 1 ? 0 : (sum - n) / (n * (n - 1));
  const target = (i: number, j: number): number =>
    i === j ? sample[i][i] : average * deviation[i] * deviation[j];
  const squares = columns.map((column) => column.map((value) => value * value));
  const cubes = columns.map((column, i) => column.map((value, t) => value * squares[i][t]));
  let [distance, noise, alike] = [0, 0, 0];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const product = dot(columns[i], columns[j]) / rows;
      const variability = dot(squares[i], squares[j]) / rows - 2 * product * sample[i][j] + sample[i][j] ** 2;
      distance += (sample[i][j] - target(i, j)) ** 2;
      noise += variability;
      if (i === j) {
        alike += variability;
        continue;
      }
      const own = dot(columns[i], columns[i]) / rows;
      const theta =
        dot(cubes[i], columns[j]) / rows -
        own * sample[i][j] -
        product * sample[i][i] +
        sample[i][i] * sample[i][j];
      alike += (average * deviation[j] * theta) / deviation[i];
    }
  const shrinkage = clamp((noise - alike) / distance / rows);
  return { covariance: towards(sample, shrinkage, target), shrinkage };
}

/**
 * Noise eigenvalues of the correlation, those below the Marchenko-Pastur edge, replaced by their mean (Lopez de Prado 2020,
 * Machine Learning for Asset Managers, 2.5). The variance of the noise is the one whose density lies nearest to a kernel
 * estimate (bandwidth .01) of the eigenvalues'. `rows`: observations behind the covariance.
 */
export function denoised(covariance: Matrix, rows: number): Float64Array[] {
  const n = covariance.length;
  const { values, vectors } = eigenSymmetric(correlationOf(covariance));
  const ratio = rows / n;
  const edge = noiseVariance(values, ratio) * (1 + Math.sqrt(1 / ratio)) ** 2;
  const noisy = values.filter((value) => value <= edge).length;
  const cleaned = Float64Array.from(values);
  if (noisy > 0) {
    let sum = 0;
    for (let k = 0; k < noisy; k++) sum += values[k];
    cleaned.fill(sum / noisy, 0, noisy);
  }
  return withDeviations(correlationOf(compose(cleaned, vectors)), covariance);
}

/** Without the first `markets` principal components: what assets share beyond the market. Singular by construction. */
export function detoned(covariance: Matrix, markets = 1): Float64Array[] {
  const { values, vectors } = eigenSymmetric(correlationOf(covariance));
  const rest = values.map((value, k) => (k < values.length - markets ? value : 0));
  return withDeviations(correlationOf(compose(rest, vectors)), covariance);
}

/**
 * Gerber statistic: co-movements beyond `threshold` deviations that agree less those that do not, over the bars on which at
 * least one of the two moved that far (Gerber, Markowitz, Ernst, Miao, Javid and Sargen 2022).
 */
export function gerber(returns: ReturnColumns, threshold = 0.5): Float64Array[] {
  const rows = returns[0].length;
  const deviation = sampleCovariance(returns, 0).map((row, i) => Math.sqrt(row[i]));
  const signs = returns.map((column, i) =>
    column.map((value) => {
      const edge = threshold * deviation[i];
      return value >= edge ? 1 : value <= -edge ? -1 : 0;
    }),
  );
  const agreement = gram(signs);
  const quiet = signs.map((column) => column.map((sign) => (sign === 0 ? 1 : 0)));
  const both = gram(quiet);
  return agreement.map((row, i) =>
    row.map((value, j) => {
      const moved = rows - both[i][j];
      return moved === 0 ? 0 : (value / moved) * deviation[i] * deviation[j];
    }),
  );
}

export function correlationOf(covariance: Matrix): Float64Array[] {
  const deviation = covariance.map((row, i) => Math.sqrt(row[i]));
  return covariance.map((row, i) =>
    row.map((value, j) => (i === j ? 1 : value / (deviation[i] * deviation[j]))),
  );
}

/**
 * Lower-tail dependence: of the bars on which either of two assets is among its worst `share`, how often both are:
 * 1 when they crash together, about `share` when independent.
 */
export function tailDependence(returns: ReturnColumns, share = 0.1): Float64Array[] {
  const rows = returns[0].length;
  const count = Math.max(1, Math.round(share * rows));
  const crashes = returns.map((column) => {
    const worst = Array.from(column, (_, t) => t)
      .sort((a, b) => column[a] - column[b] || a - b)
      .slice(0, count);
    const marks = new Float64Array(rows);
    for (const t of worst) marks[t] = 1;
    return marks;
  });
  return scaled(gram(crashes), 1 / count);
}

const NOISE_POINTS = 1000;

/** Golden section over (0, 1): the distance has one minimum there in practice, and no derivative is needed. */
function noiseVariance(values: Float64Array, ratio: number): number {
  const distance = (variance: number): number => marchenkoDistance(values, ratio, variance);
  // A coarse grid first, since the kernel's bumps make shallow local minima.
  let best = 0.5;
  let least = Infinity;
  for (let k = 1; k < 100; k++) {
    const found = distance(k / 100);
    if (found < least) [best, least] = [k / 100, found];
  }
  let [low, high] = [Math.max(1e-5, best - 0.01), Math.min(1 - 1e-5, best + 0.01)];
  const section = (Math.sqrt(5) - 1) / 2;
  for (let k = 0; k < 30; k++) {
    const [left, right] = [high - section * (high - low), low + section * (high - low)];
    if (distance(left) < distance(right)) high = right;
    else low = left;
  }
  return (low + high) / 2;
}

function marchenkoDistance(values: Float64Array, ratio: number, variance: number): number {
  const [low, high] = [
    variance * (1 - Math.sqrt(1 / ratio)) ** 2,
    variance * (1 + Math.sqrt(1 / ratio)) ** 2,
  ];
  const width = 0.01;
  let sum = 0;
  for (let k = 0; k < NOISE_POINTS; k++) {
    const x = low + ((high - low) * k) / (NOISE_POINTS - 1);
    const expected = (ratio / (2 * Math.PI * variance * x)) * Math.sqrt(Math.max(0, (high - x) * (x - low)));
    let seen = 0;
    for (const value of values) seen += Math.exp(-0.5 * ((x - value) / width) ** 2);
    seen /= values.length * width * Math.sqrt(2 * Math.PI);
    sum += (seen - expected) ** 2;
  }
  return sum;
}

function withDeviations(correlation: Matrix, covariance: Matrix): Float64Array[] {
  const deviation = covariance.map((row, i) => Math.sqrt(row[i]));
  return correlation.map((row, i) => row.map((value, j) => value * deviation[i] * deviation[j]));
}

const centred = (returns: ReturnColumns): Float64Array[] =>
  returns.map((column) => {
    const mean = column.reduce((sum, value) => sum + value, 0) / column.length;
    return column.map((value) => value - mean);
  });

const scaled = (matrix: Float64Array[], factor: number): Float64Array[] =>
  matrix.map((row) => row.map((value) => value * factor));

const towards = (
  sample: Matrix,
  shrinkage: number,
  target: (i: number, j: number) => number,
): Float64Array[] =>
  sample.map((row, i) => row.map((value, j) => shrinkage * target(i, j) + (1 - shrinkage) * value));

const trace = (matrix: Matrix): number => matrix.reduce((sum, row, i) => sum + row[i], 0);
const clamp = (value: number): number => Math.max(0, Math.min(1, value));
