import { UserError } from '../../../core/foundation/errors.ts';
import type { ReturnColumns } from '../../../core/portfolio/covariance.ts';
import { openStore } from '../../../data/store/store.ts';
import type { AssetForecast } from '../../workflows/portfolio-forecasts.ts';
import type { PortfolioMarket } from '../../workflows/portfolio.ts';
import type { CommandContext } from '../command.ts';
import { projectRegistry } from '../project-plugins.ts';

/** What `--forecasts` named, as of any bar. */
export interface NamedForecasts {
  at(timeMs: number): readonly AssetForecast[];
  /** Expected returns a bar at the close of the bar that opened at `timeMs`. */
  readonly expectedAt: (timeMs: number, returns: ReturnColumns, symbols: readonly string[]) => Float64Array;
  /** Open of the first bar of which they say something. */
  readonly fromMs: number;
}

/** Throws `UserError` when no model of these runs states an expected return. */
export async function forecastsNamed(
  context: CommandContext,
  source: PortfolioMarket,
  runs: readonly string[],
): Promise<NamedForecasts> {
  const { config } = context;
  // Models bring the engine, which takes half a second to load.
  const { expectedWithForecasts, forecastsAt, forecastsOfRuns } =
    await import('../../workflows/portfolio-forecasts.ts');
  const found = await forecastsOfRuns(source, runs, {
    store: openStore(config.dataDir),
    checkpointDir: config.checkpointDir,
    registry: await projectRegistry(context),
  });
  const firsts = found.flatMap(({ time, forecast }) => {
    const row = forecast.findIndex((value) => !Number.isNaN(value));
    return row < 0 ? [] : [time[row]];
  });
  if (firsts.length === 0)
    throw new UserError(`No model of ${runs.join(', ')} states an expected return of these symbols.`, {
      hint: 'Train one that does, such as ridge or boosted-trees, on these symbols.',
    });
  const at = (timeMs: number): readonly AssetForecast[] => forecastsAt(found, timeMs);
  return {
    at,
    expectedAt: (timeMs, returns, symbols) => expectedWithForecasts(returns, symbols, at(timeMs)),
    fromMs: Math.min(...firsts),
  };
}
