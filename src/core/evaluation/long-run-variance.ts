/**
 * Long-run variance of a series: n times the variance of its mean. Parzen's kernel on residuals of a first-order
 * autoregression (Andrews & Monahan 1992), bandwidth by Andrews 1991: little bias under autocorrelation, which is what
 * a studentised bootstrap needs. `values` have mean zero.
 */
export function longRunVariance(values: Float64Array): number {
  const n = values.length;
  const rho = Math.max(-0.97, Math.min(0.97, autoregression(values)));
  const residuals = new Float64Array(n - 1);
  for (let i = 1; i < n; i++) residuals[i - 1] = values[i] - rho * values[i - 1];
  const phi = Math.max(-0.97, Math.min(0.97, autoregression(residuals)));
  const alpha = (4 * phi * phi) / (1 - phi) ** 4;
  const bandwidth = Math.min(n / 2, 2.6614 * (alpha * n) ** 0.2);
  let variance = covariance(residuals, 0);
  for (let lag = 1; lag < bandwidth; lag++)
    variance += 2 * parzen(lag / bandwidth) * covariance(residuals, lag);
  return variance / (1 - rho) ** 2;
}

/**
 * The variance that the stationary bootstrap with mean block length `blockBars` gives to the mean of `values`, times
 * their number (Politis & Romano 1994, lemma 1), in one pass: its weights decay geometrically.
 */
export function stationaryVariance(values: Float64Array, blockBars: number): number {
  const n = values.length;
  const centre = values.reduce((sum, value) => sum + value, 0) / n;
  const decay = 1 - 1 / blockBars;
  const full = decay ** n;
  // Sums over the n - 1 values before, around the end: of decay^j d and of j decay^j d.
  let plain = 0;
  let weighted = 0;
  for (const value of values) {
    weighted = decay * (weighted + plain + value - centre);
    plain = decay * (plain + value - centre);
  }
  let square = 0;
  let products = 0;
  for (let i = 0; i < n; i++) {
    const d = values[i] - centre;
    plain -= full * d;
    weighted -= n * full * d;
    square += d * d;
    products += d * (plain - weighted / n);
    weighted = decay * (weighted + plain + d);
    plain = decay * (plain + d);
  }
  return (square + 2 * products) / n;
}

function autoregression(values: Float64Array): number {
  let product = 0;
  let squares = 0;
  for (let i = 1; i < values.length; i++) {
    product += values[i] * values[i - 1];
    squares += values[i - 1] ** 2;
  }
  return squares > 0 ? product / squares : 0;
}

function covariance(values: Float64Array, lag: number): number {
  let product = 0;
  for (let i = lag; i < values.length; i++) product += values[i] * values[i - lag];
  return product / values.length;
}

const parzen = (x: number): number => (x <= 0.5 ? 1 - 6 * x * x * (1 - x) : 2 * (1 - x) ** 3);
