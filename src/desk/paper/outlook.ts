import { alignColumn, type AlignedMarket, alignMarket } from '../../core/trading/align.ts';
import type { Store } from '../../data/store/store.ts';
import type { Forecast } from '../../core/forecast/model.ts';
import { forecastAll, loadTrainedPanel, type TrainedSet } from '../../learning/training/checkpoints.ts';
import type { Decision } from './step.ts';

/** The stored bars of all symbols on one clock, and what the models say at the close of each. */
export interface Outlook {
  readonly market: AlignedMarket;
  decide(row: number, decision: Decision['decision']): Decision;
}

/**
 * Forecasts for the bars from `sinceMs` on that open before `untilMs`, from the same start and through the same functions as a
 * backtest, so that a bar that just closed gets the numbers a later backtest gives it.
 */
export async function loadOutlook(
  store: Store,
  trained: TrainedSet,
  { untilMs, ...wanted }: { readonly untilMs: number; readonly sinceMs?: number },
): Promise<Outlook> {
  const panel = await loadTrainedPanel(store, trained, { untilMs });
  const market = alignMarket(
    panel.series.map(({ candles }) => candles),
    trained.timeframe,
  );
  const { members, ensemble } = await forecastAll(trained, panel, wanted);
  const align = (forecasts: readonly Forecast[], column: 'position' | 'confidence') =>
    forecasts.map((forecast, s) => alignColumn(market, s, forecast[column]));
  const targets = align(ensemble, 'position');
  const models = members.map(({ id, forecasts }) => ({
    id,
    positions: align(forecasts, 'position'),
    confidences: align(forecasts, 'confidence'),
  }));
  const silent = members.filter(({ noSkill }) => noSkill !== undefined).map(({ id }) => id);
  return {
    market,
    decide: (row, decision) => ({
      runId: trained.runId,
      decision,
      ...(silent.length > 0 && { noSkill: silent }),
      targets: targets.map((column) => known(column[row])),
      models: Object.fromEntries(
        models.map(({ id, positions, confidences }) => [
          id,
          positions.map((column, s): [number, number] | null =>
            Number.isNaN(column[row]) ? null : [column[row], confidences[s][row]],
          ),
        ]),
      ),
    }),
  };
}

const known = (value: number): number | null => (Number.isNaN(value) ? null : value);
