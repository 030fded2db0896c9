import { z } from 'zod';
import { fromLoss, OBJECTIVE_NAMES } from '../../lab/tuning/objective.ts';
import { openStudy, type Study } from '../../lab/tuning/study.ts';
import type { KeptTrial, StudySettings } from '../../lab/tuning/study-journal.ts';
import { type KnownStudy, listStudies } from '../workflows/tune.ts';
import type { StudyView, WorkerView } from './view.ts';

const NEWEST_TRIALS = 200;

/** Follows the journals of the studies below `tuningDir`, the newest first; each look reads what was added. */
export function watchStudies(tuningDir: string): { look(nowMs: number): Promise<readonly StudyView[]> } {
  const open = new Map<string, Study>();
  const one = async ({ name, folder, settings }: KnownStudy, nowMs: number): Promise<StudyView> => {
    if ('damaged' in settings) return damaged(name, settings.damaged);
    try {
      const study = open.get(folder) ?? (await openStudy(folder));
      open.set(folder, study);
      await study.refresh();
      return viewOf(settings, study.trials(), nowMs);
    } catch (error) {
      open.delete(folder);
      return damaged(name, error instanceof Error ? error.message : String(error));
    }
  };
  return {
    look: async (nowMs) =>
      (await Promise.all((await listStudies(tuningDir)).map((study) => one(study, nowMs)))).toReversed(),
  };
}

function viewOf(settings: StudySettings, trials: readonly KeptTrial[], nowMs: number): StudyView {
  const [objective] = settings.objectives;
  const known = OBJECTIVE_NAMES.find((name) => name === objective);
  const figure = ({ values: [loss] }: KeptTrial): number | undefined =>
    loss === undefined || known === undefined ? loss : fromLoss(known, loss);
  const complete = trials.filter(({ state }) => state === 'complete');
  const counting = complete.filter(({ violation }) => violation === 0);
  const best = counting.toSorted((a, b) => a.values[0] - b.values[0]).at(0);
  const took = complete.flatMap((trial) => secondsOf(trial) ?? []);
  const secondsPerTrial =
    took.length === 0 ? undefined : took.reduce((sum, seconds) => sum + seconds, 0) / took.length;
  return {
    name: settings.name,
    model: modelOf(settings),
    sampler: settings.sampler,
    objective,
    createdAt: settings.createdAt,
    complete: complete.length,
    pruned: trials.filter(({ state }) => state === 'pruned').length,
    failed: trials.filter(({ state }) => state === 'failed').length,
    best: best && figure(best),
    secondsPerTrial,
    running: trials
      .filter(({ state }) => state === 'running')
      .map(({ number, worker, startedAt, intermediate }) => ({
        number,
        worker,
        since: startedAt,
        step: intermediate.length,
        steps: settings.steps,
        etaSeconds:
          secondsPerTrial === undefined
            ? undefined
            : Math.max(0, secondsPerTrial - (nowMs - Date.parse(startedAt)) / 1000),
      })),
    workers: workersOf(trials),
    trials: trials
      .slice(-NEWEST_TRIALS)
      .map((trial) => ({
        number: trial.number,
        state: trial.state,
        worker: trial.worker,
        value: trial.state === 'complete' ? figure(trial) : undefined,
        seconds: secondsOf(trial),
        params: trial.params,
        reason: trial.reason,
      }))
      .toReversed(),
    damaged: undefined,
  };
}

/** Of `tune`, or all that `automl` chooses from. */
const Task = z.union([
  z.looseObject({ model: z.string() }).transform(({ model }) => model),
  z.looseObject({ models: z.array(z.string()) }).transform(({ models }) => models.join('|')),
]);
const modelOf = ({ task }: StudySettings): string => Task.safeParse(task).data ?? '';

const secondsOf = ({ startedAt, endedAt }: KeptTrial): number | undefined =>
  endedAt === undefined ? undefined : (Date.parse(endedAt) - Date.parse(startedAt)) / 1000;

/** Who has measured trials, those that do so now first. */
function workersOf(trials: readonly KeptTrial[]): readonly WorkerView[] {
  const workers = new Map<string, WorkerView>();
  for (const { worker, number, state, startedAt, endedAt } of trials) {
    const before = workers.get(worker);
    const seen = endedAt ?? startedAt;
    workers.set(worker, {
      worker,
      ended: (before?.ended ?? 0) + (state === 'running' ? 0 : 1),
      trial: state === 'running' ? number : before?.trial,
      lastSeen: before === undefined || seen > before.lastSeen ? seen : before.lastSeen,
    });
  }
  return [...workers.values()].sort(
    (a, b) =>
      Number(b.trial !== undefined) - Number(a.trial !== undefined) || b.lastSeen.localeCompare(a.lastSeen),
  );
}

const damaged = (name: string, why: string): StudyView => ({
  name,
  model: '',
  sampler: '',
  objective: '',
  createdAt: '',
  complete: 0,
  pruned: 0,
  failed: 0,
  best: undefined,
  secondsPerTrial: undefined,
  running: [],
  workers: [],
  trials: [],
  damaged: why,
});
