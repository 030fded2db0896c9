import { modelConfidenceSet } from '../../core/evaluation/confidence-set.ts';
import {
  realityCheck,
  stepwiseSuperior,
  superiorPredictiveAbility,
} from '../../core/evaluation/superiority.ts';
import { createRandom, deriveSeed } from '../../core/foundation/random.ts';
import type { Traded } from './assess.ts';

/** Whether any of several strategies beats buy and hold, given that there are several. */
export interface SuperiorityVerdict {
  readonly strategies: number;
  /** Hansen's test, consistent: how often luck alone gives a best one this good. */
  readonly spaPValue: number;
  /** White's reality check: the same question; losers among the strategies make it more cautious. */
  readonly realityCheckPValue: number;
  /** Better than buy and hold, with a 5 % chance of a single false one (StepM). */
  readonly superior: readonly string[];
  /** Cannot be told from the best of all, buy and hold included, at 90 % (model confidence set). */
  readonly confidenceSet: readonly string[];
}

/** Returns of neighbouring bars are summed to at most this many rows: the tests are about means. */
const MOST_ROWS = 20_000;

/** `undefined` when nothing traded, on bars that say nothing, or below 100 of them. */
export function testSuperiority(
  candidates: readonly Traded[],
  benchmark: Traded,
  seed: number,
): SuperiorityVerdict | undefined {
  const traded = candidates.filter(({ outcome }) => outcome.kind === 'traded' || outcome.kind === 'ruined');
  if (traded.length === 0 || benchmark.outcome.kind !== 'traded' || benchmark.returns.length < 100)
    return undefined;
  const losses = traded.map(({ returns }) => lossesOf(returns));
  const hold = lossesOf(benchmark.returns);
  const options = () => ({ random: createRandom(deriveSeed(seed, 'superiority')), resamples: 1000 });
  const names = traded.map(({ strategy }) => strategy.name);
  const { pValues } = superiorPredictiveAbility(hold, losses, options());
  const all = [...names, benchmark.strategy.name];
  return {
    strategies: traded.length,
    spaPValue: pValues.consistent,
    realityCheckPValue: realityCheck(hold, losses, options()).pValues.upper,
    superior: stepwiseSuperior(hold, losses, options()).map((i) => names[i]),
    confidenceSet: modelConfidenceSet([...losses, hold], { ...options(), method: 'maximum' }).included.map(
      (i) => all[i],
    ),
  };
}

function lossesOf(returns: Float64Array): Float64Array {
  const width = Math.ceil(returns.length / MOST_ROWS);
  const losses = new Float64Array(Math.floor(returns.length / width));
  for (let row = 0; row < losses.length; row++)
    for (let i = 0; i < width; i++) losses[row] -= returns[row * width + i];
  return losses;
}
