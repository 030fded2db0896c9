import { forecastEnsemble } from '../../learning/ensemble/equal-weight.ts';
import type { DecisionTerms } from '../../core/strategy/decide.ts';
import type { Backtest } from './backtest.ts';
import { trade } from './assess.ts';
import { decide } from './decide.ts';
import type { ForecastSource } from './sources.ts';
import { marketOf } from './strategies.ts';

/** What the ensemble would have been without one of its models, traded under the same rules. */
export interface Contribution {
  readonly model: string;
  readonly withoutReturnPct: number;
  readonly withoutSharpe: number | undefined;
  /** Return of the ensemble less that without the model, in percentage points: positive when the model helped. */
  readonly returnPoints: number;
}

/**
 * Every voter left out in turn, costs and all. What models contribute does not add up to the result: two that say the same
 * replace each other. `undefined` where there are fewer than two voters, and where they change from fold to fold.
 */
export function contributions(
  source: ForecastSource,
  { ensemble, benchmark, setting }: Backtest,
  terms: DecisionTerms,
): readonly Contribution[] | undefined {
  const { panel, range, voters } = source;
  if (voters.length < 2 || source.folds !== undefined) return undefined;
  const { targetsOf } = marketOf(panel, range);
  return voters.map((model) => {
    const others = source.members.filter(({ id }) => voters.includes(id) && id !== model);
    const combined = panel.series.map((_, s) =>
      forecastEnsemble(others.map(({ forecasts }) => forecasts[s])),
    );
    const decided = decide(
      { ...source, ensemble: combined, members: [], otherSeeds: [], voters: others.map(({ id }) => id) },
      terms,
    );
    const without = trade(
      { ...ensemble.strategy, targets: targetsOf(decided.source.ensemble) },
      setting,
      benchmark.returns,
    );
    return {
      model,
      withoutReturnPct: without.metrics.totalReturnPct,
      withoutSharpe: without.metrics.sharpe,
      returnPoints: ensemble.metrics.totalReturnPct - without.metrics.totalReturnPct,
    };
  });
}
