import { annualGrowth, sharpe, volatility } from './returns.ts';

/** Figures of bar returns beside those of a benchmark over the same bars. */
export interface RelativeMetrics {
  readonly informationRatio: number | undefined;
  readonly trackingErrorPct: number | undefined;
  readonly upCapturePct: number | undefined;
  readonly downCapturePct: number | undefined;
}

export const NO_RELATIVE = {
  informationRatio: undefined,
  trackingErrorPct: undefined,
  upCapturePct: undefined,
  downCapturePct: undefined,
};

export function relativeMetrics(
  returns: Float64Array,
  benchmark: Float64Array,
  barsPerYear: number,
): RelativeMetrics {
  const active = returns.map((one, row) => one - benchmark[row]);
  const error = volatility(active, barsPerYear);
  return {
    informationRatio: sharpe(active, barsPerYear),
    trackingErrorPct: error === undefined ? undefined : 100 * error,
    upCapturePct: capture(returns, benchmark, barsPerYear, 1),
    downCapturePct: capture(returns, benchmark, barsPerYear, -1),
  };
}

/** Growth a year over that of the benchmark, on the bars on which the benchmark went to one side, in percent. */
function capture(
  returns: Float64Array,
  benchmark: Float64Array,
  barsPerYear: number,
  side: 1 | -1,
): number | undefined {
  let [own, market, bars] = [1, 1, 0];
  for (let row = 0; row < returns.length; row++) {
    if (!(side * benchmark[row] > 0)) continue;
    own *= 1 + returns[row];
    market *= 1 + benchmark[row];
    bars++;
  }
  const [above, below] = [own, market].map((growth) => annualGrowth(growth, bars, barsPerYear));
  return above === undefined || !below ? undefined : (100 * above) / below;
}
