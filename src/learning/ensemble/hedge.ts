/**
 * Weights that follow losses as they are seen, with a bound on the regret against the best forecaster in hindsight for any
 * sequence of losses. Freund & Schapire 1997, A Decision-Theoretic Generalization of On-Line Learning (Hedge); Herbster &
 * Warmuth 1998, Tracking the Best Expert (fixed share: a part of the weight is spread evenly after every step, so that the
 * best may change).
 */
export function hedgeStep(
  weights: Float64Array,
  losses: Float64Array,
  { rate, share = 0 }: { readonly rate: number; readonly share?: number },
): void {
  let total = 0;
  for (let m = 0; m < weights.length; m++) {
    // Who said nothing lost nothing known: it keeps its weight.
    if (!Number.isNaN(losses[m])) weights[m] *= Math.exp(-rate * losses[m]);
    total += weights[m];
  }
  const even = share / weights.length;
  for (let m = 0; m < weights.length; m++) weights[m] = ((1 - share) * weights[m]) / total + even;
}
