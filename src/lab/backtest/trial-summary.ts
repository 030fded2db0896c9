import { effectiveTrials } from '../../core/evaluation/effective-trials.ts';
import { correlation } from './coarse-returns.ts';
import type { Trial } from './trials.ts';

/** What the trials of a market say about luck. */
export interface TrialSummary {
  /** Different decision rules tried. */
  readonly count: number;
  /** Different bets among them, by clustering their returns; a rule without known returns is one of its own. */
  readonly effective: number;
  /** Ratios per bar of those that were measured, as they came out. */
  readonly barSharpes: readonly number[];
}

/** So many are clustered, the newest; the others count one by one. */
const MOST_CLUSTERED = 300;

export function summariseTrials(trials: readonly Trial[]): TrialSummary {
  const returns = trials.flatMap((trial) => trial.returns ?? []).slice(-MOST_CLUSTERED);
  const { clusters } = effectiveTrials(returns.length, (i, j) => correlation(returns[i], returns[j]));
  return {
    count: trials.length,
    effective: clusters + trials.length - returns.length,
    barSharpes: trials.flatMap(({ barSharpe }) => barSharpe ?? []),
  };
}
