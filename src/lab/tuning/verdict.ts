import { effectiveTrials } from '../../core/evaluation/effective-trials.ts';
import { backtestOverfitting } from '../../core/evaluation/overfitting.ts';
import {
  deflatedSharpe,
  expectedBestSharpe,
  noSkillVariance,
  sharpeSample,
} from '../../core/evaluation/sharpe-test.ts';
import { superiorPredictiveAbility } from '../../core/evaluation/superiority.ts';
import { createRandom, deriveSeed } from '../../core/foundation/random.ts';
import { type CoarseReturns, correlation } from '../backtest/coarse-returns.ts';
import { TrialDetails } from './search.ts';
import type { KeptTrial } from './study-journal.ts';

/** What a whole search is worth: how much of its best result luck alone would have shown. */
export interface StudyVerdict {
  /** Trials that were measured in all folds. */
  readonly trials: number;
  /** Of them, those that are different bets. */
  readonly effectiveTrials: number;
  /** Probability that the best one's Sharpe ratio exceeds what luck shows after so many trials; `undefined` when it never traded. */
  readonly deflatedSharpe: number | undefined;
  /** Annualised Sharpe ratio that the best of so many trials without skill shows on average: the selection's bias. */
  readonly luckySharpe: number | undefined;
  /** Probability that the best on one half of the bars is below average on the other (PBO); `undefined` with fewer than two that traded. */
  readonly overfitting: number | undefined;
  /** Hansen's test: how often luck alone gives a best one that far above holding cash and the untuned parameters. */
  readonly spaPValue: number | undefined;
}

/** Trial 0 is the untuned one. `barsPerYear` annualises; the bars are those of the search, never the test's. */
export function judgeStudy(
  trials: readonly KeptTrial[],
  best: KeptTrial,
  { barsPerYear, seed }: { readonly barsPerYear: number; readonly seed: number },
): StudyVerdict {
  const complete = trials.flatMap((trial) => {
    const details = trial.state === 'complete' ? TrialDetails.safeParse(trial.details) : undefined;
    return details?.success ? [{ number: trial.number, ...details.data }] : [];
  });
  const columns = complete.map(({ returns }) => Float64Array.from(returns.sums));
  const at = complete.findIndex(({ number }) => number === best.number);
  const traded = columns.filter((column) => column.some((value) => value !== 0));
  const clusters = effectiveTrials(traded.length, (i, j) =>
    correlation(asCoarse(traded[i]), asCoarse(traded[j])),
  ).clusters;
  const sample = at < 0 ? undefined : sharpeSample(columns[at]);
  const count = Math.max(clusters, 1);
  const perYear = Math.sqrt(barsPerYear / (complete[0]?.returns.width ?? 1));
  const untuned = columns[complete.findIndex(({ number }) => number === 0)];
  return {
    trials: complete.length,
    effectiveTrials: clusters,
    deflatedSharpe:
      sample && deflatedSharpe(sample, { count: traded.length, variance: noSkillVariance(sample.bars) }),
    luckySharpe: sample && perYear * expectedBestSharpe(count, noSkillVariance(sample.bars)),
    overfitting: traded.length < 2 ? undefined : backtestOverfitting(traded)?.probability,
    spaPValue: traded.length === 0 ? undefined : superiorTo(untuned, traded, seed),
  };
}

/** The larger p-value of the two benchmarks: cash, and the untuned parameters where they traded. */
function superiorTo(
  untuned: Float64Array | undefined,
  columns: readonly Float64Array[],
  seed: number,
): number {
  const losses = columns.map((column) => column.map((value) => -value));
  const test = (benchmark: Float64Array): number =>
    superiorPredictiveAbility(benchmark, losses, {
      random: createRandom(deriveSeed(seed, 'superiority')),
      resamples: 1000,
    }).pValues.consistent;
  const cash = test(new Float64Array(columns[0].length));
  return untuned?.some((value) => value !== 0) ? Math.max(cash, test(untuned.map((value) => -value))) : cash;
}

/** Trials of one study share their bars: any step and start do. */
const asCoarse = (sums: Float64Array): CoarseReturns => ({
  stepMs: 1,
  first: 0,
  logReturns: Array.from(sums),
});
