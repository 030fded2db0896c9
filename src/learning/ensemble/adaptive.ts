import { z } from 'zod';

/** What each forecaster has earned lately, a running record that a session keeps in its ledger. */
export const PerformanceState = z.strictObject({
  /** Weight of all steps so far, and the sum of their squared weights: how many steps the record is worth. */
  weight: z.array(z.number()),
  squaredWeight: z.array(z.number()),
  /** Weighted mean and mean square of what a step earned. */
  mean: z.array(z.number()),
  square: z.array(z.number()),
});
export type PerformanceState = z.output<typeof PerformanceState>;

export const noPerformance = (members: number): PerformanceState => {
  const zeros = (): number[] => Array.from({ length: members }, () => 0);
  return { weight: zeros(), squaredWeight: zeros(), mean: zeros(), square: zeros() };
};

/** One step: what the side that each forecaster took has earned; `NaN`: it took none. Older steps fade by `decay`. */
export function recordStep(state: PerformanceState, earned: Float64Array, decay: number): void {
  for (let m = 0; m < earned.length; m++) {
    if (Number.isNaN(earned[m])) continue;
    const before = decay * state.weight[m];
    state.weight[m] = before + 1;
    state.squaredWeight[m] = decay * decay * state.squaredWeight[m] + 1;
    state.mean[m] = (before * state.mean[m] + earned[m]) / (before + 1);
    state.square[m] = (before * state.square[m] + earned[m] * earned[m]) / (before + 1);
  }
}

/** Steps before which a record says nothing. */
const LEAST_STEPS = 48;

/**
 * Weights between `prior` and what recent Sharpe ratios suggest, into `into`. How far they move follows from how far the
 * ratios lie apart beyond what their own standard errors (one over the root of the steps) explain: over a month of hours
 * errors nearly always explain all of it, and the prior stays (empirical Bayes: Efron & Morris 1975, Data Analysis Using
 * Stein's Estimator and Its Generalizations). Returns the share of the move, in [0, 1].
 */
export function adaptiveWeights(
  state: PerformanceState,
  prior: Float64Array,
  isVoter: Uint8Array,
  into: Float64Array,
): number {
  let [count, sum, squares, errors, total] = [0, 0, 0, 0, 0];
  for (let m = 0; m < prior.length; m++) {
    into[m] = 0;
    if (isVoter[m] === 0) continue;
    const steps = state.squaredWeight[m] === 0 ? 0 : state.weight[m] ** 2 / state.squaredWeight[m];
    const variance = state.square[m] - state.mean[m] ** 2;
    if (steps < LEAST_STEPS || !(variance > 0)) continue;
    const sharpe = state.mean[m] / Math.sqrt(variance);
    count++;
    sum += sharpe;
    squares += sharpe * sharpe;
    errors += 1 / steps;
    into[m] = Math.max(0, sharpe);
    total += into[m];
  }
  const moved = total > 0 ? unexplained({ count, sum, squares, errors }) : 0;
  let priors = 0;
  for (let m = 0; m < prior.length; m++) if (isVoter[m] === 1) priors += prior[m];
  for (let m = 0; m < prior.length; m++) {
    if (isVoter[m] === 0) continue;
    into[m] = (1 - moved) * (prior[m] / priors) + (moved === 0 ? 0 : (moved * into[m]) / total);
  }
  return moved;
}

/** The part of the spread of several figures that their own squared standard errors (their sum is `errors`) leave unexplained. */
function unexplained({
  count,
  sum,
  squares,
  errors,
}: Readonly<Record<'count' | 'sum' | 'squares' | 'errors', number>>): number {
  const spread = count > 1 ? (squares - (sum * sum) / count) / (count - 1) : 0;
  return spread > 0 ? Math.max(0, 1 - errors / count / spread) : 0;
}

/**
 * The prior moved towards what voters have shown on all bars that no fit has seen: `evidence` in standard errors, which are
 * then 1 each. Where voters differ by no more than that, the prior's proportions stay; beyond it they count by t^2, the share of
 * returns that each explains (of forecasts with errors of their own the best mean weighs by precision: Bates & Granger 1969). Each
 * counts with the part of its worth that its error leaves (1 - 1 / t^2, James & Stein 1961), so that one whose worth is hardly
 * known does not dilute the rest.
 */
export function shownWeights(prior: Float64Array, evidence: readonly number[]): Float64Array {
  const [count, errors] = [evidence.length, evidence.length];
  const sum = evidence.reduce((total, t) => total + t, 0);
  const squares = evidence.reduce((total, t) => total + t * t, 0);
  const sure = evidence.map((t) => (t > 1 ? 1 - 1 / (t * t) : 0));
  const shown = evidence.map((t, m) => (sure[m] > 0 ? t * t : 0));
  const all = shown.reduce((total, t) => total + t, 0);
  if (all === 0) return prior;
  const moved = unexplained({ count, sum, squares, errors });
  const weights = prior.map((weight, m) => ((1 - moved) * weight + (moved * shown[m]) / all) * sure[m]);
  const total = weights.reduce((whole, weight) => whole + weight, 0);
  return total === 0 ? Float64Array.from(shown, (t) => t / all) : weights.map((weight) => weight / total);
}
