/** Annualised Sharpe ratio over the last `window` returns, bar by bar; NaN before there are as many, and where they never vary. */
export function rollingSharpe(returns: Float64Array, window: number, barsPerYear: number): Float64Array {
  const ratios = new Float64Array(returns.length).fill(NaN);
  let sum = 0;
  let squares = 0;
  // Sums are made anew now and then, so that rounding does not pile up over a long history.
  for (let row = 0; row < returns.length; row++) {
    if (row % (8 * window) === 0) {
      sum = squares = 0;
      for (let i = Math.max(0, row - window); i < row; i++) {
        sum += returns[i];
        squares += returns[i] ** 2;
      }
    }
    sum += returns[row];
    squares += returns[row] ** 2;
    if (row >= window) {
      sum -= returns[row - window];
      squares -= returns[row - window] ** 2;
    }
    if (row + 1 < window) continue;
    const mean = sum / window;
    const variance = (squares - window * mean * mean) / (window - 1);
    // Below the rounding of the sums there is no variance to speak of.
    if (variance > 1e-12 * (squares / window))
      ratios[row] = (mean / Math.sqrt(variance)) * Math.sqrt(barsPerYear);
  }
  return ratios;
}

/** Mean over the last `window` values, bar by bar; over those there are before there are as many. */
export function rollingMean(values: Float64Array, window: number): Float64Array {
  let sum = 0;
  return values.map((value, row) => {
    sum += value - (row >= window ? values[row - window] : 0);
    return sum / Math.min(row + 1, window);
  });
}
