import { normalCdf, studentCdf } from './statistics.ts';

/** A statistic that is standard normal (or Student's) when there is nothing to find, and its two-sided p-value. */
export interface TestResult {
  readonly statistic: number;
  readonly pValue: number;
}

/**
 * Diebold & Mariano 1995, with the small-sample correction of Harvey, Leybourne & Newbold 1997 and Student's
 * distribution: do two forecasts have the same expected loss? Positive: the first loses more. `horizonBars` h: losses
 * overlap, so h - 1 autocovariances count. `undefined` when the losses do not differ, or their variance cannot be told.
 */
export function dieboldMariano(
  first: Float64Array,
  second: Float64Array,
  horizonBars = 1,
): (TestResult & { readonly uncorrected: number }) | undefined {
  const n = first.length;
  const h = horizonBars;
  if (n < h + 2) return undefined;
  const difference = first.map((loss, row) => loss - second[row]);
  const mean = difference.reduce((sum, value) => sum + value, 0) / n;
  let variance = 0;
  for (let lag = 0; lag < h; lag++) {
    let product = 0;
    for (let row = lag; row < n; row++) product += (difference[row] - mean) * (difference[row - lag] - mean);
    variance += (lag === 0 ? 1 : 2) * (product / n);
  }
  if (!(variance > 0)) return undefined;
  const uncorrected = mean / Math.sqrt(variance / n);
  const statistic = uncorrected * Math.sqrt((n + 1 - 2 * h + (h * (h - 1)) / n) / n);
  return { statistic, uncorrected, pValue: 2 * studentCdf(-Math.abs(statistic), n - 1) };
}

/** Whether the first of two forecasts loses more, beyond what luck explains with the probability `level` (one-sided). */
export const losesMore = (test: TestResult | undefined, level: number): boolean =>
  test !== undefined && test.statistic > 0 && test.pValue / 2 < level;

/**
 * Pesaran & Timmermann 1992: do the signs of forecasts and outcomes go together more than their frequencies explain?
 * Positive: they do; the p-value is one-sided. Rows with an outcome of 0 are left out by the caller. `undefined` when either
 * side always has the same sign.
 */
export function pesaranTimmermann(
  forecastUp: ArrayLike<number>,
  outcomeUp: ArrayLike<number>,
): TestResult | undefined {
  const n = forecastUp.length;
  let [hits, forecasts, outcomes] = [0, 0, 0];
  for (let row = 0; row < n; row++) {
    const [x, y] = [forecastUp[row] > 0 ? 1 : 0, outcomeUp[row] > 0 ? 1 : 0];
    hits += x === y ? 1 : 0;
    forecasts += x;
    outcomes += y;
  }
  const [x, y] = [forecasts / n, outcomes / n];
  const expected = x * y + (1 - x) * (1 - y);
  const variance = (expected * (1 - expected)) / n;
  const ofExpected =
    ((2 * x - 1) ** 2 * y * (1 - y) + (2 * y - 1) ** 2 * x * (1 - x)) / n +
    (4 * x * y * (1 - x) * (1 - y)) / (n * n);
  if (!(variance > ofExpected) || x * (1 - x) * y * (1 - y) === 0) return undefined;
  const statistic = (hits / n - expected) / Math.sqrt(variance - ofExpected);
  return { statistic, pValue: 1 - normalCdf(statistic) };
}

/**
 * Benjamini & Hochberg 1995: adjusted p-values. Rejecting those up to q keeps the expected share of false ones among
 * the rejected below q.
 */
export function benjaminiHochberg(pValues: readonly number[]): readonly number[] {
  const order = pValues.map((_, i) => i).sort((i, j) => pValues[j] - pValues[i]);
  const adjusted = new Array<number>(pValues.length).fill(1);
  let least = 1;
  order.forEach((index, fromTop) => {
    const rank = pValues.length - fromTop;
    least = Math.min(least, (pValues[index] * pValues.length) / rank);
    adjusted[index] = least;
  });
  return adjusted;
}
