/** Mean block lengths, in observations, that make the bootstrap's variance of a mean most accurate. */
export interface BlockLengths {
  /** For blocks of geometric length. */
  readonly stationary: number;
  /** For blocks of one length, wrapped around the end. */
  readonly circular: number;
}

/**
 * Automatic block length (Politis & White 2004, with the correction of Patton, Politis & White 2009) from the
 * autocovariances up to twice the last lag that matters. `undefined` for fewer than 8 values or values that never vary.
 */
export function optimalBlockLength(sample: Float64Array): BlockLengths | undefined {
  const n = sample.length;
  if (n < 8) return undefined;
  const centre = sample.reduce((sum, value) => sum + value, 0) / n;
  const eps = sample.map((value) => value - centre);
  const quiet = Math.max(5, Math.floor(Math.log10(n)));
  const lags = Math.min(n - 2, Math.ceil(Math.sqrt(n)) + quiet);
  const critical = 2 * Math.sqrt(Math.log10(n) / n);
  const covariances = new Float64Array(lags + 1);
  const correlations = new Float64Array(lags + 1);
  const squares = eps.reduce((sum, value) => sum + value * value, 0);
  if (!(squares > 0)) return undefined;
  let [late, early] = [squares, squares];
  for (let lag = 0; lag <= lags; lag++) {
    late -= eps[lag] ** 2;
    early -= eps[n - 1 - lag] ** 2;
    let product = 0;
    for (let i = lag; i < n; i++) product += eps[i] * eps[i - lag];
    covariances[lag] = product / n;
    correlations[lag] = Math.abs(product) / Math.sqrt(late * early);
  }
  const m = Math.min(lags, 2 * Math.max(1, lastLag(correlations, quiet, critical) ?? lags));
  let slope = 0;
  let longRun = covariances[0];
  for (let k = 1; k <= m; k++) {
    const weight = k / m <= 0.5 ? 1 : 2 * (1 - k / m);
    slope += 2 * weight * k * covariances[k];
    longRun += 2 * weight * covariances[k];
  }
  const longest = Math.ceil(Math.min(3 * Math.sqrt(n), n / 3));
  const length = (variance: number): number => {
    const best = Math.cbrt(((2 * slope * slope) / variance) * n);
    return Number.isFinite(best) ? Math.min(best, longest) : 1;
  };
  return { stationary: length(2 * longRun ** 2), circular: length((4 / 3) * longRun ** 2) };
}

/** The lag after which `quiet` correlations in a row are insignificant. */
function lastLag(correlations: Float64Array, quiet: number, critical: number): number | undefined {
  for (let lag = quiet; lag < correlations.length; lag++) {
    if (correlations.subarray(lag - quiet, lag).every((value) => value < critical)) return lag - quiet;
  }
  return undefined;
}
