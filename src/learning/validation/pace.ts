import type { FitTask, Model } from '../../core/forecast/model.ts';

export interface Pace {
  readonly steps: number;
  readonly samplesPerSecond: number | undefined;
  /** Of all steps at the measured pace, validation between the epochs not counted; early stopping may end it sooner. */
  readonly seconds: number;
}

/** Reports after the first by which the pace is measured; the first step also pays for what is opened once. */
const REPORTS = 3;

/**
 * How long a fit of `model` would take, from the pace of its first steps, which are thrown away. `undefined` when it
 * ends or fails before a pace can be measured. Throws `signal.reason` when aborted.
 */
export async function measurePace(
  model: Model,
  task: Omit<FitTask<unknown>, 'onProgress' | 'snapshots'>,
): Promise<Pace | undefined> {
  const enough = new AbortController();
  let first: { readonly step: number; readonly ms: number } | undefined;
  let pace: Pace | undefined;
  let reports = 0;
  const fitted = await model
    .fit({
      ...task,
      signal: AbortSignal.any([task.signal, enough.signal]),
      onProgress({ step, steps, samplesPerSecond }) {
        const ms = performance.now();
        first ??= { step, ms };
        if (++reports <= REPORTS || step === first.step) return;
        const seconds = ((ms - first.ms) / 1000 / (step - first.step)) * steps;
        pace ??= { steps, samplesPerSecond, seconds };
        enough.abort();
      },
    })
    .catch(() => undefined);
  fitted?.dispose?.();
  task.signal.throwIfAborted();
  return pace;
}
