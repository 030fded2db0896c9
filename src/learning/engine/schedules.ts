/** Learning rate at an optimiser step counted from 0. */
export type Schedule = (step: number) => number;

/** The same rate at every step. */
export const constantRate =
  (rate: number): Schedule =>
  () =>
    rate;

/** From `rate` straight down to `finalRate` over `steps`, then flat. */
export const linearDecay =
  (rate: number, options: { readonly steps: number; readonly finalRate?: number }): Schedule =>
  (step) => {
    const { steps, finalRate = 0 } = options;
    return rate + (finalRate - rate) * Math.min(step / steps, 1);
  };

/** Linear warm-up, then half a cosine down to `finalRate` (Loshchilov & Hutter 2017, without restarts). */
export const cosineWithWarmUp =
  (
    rate: number,
    options: { readonly steps: number; readonly warmUpSteps: number; readonly finalRate?: number },
  ): Schedule =>
  (step) => {
    const { steps, warmUpSteps, finalRate = 0 } = options;
    if (step < warmUpSteps) return (rate * (step + 1)) / warmUpSteps;
    const done = Math.min((step - warmUpSteps) / Math.max(steps - warmUpSteps, 1), 1);
    return finalRate + ((rate - finalRate) * (1 + Math.cos(Math.PI * done))) / 2;
  };

/**
 * Smith & Topin 2018 as torch's OneCycleLR: cosine up from rate/25 over the first 30 %, cosine down to
 * rate/25/10^4 at the last of `steps`.
 */
export const oneCycle =
  (rate: number, options: { readonly steps: number; readonly warmUpShare?: number }): Schedule =>
  (step) => {
    const { steps, warmUpShare = 0.3 } = options;
    const [first, last] = [rate / 25, rate / 25 / 1e4];
    const peak = warmUpShare * steps - 1;
    const at = Math.min(step, steps - 1);
    const cosine = (from: number, to: number, done: number): number =>
      to + ((from - to) / 2) * (1 + Math.cos(Math.PI * done));
    return at <= peak ? cosine(first, rate, at / peak) : cosine(rate, last, (at - peak) / (steps - 1 - peak));
  };

/** What `reduceOnPlateau` remembers from one look at the loss to the next. */
export interface PlateauState {
  readonly rate: number;
  readonly best: number;
  readonly badEpochs: number;
}

/**
 * One epoch of torch's ReduceLROnPlateau (mode min, relative threshold 1e-4): the state is data, so that a
 * checkpoint can hold it. Start from `{ rate, best: Infinity, badEpochs: 0 }`.
 */
export function reduceOnPlateau(
  state: PlateauState,
  validationLoss: number,
  options: { readonly factor?: number; readonly patience?: number; readonly minRate?: number } = {},
): PlateauState {
  const { factor = 0.1, patience = 10, minRate = 0 } = options;
  if (validationLoss < state.best * (1 - 1e-4))
    return { rate: state.rate, best: validationLoss, badEpochs: 0 };
  const badEpochs = state.badEpochs + 1;
  if (badEpochs <= patience) return { ...state, badEpochs };
  return { rate: Math.max(state.rate * factor, minRate), best: state.best, badEpochs: 0 };
}
