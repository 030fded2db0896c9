import { dot, invert, type Matrix } from '../foundation/linear-algebra.ts';
import type { ReturnColumns } from './covariance.ts';
import { eigenSymmetric } from './symmetric.ts';

/** All of them are simple returns a bar unless said otherwise. */
export const arithmeticMean = (returns: ReturnColumns): Float64Array =>
  Float64Array.from(returns, (column) => column.reduce((sum, value) => sum + value, 0) / column.length);

/** Constant growth a bar that ends where the returns ended. */
export const geometricMean = (returns: ReturnColumns): Float64Array =>
  Float64Array.from(returns, (column) =>
    Math.expm1(column.reduce((sum, value) => sum + Math.log1p(value), 0) / column.length),
  );

/** Weights shrink by 1 - 2 / (span + 1) a bar, normalised to 1 (pandas' `ewm`). */
export function exponentialMean(returns: ReturnColumns, span: number): Float64Array {
  const keep = 1 - 2 / (span + 1);
  return Float64Array.from(returns, (column) => {
    let [sum, total] = [0, 0];
    for (let t = column.length - 1, weight = 1; t >= 0; t--, weight *= keep) {
      sum += weight * column[t];
      total += weight;
    }
    return sum / total;
  });
}

/**
 * Shrunk towards the mean over all assets by James and Stein's rule, with the covariance's eigenvalues for its dimension
 * (Jorion 1986; skfolio's `ShrunkMu`). The intensity is kept within [0, 1] only when `clamped`.
 */
export function jamesStein(
  means: Float64Array,
  covariance: Matrix,
  rows: number,
  { clamped = true }: { readonly clamped?: boolean } = {},
): Float64Array {
  const target = means.reduce((sum, value) => sum + value, 0) / means.length;
  const { values } = eigenSymmetric(covariance);
  const spread = means.reduce((sum, value) => sum + (value - target) ** 2, 0);
  if (spread === 0) return Float64Array.from(means);
  const raw = (values.reduce((sum, value) => sum + value, 0) - 2 * values[values.length - 1]) / spread / rows;
  const shrinkage = clamped ? Math.max(0, Math.min(1, raw)) : raw;
  return means.map((value) => (1 - shrinkage) * value + shrinkage * target);
}

/** What the holders of `weights` must expect: risk aversion times covariance times weights (Black and Litterman 1992). */
export const equilibrium = (covariance: Matrix, weights: Float64Array, riskAversion: number): Float64Array =>
  Float64Array.from(covariance, (row) => riskAversion * dot(row, weights));

/** Forecasts of one asset over some horizon and what came of them, all known at the time of the decision. */
export interface ForecastRecord {
  /** Simple returns over the horizon, in bars. */
  readonly horizonBars: number;
  readonly forecast: Float64Array;
  readonly realised: Float64Array;
  /** The forecast made now. */
  readonly latest: number;
}

/**
 * A forecast as far as its record out of sample deserves it: `prior` plus slope times (latest - prior), with the slope of realised on
 * forecast deviations from the prior, shrunk by its own standard error (a positive-part James-Stein factor 1 - 1 / t^2, with t
 * counted over independent, that is not overlapping, windows) and kept within [0, 1]. A record that shows no skill moves nothing.
 * `prior` and the answer are returns a bar.
 */
export function shrunkForecast(record: ForecastRecord, prior: number): number {
  const { horizonBars, forecast, realised, latest } = record;
  const base = prior * horizonBars;
  let [squares, products] = [0, 0];
  for (let k = 0; k < forecast.length; k++) {
    squares += (forecast[k] - base) ** 2;
    products += (forecast[k] - base) * (realised[k] - base);
  }
  if (!(squares > 0) || forecast.length < 3) return prior;
  const slope = products / squares;
  let residual = 0;
  for (let k = 0; k < forecast.length; k++)
    residual += (realised[k] - base - slope * (forecast[k] - base)) ** 2;
  const independent = Math.max(2, forecast.length / horizonBars);
  const error = Math.sqrt(residual / forecast.length / ((squares / forecast.length) * (independent - 1)));
  const t = error > 0 ? slope / error : Infinity;
  const skill = t > 1 ? Math.min(1, slope) * (1 - 1 / (t * t)) : 0;
  return prior + (skill * (latest - base)) / horizonBars;
}

export interface Views {
  /** One row a view: what is held in it, such as [1, -1, 0]: the first beats the second. */
  readonly picks: readonly Float64Array[];
  /** The return that each of them expects. */
  readonly returns: Float64Array;
  /** Variance of each view's error; without it that of He and Litterman (1999): tau times its portfolio's variance. */
  readonly errors?: Float64Array | undefined;
}

/** Variances of views held with these confidences in (0, 1] (Idzorek 2005, in the closed form of Walters 2014). */
export const idzorekErrors = (
  covariance: Matrix,
  picks: readonly Float64Array[],
  confidences: Float64Array,
  tau: number,
): Float64Array =>
  Float64Array.from(picks, (pick, v) =>
    confidences[v] > 0
      ? ((tau * (1 - confidences[v])) / confidences[v]) * quadraticForm(covariance, pick)
      : 1e6,
  );

/** Posterior expected returns and covariance of returns given `prior` and views (Black and Litterman 1992; He and Litterman 1999). */
export function blackLitterman(
  prior: Float64Array,
  covariance: Matrix,
  views: Views,
  tau: number,
): { readonly returns: Float64Array; readonly covariance: Float64Array[] } {
  const { picks } = views;
  const errors = views.errors ?? Float64Array.from(picks, (pick) => tau * quadraticForm(covariance, pick));
  // tau S P', one row a view.
  const loadings = picks.map((pick) => Float64Array.from(covariance, (row) => tau * dot(row, pick)));
  const middle = picks.map((pick, v) =>
    Float64Array.from(loadings, (loading, u) => dot(pick, loading) + (u === v ? errors[v] : 0)),
  );
  const inverse = invert(middle);
  // Two views that say the same with certainty.
  if (inverse === undefined)
    return { returns: Float64Array.from(prior), covariance: covariance.map((row) => Float64Array.from(row)) };
  const surprise = Float64Array.from(picks, (pick, v) => views.returns[v] - dot(pick, prior));
  const pull = Float64Array.from(inverse, (row) => dot(row, surprise));
  const returns = prior.map(
    (value, i) => value + loadings.reduce((sum, loading, v) => sum + loading[i] * pull[v], 0),
  );
  const posterior = covariance.map((row, i) =>
    row.map((value, j) => {
      let explained = 0;
      for (let u = 0; u < picks.length; u++)
        for (let v = 0; v < picks.length; v++) explained += loadings[u][i] * inverse[u][v] * loadings[v][j];
      return (1 + tau) * value - explained;
    }),
  );
  return { returns, covariance: posterior };
}

export function quadraticForm(matrix: Matrix, vector: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) if (vector[i] !== 0) sum += vector[i] * dot(matrix[i], vector);
  return sum;
}
