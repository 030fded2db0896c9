import { forwardReturns } from '../../core/dataset/labels.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { lowerBound } from '../../core/market/candles.ts';
import { type ForecastRecord, shrunkForecast } from '../../core/portfolio/expected-returns.ts';
import type { Store } from '../../data/store/store.ts';
import type { Registry } from '../../learning/models/registry.ts';
import { forecastAll, loadTrained, loadTrainedPanel } from '../../learning/training/checkpoints.ts';
import type { PortfolioMarket } from './portfolio.ts';

/** What one model of one run says of an asset now, and what its record leaves of that. */
export interface AssetForecast {
  readonly symbol: string;
  readonly runId: string;
  readonly model: string;
  readonly horizonBars: number;
  readonly record: ForecastRecord;
}

/**
 * Forecasts of the newest bar by trained runs, one for each horizon that is wanted, such as 1, 7 and 30 days, with what
 * their models said on bars that training never saw and what came of it. Throws `UserError` for a run of another market.
 */
export async function forecastsOfRuns(
  source: PortfolioMarket,
  runs: readonly string[],
  {
    store,
    checkpointDir,
    registry,
  }: { readonly store: Store; readonly checkpointDir: string; readonly registry: Registry },
): Promise<readonly AssetForecast[]> {
  const { market, timeframe, exchange } = source;
  const newest = market.time[market.time.length - 1];
  const found: AssetForecast[] = [];
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
        const last = candles.time.length - 1;
        if (
          expectedReturn === undefined ||
          candles.time[last] !== newest ||
          Number.isNaN(expectedReturn[last])
        )
          continue;
        const realised = forwardReturns(candles, timeframe, horizonBars);
        const rows: number[] = [];
        for (let row = lowerBound(candles.time, trained.validateUntilMs); row < last; row++)
          if (Number.isFinite(expectedReturn[row]) && Number.isFinite(realised[row])) rows.push(row);
        const record = {
          horizonBars,
          forecast: Float64Array.from(rows, (row) => expectedReturn[row]),
          realised: Float64Array.from(rows, (row) => realised[row]),
          latest: expectedReturn[last],
        };
        found.push({ symbol, runId, model: id, horizonBars, record });
      }
  }
  return found;
}

/**
 * Expected returns a bar: `prior` moved by every forecast of an asset as far as its record deserves, the moves of several forecasts
 * averaged. Assets without a forecast keep their prior.
 */
export const withForecasts = (
  prior: Float64Array,
  symbols: readonly string[],
  forecasts: readonly AssetForecast[],
): Float64Array =>
  prior.map((base, i) => {
    const own = forecasts.filter(({ symbol }) => symbol === symbols[i]);
    const moves = own.map(({ record }) => shrunkForecast(record, base) - base);
    return moves.length === 0 ? base : base + moves.reduce((sum, move) => sum + move, 0) / moves.length;
  });
