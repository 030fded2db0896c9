import type { Random } from '../foundation/random.ts';
import { stationaryVariance } from './long-run-variance.ts';
import { resampleMeans } from './resampled-means.ts';
import { quantileOfSorted } from './statistics.ts';

export interface SuperiorityOptions {
  readonly random: Random;
  /** Default 1000. */
  readonly resamples?: number;
  /** Mean block length; default the square root of the number of bars. */
  readonly blockBars?: number;
}

/** Is the best of several models better than the benchmark, given that it is the best of several? */
export interface SuperiorityTest {
  /** Mean advantage of each model over the benchmark. */
  readonly meanAdvantage: Float64Array;
  /** Advantage over its standard error; of the advantage alone in the reality check. */
  readonly statistics: Float64Array;
  /** Long-run variances of the advantages, by the kernel that the stationary bootstrap implies. */
  readonly variances: Float64Array;
  /** Hansen's lower, consistent and upper p-value; White's is the upper one. */
  readonly pValues: { readonly lower: number; readonly consistent: number; readonly upper: number };
}

/**
 * Test for superior predictive ability (Hansen 2005): no model has a smaller expected loss than the benchmark. Models that
 * are clearly worse do not make the best one less significant, as they do in White's test. Losses row by row, one
 * column a model; for returns, pass them with the sign turned.
 */
export const superiorPredictiveAbility = (
  benchmark: Float64Array,
  models: readonly Float64Array[],
  options: SuperiorityOptions,
): SuperiorityTest => testSuperiority(advantages(benchmark, models), options, true).test;

/** Reality check (White 2000): the same question, not studentised, every model taken to be as good as the benchmark. */
export const realityCheck = (
  benchmark: Float64Array,
  models: readonly Float64Array[],
  options: SuperiorityOptions,
): SuperiorityTest => testSuperiority(advantages(benchmark, models), options, false).test;

/**
 * Which models are better than the benchmark, with the chance of a single false one at most `size` (Romano & Wolf 2005,
 * studentised): those above the critical value leave, and the rest is tested again. Indices of `models`.
 */
export function stepwiseSuperior(
  benchmark: Float64Array,
  models: readonly Float64Array[],
  { size = 0.05, ...options }: SuperiorityOptions & { readonly size?: number },
): readonly number[] {
  const all = advantages(benchmark, models);
  let left = models.map((_, m) => m);
  const superior: number[] = [];
  while (left.length > 0) {
    const { test, maxima } = testSuperiority(
      left.map((m) => all[m]),
      options,
      true,
    );
    const critical = quantileOfSorted(maxima.consistent.slice().sort(), 1 - size) ?? Infinity;
    const better = left.filter((_, i) => test.statistics[i] > critical);
    if (better.length === 0) break;
    superior.push(...better);
    left = left.filter((m) => !better.includes(m));
  }
  return superior.sort((a, b) => a - b);
}

const advantages = (benchmark: Float64Array, models: readonly Float64Array[]): Float64Array[] =>
  models.map((losses) => benchmark.map((loss, row) => loss - losses[row]));

function testSuperiority(
  gains: readonly Float64Array[],
  { random, resamples = 1000, blockBars = Math.sqrt(gains[0].length) }: SuperiorityOptions,
  studentised: boolean,
) {
  const n = gains[0].length;
  const root = Math.sqrt(n);
  const meanAdvantage = Float64Array.from(gains, (gain) => gain.reduce((sum, value) => sum + value, 0) / n);
  const variances = Float64Array.from(gains, (gain) => stationaryVariance(gain, blockBars));
  const scale = variances.map((variance) => (studentised ? Math.sqrt(Math.max(variance, 0)) : 1));
  const statistics = meanAdvantage.map((mean, m) => over(root * mean, scale[m]));
  const worst = Math.sqrt(2 * Math.log(Math.log(n)));
  const centres = {
    lower: meanAdvantage.map((mean) => Math.max(0, mean)),
    consistent: meanAdvantage.map((mean, m) => (root * mean >= -worst * Math.sqrt(variances[m]) ? mean : 0)),
    upper: meanAdvantage,
  };
  const { values, series } = resampleMeans(gains, { blockBars, resamples, random });
  const maxima = {
    lower: new Float64Array(resamples),
    consistent: new Float64Array(resamples),
    upper: new Float64Array(resamples),
  };
  for (const kind of ['lower', 'consistent', 'upper'] as const)
    for (let r = 0; r < resamples; r++)
      for (let m = 0; m < series; m++)
        maxima[kind][r] = Math.max(
          maxima[kind][r],
          over(root * (values[r * series + m] - centres[kind][m]), scale[m]),
        );
  // Where none is better than the benchmark this is 0, and luck does as well every time: p = 1.
  const best = statistics.reduce((a, b) => Math.max(a, b), 0);
  const share = (values: Float64Array): number => values.filter((value) => value >= best).length / resamples;
  const pValues = {
    lower: share(maxima.lower),
    consistent: share(maxima.consistent),
    upper: share(maxima.upper),
  };
  return { test: { meanAdvantage, statistics, variances, pValues }, maxima };
}

/** A model that equals the benchmark bar by bar has neither advantage nor error. */
const over = (value: number, scale: number): number => (scale > 0 ? value / scale : 0);
