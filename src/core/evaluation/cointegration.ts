import { cholesky, dot, gram, leastSquares } from '../foundation/linear-algebra.ts';
import { mackinnonP, type Trend } from './mackinnon.ts';

export interface DickeyFuller {
  /** t-ratio of the lagged level; very negative when the series returns to its mean. */
  readonly statistic: number;
  readonly lags: number;
  readonly observations: number;
}

/**
 * Augmented Dickey-Fuller regression: the difference on the lagged level, `lags` lagged differences and the
 * terms of `trend`. With `chooseLags` the number of lags, up to `lags`, is the one with the lowest AIC over a
 * common sample (as statsmodels' `adfuller(autolag='AIC')`). `undefined` when the series does not vary enough.
 * Said and Dickey 1984.
 */
export function dickeyFuller(
  series: Float64Array,
  { trend, lags, chooseLags = false }: { trend: Trend; lags: number; chooseLags?: boolean },
): DickeyFuller | undefined {
  const used = chooseLags ? bestLags(series, trend, lags) : lags;
  if (used === undefined) return undefined;
  const { response, columns } = design(series, trend, used);
  const fit = leastSquares(response, columns);
  if (fit === undefined || !(fit.standardErrors[0] > 0)) return undefined;
  return {
    statistic: fit.coefficients[0] / fit.standardErrors[0],
    lags: used,
    observations: response.length,
  };
}

export interface Cointegration {
  /** Regression of the first on the second series. */
  readonly hedgeRatio: number;
  readonly intercept: number;
  readonly test: DickeyFuller;
  readonly pValue: number;
  readonly residuals: Float64Array;
}

/**
 * Engle and Granger's (1987) test of `y` on `x`: least squares with the terms of `trend`, then Dickey-Fuller on
 * the residual without constant; p-value of MacKinnon for two series. The answer depends on the order of the
 * two. `undefined` when either series does not vary.
 */
export function engleGranger(
  y: Float64Array,
  x: Float64Array,
  options: { trend: Exclude<Trend, 'n'>; lags: number; chooseLags?: boolean },
): Cointegration | undefined {
  const fit = leastSquares(y, [x, ...trendTerms(options.trend, y.length)]);
  if (fit === undefined) return undefined;
  const { residuals } = fit;
  const [hedgeRatio, intercept] = fit.coefficients;
  const test = dickeyFuller(residuals, { ...options, trend: 'n' });
  if (test === undefined) return undefined;
  return { hedgeRatio, intercept, test, pValue: mackinnonP(test.statistic, options.trend, 2), residuals };
}

/**
 * Bars in which a deviation halves, -ln 2 / ln(1 + rho), rho the slope of the difference on the lagged level;
 * `undefined` when the series does not return to its mean.
 */
export function halfLife(series: Float64Array): number | undefined {
  const { response, columns } = design(series, 'c', 0);
  const rho = leastSquares(response, columns)?.coefficients[0];
  return rho !== undefined && rho < 0 && rho > -1 ? -Math.LN2 / Math.log1p(rho) : undefined;
}

/** p-values corrected for having tested all of them (Holm 1979), in the given order. */
export function holm(pValues: readonly number[]): readonly number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => pValues[a] - pValues[b]);
  const corrected = new Array<number>(pValues.length);
  let least = 0;
  for (const [rank, index] of order.entries()) {
    least = Math.min(1, Math.max(least, (pValues.length - rank) * pValues[index]));
    corrected[index] = least;
  }
  return corrected;
}

/** The difference after `skip` + 1 rows, and its regressors: lagged level, trend terms, lagged differences. */
function design(
  series: Float64Array,
  trend: Trend,
  lags: number,
): { response: Float64Array; columns: Float64Array[] } {
  const differences = series.subarray(1).map((value, i) => value - series[i]);
  const rows = Math.max(0, differences.length - lags);
  const columns = [series.subarray(lags, lags + rows), ...trendTerms(trend, rows)];
  for (let lag = 1; lag <= lags; lag++) columns.push(differences.subarray(lags - lag, lags - lag + rows));
  return { response: differences.subarray(lags), columns };
}

/** Constant, trend and squared trend over [0, 1], as many as `trend` has. */
function trendTerms(trend: Trend, rows: number): Float64Array[] {
  const powers = { n: 0, c: 1, ct: 2, ctt: 3 }[trend];
  return Array.from({ length: powers }, (_, power) =>
    Float64Array.from({ length: rows }, (__, row) => ((row + 1) / rows) ** power),
  );
}

/** One Cholesky factorisation gives the residual sum of every number of lags at once. */
function bestLags(series: Float64Array, trend: Trend, most: number): number | undefined {
  const { response, columns } = design(series, trend, most);
  const rows = response.length;
  if (rows <= columns.length + 1) return undefined;
  const lower = cholesky(gram(columns));
  if (lower === undefined) return undefined;
  const moments = Float64Array.from(columns, (column) => dot(column, response));
  let residual = dot(response, response);
  let best: { lags: number; aic: number } | undefined;
  const base = columns.length - most;
  for (let k = 0; k < columns.length; k++) {
    let part = moments[k];
    for (let j = 0; j < k; j++) part -= lower[k][j] * moments[j];
    moments[k] = part / lower[k][k];
    residual -= moments[k] ** 2;
    const aic = rows * Math.log(residual / rows) + 2 * (k + 1);
    if (k + 1 >= base && (best === undefined || aic < best.aic)) best = { lags: k + 1 - base, aic };
  }
  return best?.lags;
}
