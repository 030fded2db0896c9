import { leastSquares } from '../../../core/foundation/linear-algebra.ts';

/** Variance forecasts for the bar after each row from squared returns up to it: RiskMetrics 1996, decay .94. */
export function ewmaVariance(squares: Float64Array, decay = 0.94): Float64Array {
  let next = squares[0];
  return squares.map((square) => (next = decay * next + (1 - decay) * square));
}

const SPANS = [1, 24, 168] as const;

/**
 * Variance forecasts for the bar after each row by Corsi's (2009) HAR regression on the mean squared returns of the last
 * 1, 24 and 168 bars, fitted on the first `trainRows` rows; `NaN` where the longest span is not full. Least squares can
 * forecast less than nothing: not less than a hundredth of the mean is taken. `undefined` when the rows do not suffice.
 */
export function harVariance(squares: Float64Array, trainRows: number): Float64Array | undefined {
  const means = SPANS.map((span) => trailingMean(squares, span));
  const first = Math.max(...SPANS) - 1;
  const regressors = [
    new Float64Array(Math.max(0, trainRows - 1 - first)).fill(1),
    ...means.map((mean) => mean.subarray(first, trainRows - 1)),
  ];
  const fit = leastSquares(squares.subarray(first + 1, trainRows), regressors);
  if (fit === undefined) return undefined;
  const [constant, ...weights] = fit.coefficients;
  const floor = squares.subarray(0, trainRows).reduce((sum, square) => sum + square, 0) / trainRows / 100;
  return squares.map((_, row) =>
    row < first
      ? NaN
      : Math.max(
          floor,
          weights.reduce((sum, weight, i) => sum + weight * means[i][row], constant),
        ),
  );
}

function trailingMean(values: Float64Array, span: number): Float64Array {
  let sum = 0;
  return values.map((value, row) => {
    sum += value - (row >= span ? values[row - span] : 0);
    return Math.max(0, sum / span);
  });
}

/**
 * Mean of ln h + r^2 / h over rows `from` and later, `variances[row - 1]` being the forecast for `row`: the QLIKE loss,
 * which ranks forecasts rightly although r^2 is a noisy measure of variance (Patton 2011). `undefined` without rows.
 */
export function qlike(squares: Float64Array, variances: Float64Array, from: number): number | undefined {
  let [total, rows] = [0, 0];
  for (let row = Math.max(1, from); row < squares.length; row++) {
    const variance = variances[row - 1];
    if (!(variance > 0)) continue;
    total += Math.log(variance) + squares[row] / variance;
    rows++;
  }
  return rows === 0 ? undefined : total / rows;
}
