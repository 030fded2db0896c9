import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Panel } from '../../core/dataset/panel.ts';
import type { Model } from '../../core/forecast/model.ts';
import { measurePace, type Pace } from '../validation/pace.ts';
import type { TrainingJournal } from './journal.ts';
import type { RunFolder } from './run-folder.ts';
import { snapshotFolder } from './snapshots.ts';

export interface Projection extends Pace {
  readonly model: string;
}

/** The networks that a full run has yet to start, measured before hours go into them. */
export async function projectAll<
  Entry extends { readonly id: string; readonly model: Model; readonly params: unknown },
>(
  { plan, path }: RunFolder,
  entries: readonly Entry[],
  panelOf: (entry: Entry) => Promise<Panel>,
  { signal, journal }: { readonly signal: AbortSignal; readonly journal: TrainingJournal },
): Promise<readonly Projection[]> {
  if (plan.mode !== 'full') return [];
  const projections: Projection[] = [];
  for (const entry of entries) {
    const { id, model, params } = entry;
    if (model.kind !== 'deep' || existsSync(join(path, id)) || existsSync(snapshotFolder(path, id))) continue;
    const pace = await measurePace(model, {
      panel: await panelOf(entry),
      params,
      trainUntilMs: plan.trainUntilMs,
      seed: plan.seed,
      signal,
    });
    if (pace === undefined) continue;
    projections.push({ model: model.id, ...pace });
    const { steps, seconds, samplesPerSecond } = pace;
    const known = samplesPerSecond === undefined ? {} : { samplesPerSecond };
    journal.write({ kind: 'projected', model: id, phase: model.kind, steps, seconds, ...known });
  }
  return projections;
}
