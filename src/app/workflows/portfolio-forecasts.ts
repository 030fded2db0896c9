import { forwardReturns } from '../../core/dataset/labels.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { lowerBound } from '../../core/market/candles.ts';
import { type ReturnColumns, sampleCovariance } from '../../core/portfolio/covariance.ts';
import {
  arithmeticMean,
  type ForecastRecord,
  jamesStein,
  shrunkForecast,
} from '../../core/portfolio/expected-returns.ts';
import type { Store } from '../../data/store/store.ts';
import type { Registry } from '../../learning/models/registry.ts';
import { forecastAll, loadTrained, loadTrainedPanel } from '../../learning/training/checkpoints.ts';
import type { PortfolioMarket } from './portfolio.ts';

/** What one model of one run says of one asset, bar by bar, from the first bar that its training did not see. */
export interface ForecastSeries {
  readonly symbol: string;
  readonly runId: string;
  readonly model: string;
  readonly horizonBars: number;
  /** Opens of the bars, epoch ms UTC, ascending. */
  readonly time: Float64Array;
  /** Expected return over the horizon at each bar's close; `NaN`: no opinion. */
  readonly forecast: Float64Array;
  /** What came of it; `NaN`: not known. */
  readonly realised: Float64Array;
  readonly barMs: number;
}

/** What is known of a series at the close of a bar: the forecast made there and its record up to then. */
export interface AssetForecast extends Pick<ForecastSeries, 'symbol' | 'runId' | 'model' | 'horizonBars'> {
  readonly record: ForecastRecord;
}

/**
 * Forecasts by trained runs, one for each horizon that is wanted, such as 1, 7 and 30 days. Throws `UserError` for a run of
 * another market.
 */
export async function forecastsOfRuns(
  source: PortfolioMarket,
  runs: readonly string[],
  {
    store,
    checkpointDir,
    registry,
  }: { readonly store: Store; readonly checkpointDir: string; readonly registry: Registry },
): Promise<readonly ForecastSeries[]> {
  const { market, timeframe, exchange } = source;
  const newest = market.time[market.time.length - 1];
  const found: ForecastSeries[] = [];
  for (const runId of runs) {
    const trained = await loadTrained(checkpointDir, { runId, registry });
    if (trained.timeframe !== timeframe || trained.exchange !== exchange)
      throw new UserError(
        `The run "${runId}" is about ${trained.exchange} ${trained.timeframe} candles, the portfolio about ${exchange} ${timeframe}.`,
        { hint: 'Train a run on these candles, or leave it out of --forecasts.' },
      );
    const panel = await loadTrainedPanel(store, trained, { untilMs: newest + market.barMs });
    const { members } = await forecastAll(trained, panel, { sinceMs: trained.validateUntilMs });
    for (const { id, forecasts } of members)
      for (const [s, { symbol, candles }] of panel.series.entries()) {
        const { expectedReturn, horizonBars } = forecasts[s];
        if (expectedReturn === undefined) continue;
        const first = lowerBound(candles.time, trained.validateUntilMs);
        found.push({
          symbol,
          runId,
          model: id,
          horizonBars,
          time: candles.time.subarray(first),
          forecast: expectedReturn.subarray(first),
          realised: forwardReturns(candles, timeframe, horizonBars).subarray(first),
          barMs: market.barMs,
        });
      }
  }
  return found;
}

/** At the close of the bar that opened at `timeMs`. `undefined`: the series says nothing of that bar. */
export function forecastAt(series: ForecastSeries, timeMs: number): AssetForecast | undefined {
  const { symbol, runId, model, horizonBars, time, forecast, realised, barMs } = series;
  const row = lowerBound(time, timeMs);
  if (row === time.length || time[row] !== timeMs || Number.isNaN(forecast[row])) return undefined;
  const rows: number[] = [];
  // A return ends at the open of the bar after its last one, and that has to be past.
  for (let k = 0; k < row && time[k] + (horizonBars + 1) * barMs <= timeMs; k++)
    if (Number.isFinite(forecast[k]) && Number.isFinite(realised[k])) rows.push(k);
  const record = {
    horizonBars,
    forecast: Float64Array.from(rows, (k) => forecast[k]),
    realised: Float64Array.from(rows, (k) => realised[k]),
    latest: forecast[row],
  };
  return { symbol, runId, model, horizonBars, record };
}

/** At the close of the bar that opened at `timeMs`, of every series that says something of it. */
export const forecastsAt = (series: readonly ForecastSeries[], timeMs: number): readonly AssetForecast[] =>
  series.flatMap((one) => forecastAt(one, timeMs) ?? []);

/**
 * Expected returns a bar from a window of returns, shrunk towards their mean (James and Stein), moved by every forecast of an
 * asset as far as its record deserves, the moves of several forecasts averaged. Assets without a forecast keep their prior.
 */
export function expectedWithForecasts(
  returns: ReturnColumns,
  symbols: readonly string[],
  forecasts: readonly AssetForecast[],
): Float64Array {
  const prior = jamesStein(arithmeticMean(returns), sampleCovariance(returns), returns[0].length);
  return prior.map((base, i) => {
    const own = forecasts.filter(({ symbol }) => symbol === symbols[i]);
    const moves = own.map(({ record }) => shrunkForecast(record, base) - base);
    return moves.length === 0 ? base : base + moves.reduce((sum, move) => sum + move, 0) / moves.length;
  });
}
