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
import { finish, type Steps } from '../../core/foundation/steps.ts';
import { type CoarseReturns, correlation } from '../backtest/coarse-returns.ts';
import { TrialDetails } from './search.ts';
import type { KeptTrial } from './study-journal.ts';

/** What a whole search is worth: how much of its best result luck alone would have shown. */
export interface StudyVerdict {
  /** Trials that were measured in all folds. */
  readonly trials: number;
  /** Trials that were stopped on the way: they were compared too, and count. */
  readonly pruned: number;
  /** Of all, those that are different bets; nothing is known of pruned ones, so each is one. */
  readonly effectiveTrials: number;
  /** Probability that the best one's Sharpe ratio exceeds what luck shows after so many trials; `undefined` when it never traded. */
  readonly deflatedSharpe: number | undefined;
  /** Annualised Sharpe ratio that the best of so many trials without skill shows on average: the selection's bias. */
  readonly luckySharpe: number | undefined;
  /** Probability that the best on one half of the bars is below average on the other (PBO); `undefined` with fewer than two that traded. */
  readonly overfitting: number | undefined;
  /** Hansen's test: how often luck alone gives a best one that far above the baseline that is hardest to beat, and which that is. */
  readonly spaPValue: number | undefined;
  readonly spaBaseline: string | undefined;
}

/** What a search has to beat on its own bars; cash is always one. */
export interface SearchBaseline {
  readonly name: string;
  /** In the same sums as the trials'. */
  readonly returns: Float64Array;
}

interface JudgeOptions {
  readonly barsPerYear: number;
  readonly seed: number;
  /** Default: trial 0, which is the untuned one. */
  readonly baselines?: readonly SearchBaseline[];
}

/** `barsPerYear` annualises; the bars are those of the search, never the test's. */
export const judgeStudy = (
  trials: readonly KeptTrial[],
  best: KeptTrial,
  options: JudgeOptions,
): StudyVerdict => finish(judgeSteps(trials, best, options));

/** The same in steps. */
export function* judgeSteps(
  trials: readonly KeptTrial[],
  best: KeptTrial,
  { barsPerYear, seed, ...options }: JudgeOptions,
): Steps<StudyVerdict> {
  const complete = trials.flatMap((trial) => {
    const returns = returnsOfTrial(trial);
    return returns === undefined ? [] : [{ number: trial.number, ...returns }];
  });
  const pruned = trials.filter(({ state }) => state === 'pruned').length;
  const columns = complete.map(({ sums }) => sums);
  const at = complete.findIndex(({ number }) => number === best.number);
  const traded = columns.filter((column) => column.some((value) => value !== 0));
  const clusters =
    pruned +
    effectiveTrials(traded.length, (i, j) => correlation(asCoarse(traded[i]), asCoarse(traded[j]))).clusters;
  yield;
  const sample = at < 0 ? undefined : sharpeSample(columns[at]);
  const count = Math.max(clusters, 1);
  const perYear = Math.sqrt(barsPerYear / (complete[0]?.width ?? 1));
  const untuned = columns[complete.findIndex(({ number }) => number === 0)];
  const overfitting = traded.length < 2 ? undefined : backtestOverfitting(traded)?.probability;
  yield;
  const baselines =
    options.baselines ?? (untuned ? [{ name: 'the untuned parameters', returns: untuned }] : []);
  const spa = traded.length === 0 ? undefined : yield* superiorTo(baselines, traded, seed);
  return {
    trials: complete.length,
    pruned,
    effectiveTrials: clusters,
    deflatedSharpe:
      sample &&
      deflatedSharpe(sample, { count: traded.length + pruned, variance: noSkillVariance(sample.bars) }),
    luckySharpe: sample && perYear * expectedBestSharpe(count, noSkillVariance(sample.bars)),
    overfitting,
    spaPValue: spa?.p,
    spaBaseline: spa?.name,
  };
}

/** What is kept of a complete trial's returns. */
export function returnsOfTrial({
  state,
  details,
}: KeptTrial): { readonly width: number; readonly sums: Float64Array } | undefined {
  const kept = state === 'complete' ? TrialDetails.safeParse(details) : undefined;
  return kept?.success
    ? { width: kept.data.returns.width, sums: Float64Array.from(kept.data.returns.sums) }
    : undefined;
}

/** The largest p-value over cash and the baselines that traded. */
function* superiorTo(
  baselines: readonly SearchBaseline[],
  columns: readonly Float64Array[],
  seed: number,
): Steps<{ readonly p: number; readonly name: string }> {
  const losses = columns.map((column) => column.map((value) => -value));
  let hardest = { p: -1, name: '' };
  const cash = { name: 'cash', returns: new Float64Array(columns[0].length) };
  for (const { name, returns } of [cash, ...baselines]) {
    if (name !== cash.name && returns.every((value) => value === 0)) continue;
    const { pValues } = superiorPredictiveAbility(
      returns.map((value) => -value),
      losses,
      { random: createRandom(deriveSeed(seed, 'superiority')), resamples: 1000 },
    );
    if (pValues.consistent > hardest.p) hardest = { p: pValues.consistent, name };
    yield;
  }
  return hardest;
}

/** Trials of one study share their bars: any step and start do. */
const asCoarse = (sums: Float64Array): CoarseReturns => ({
  stepMs: 1,
  first: 0,
  logReturns: Array.from(sums),
});
