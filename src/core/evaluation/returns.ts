import { deviation, mean } from '../foundation/moments.ts';

/** Simple returns of each bar; the first is measured from `initial`. */
export function barReturns(equity: Float64Array, initial: number): Float64Array {
  const returns = new Float64Array(equity.length);
  let last = initial;
  for (let i = 0; i < equity.length; i++) {
    returns[i] = last > 0 ? equity[i] / last - 1 : 0;
    last = equity[i];
  }
  return returns;
}

/** Compound annual growth as a fraction. `undefined` for no bars or when nothing is left. */
export function annualGrowth(growth: number, bars: number, barsPerYear: number): number | undefined {
  return bars > 0 && growth > 0 ? growth ** (barsPerYear / bars) - 1 : undefined;
}

/** Standard deviation (n - 1) of the returns, annualised by the square root of time. */
export function volatility(returns: Float64Array, barsPerYear: number): number | undefined {
  const spread = deviation(returns);
  return spread === undefined ? undefined : spread * Math.sqrt(barsPerYear);
}

/**
 * Annualised Sharpe ratio, risk-free rate zero, sample deviation (n - 1). `undefined` when returns never vary:
 * zero would read as "no edge".
 */
export function sharpe(returns: Float64Array, barsPerYear: number): number | undefined {
  const perBar = barSharpe(returns);
  return perBar === undefined ? undefined : perBar * Math.sqrt(barsPerYear);
}

/** Sharpe ratio of one bar, not annualised. */
export function barSharpe(returns: Float64Array): number | undefined {
  const centre = mean(returns);
  const spread = deviation(returns);
  return centre === undefined || !spread ? undefined : centre / spread;
}

/** Root mean square of the losses over all bars (target zero), annualised: empyrical's downside risk. */
export function downsideRisk(returns: Float64Array, barsPerYear: number): number | undefined {
  if (returns.length === 0) return undefined;
  let squares = 0;
  for (const value of returns) if (value < 0) squares += value * value;
  return Math.sqrt((squares / returns.length) * barsPerYear);
}

/** Annualised mean over downside risk. `undefined` without a losing bar. */
export function sortino(returns: Float64Array, barsPerYear: number): number | undefined {
  const centre = mean(returns);
  const risk = downsideRisk(returns, barsPerYear);
  return centre === undefined || !risk ? undefined : (centre * barsPerYear) / risk;
}

/** Sum of gains over sum of losses, threshold zero. `undefined` without a losing bar. */
export function omega(returns: Float64Array): number | undefined {
  let gains = 0;
  let losses = 0;
  for (const value of returns) {
    if (value > 0) gains += value;
    else losses -= value;
  }
  return losses > 0 ? gains / losses : undefined;
}

/** Slope and annualised intercept of the returns on those of a benchmark. `undefined` when that never varies. */
export function regressOn(
  benchmark: Float64Array,
  returns: Float64Array,
  barsPerYear: number,
): { readonly beta: number; readonly alpha: number } | undefined {
  const centre = mean(returns);
  const benchmarkCentre = mean(benchmark);
  if (centre === undefined || benchmarkCentre === undefined) return undefined;
  let covariance = 0;
  let variance = 0;
  for (let i = 0; i < returns.length; i++) {
    covariance += (returns[i] - centre) * (benchmark[i] - benchmarkCentre);
    variance += (benchmark[i] - benchmarkCentre) ** 2;
  }
  if (variance === 0) return undefined;
  const beta = covariance / variance;
  return { beta, alpha: (centre - beta * benchmarkCentre) * barsPerYear };
}
