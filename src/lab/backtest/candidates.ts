import { backtestOverfitting, type Overfitting } from '../../core/evaluation/overfitting.ts';
import type { Traded } from './assess.ts';

/** How often picking the best of these strategies by one half of the bars would have misled on the other half. */
export interface Selection extends Overfitting {
  /** Left out: it never traded, and doing nothing beats every loser. */
  readonly neverTraded: number;
  /** Left out: bar by bar the same as another one, such as an ensemble of one model. */
  readonly identical: number;
  /** None ended above its start: there is no best one worth picking, whatever the probability says. */
  readonly everyCandidateLost: boolean;
}

/** `undefined` where fewer than two different strategies traded, or the bars are too few or say nothing. */
export function selectionTest(candidates: readonly Traded[]): Selection | undefined {
  if (candidates.some(({ outcome }) => outcome.kind === 'no-evidence')) return undefined;
  const traded = candidates.filter(({ outcome }) => outcome.kind !== 'never-traded');
  const distinct = different(traded);
  const overfitting = backtestOverfitting(distinct.map(({ returns }) => returns));
  if (overfitting === undefined) return undefined;
  return {
    ...overfitting,
    neverTraded: candidates.length - traded.length,
    identical: traded.length - distinct.length,
    everyCandidateLost: distinct.every(({ metrics }) => metrics.totalReturnPct <= 0),
  };
}

/** Without those that are bar by bar the same as one before them. */
export const different = (all: readonly Traded[]): readonly Traded[] =>
  all.filter(({ returns }, i) => !all.slice(0, i).some((other) => areEqual(other.returns, returns)));

const areEqual = (a: Float64Array, b: Float64Array): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);
