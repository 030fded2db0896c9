import type { Model } from '../../core/forecast/model.ts';
import { FIT_LAWS } from './fit-laws.ts';
import { FORECAST_LAWS } from './forecast-laws.ts';
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
 * Throws `signal.reason` between two laws when aborted.
 */
export const checkModel = (
  model: Model,
  options: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<Verdict> => tryLaws(MODEL_LAWS, model, options);
