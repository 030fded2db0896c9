import type { Feature } from '../../core/features/feature.ts';
import type { Model } from '../../core/forecast/model.ts';
import { FIT_LAWS } from './fit-laws.ts';
import { FORECAST_LAWS } from './forecast-laws.ts';
import { readsFrom } from './law-fits.ts';
import { tryLaws } from './try-laws.ts';
import type { Verdict } from './verdict.ts';

/** Everything that a model promises, law by law, in the order in which they are tried. */
export const MODEL_LAWS: Readonly<Record<string, (model: Model) => Promise<void>>> = {
  ...FORECAST_LAWS,
  ...FIT_LAWS,
};

/**
 * Tries every law on a model, on random walks that are the same for everybody, and says of each whether it holds. Fits
 * the model about ten times on 1500 hourly bars of three symbols, with its `quickParams`. Needs no test runner:
 *
 *     for await (const verdict of checkModel(myModel)) console.log(verdict);
 *
 * `features`: those that there are, when the model reads some of your own. Throws `signal.reason` between two laws when aborted.
 */
export function checkModel(
  model: Model,
  { features, ...options }: { readonly signal?: AbortSignal; readonly features?: readonly Feature[] } = {},
): AsyncGenerator<Verdict> {
  if (features !== undefined) readsFrom(model, features);
  return tryLaws(MODEL_LAWS, model, options);
}
