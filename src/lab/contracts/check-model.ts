import { setImmediate } from 'node:timers/promises';
import type { Model } from '../../core/forecast/model.ts';
import { FIT_LAWS } from './fit-laws.ts';
import { FORECAST_LAWS } from './forecast-laws.ts';
import type { Verdict } from './verdict.ts';

/** Everything that a model promises, law by law, in the order in which they are tried. */
export const MODEL_LAWS: Readonly<Record<string, (model: Model) => Promise<void>>> = {
  ...FORECAST_LAWS,
  ...FIT_LAWS,
};

/**
 * Tries every law on a model, on random walks that are the same for everybody, and says of each whether it holds. Fits
 * the model about a dozen times on 1500 hourly bars of three symbols, with its `quickParams`. Needs no test runner:
 *
 *     for await (const { law, kind, ...why } of checkModel(myModel)) ...
 *
 * Throws `signal.reason` between two laws when aborted.
 */
export async function* checkModel(
  model: Model,
  { signal = new AbortController().signal }: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<Verdict> {
  for (const [law, holds] of Object.entries(MODEL_LAWS)) {
    await setImmediate();
    signal.throwIfAborted();
    yield await holds(model).then(
      (): Verdict => ({ law, kind: 'kept' }),
      (error: unknown): Verdict => ({
        law,
        kind: 'broken',
        reason: error instanceof Error ? error.message : String(error),
      }),
    );
  }
}
