import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Panel, selectFeatures } from '../../core/dataset/panel.ts';
import type { FitTask, Model } from '../../core/forecast/model.ts';
import type { TrainingJournal } from './journal.ts';
import type { RunFolder } from './run-folder.ts';
import { snapshotFolder } from './snapshots.ts';

export interface Projection {
  readonly model: string;
  readonly steps: number;
  readonly samplesPerSecond: number | undefined;
  /** Of all steps at the measured pace, validation between the epochs not counted; early stopping may end it sooner. */
  readonly seconds: number;
}

/** The networks that a full run has yet to start, measured before hours go into them. */
export async function projectAll(
  { plan, path }: RunFolder,
  entries: readonly { readonly id: string; readonly model: Model; readonly params: unknown }[],
  panel: Panel,
  { signal, journal }: { readonly signal: AbortSignal; readonly journal: TrainingJournal },
): Promise<readonly Projection[]> {
  if (plan.mode !== 'full') return [];
  const projections: Projection[] = [];
  for (const { id, model, params } of entries) {
    if (model.kind !== 'deep' || existsSync(join(path, id)) || existsSync(snapshotFolder(path, id))) continue;
    const projection = await projectTraining(model, {
      panel: selectFeatures(panel, [...model.features(params)]),
      params,
      trainUntilMs: plan.trainUntilMs,
      seed: plan.seed,
      signal,
    });
    if (projection === undefined) continue;
    projections.push(projection);
    const { steps, seconds, samplesPerSecond } = projection;
    const pace = samplesPerSecond === undefined ? {} : { samplesPerSecond };
    journal.write({ kind: 'projected', model: id, phase: model.kind, steps, seconds, ...pace });
  }
  return projections;
}

/** Reports after the first by which the pace is measured; the first step also pays for what is opened once. */
const REPORTS = 3;

/**
 * How long the training of `model` would take, from the pace of its first steps, which are thrown away. `undefined`
 * when it ends or fails before a pace can be measured. Throws `signal.reason` when aborted.
 */
async function projectTraining(
  model: Model,
  task: Omit<FitTask<unknown>, 'onProgress' | 'snapshots'>,
): Promise<Projection | undefined> {
  const enough = new AbortController();
  let first: { readonly step: number; readonly ms: number } | undefined;
  let projection: Projection | undefined;
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
        projection ??= { model: model.id, steps, samplesPerSecond, seconds };
        enough.abort();
      },
    })
    .catch(() => undefined);
  fitted?.dispose?.();
  task.signal.throwIfAborted();
  return projection;
}
