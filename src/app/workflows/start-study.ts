import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { programVersion } from '../../data/program-version.ts';
import type { Params, Space } from '../../lab/tuning/space.ts';
import { createStudy, type Study } from '../../lab/tuning/study.ts';
import type { StudySettings } from '../../lab/tuning/study-journal.ts';
import { modelParams } from '../../learning/training/plan.ts';
import { openAutoBench, untunedTrials } from './automl.ts';
import { openBench, type TuneSurroundings } from './tune.ts';

/** What is asked of a new study besides its task. */
export interface StudyRequest extends Pick<
  StudySettings,
  'name' | 'seed' | 'sampler' | 'pruner' | 'objectives'
> {
  /** Holds a folder a study. */
  readonly folder: string;
  readonly space: Space;
  /** Of the bars, the newest, which are looked at once, at the end. */
  readonly testPct: number;
  readonly allowSynthetic: boolean;
}

/** What `openBench` and `openAutoBench` take of a study that has not begun. */
type NewTask<Open extends (...args: never[]) => unknown> = Parameters<Open>[0];

/**
 * A new study of one model's parameters on the stored candles; its untuned parameters are its first trial.
 * Throws `UserError` where there are no candles, where they are synthetic unless allowed, and where the name is taken.
 */
export async function startTuning(
  asked: NewTask<typeof openBench>,
  request: StudyRequest,
  surroundings: TuneSurroundings,
): Promise<Study> {
  const { model, task } = await openBench(asked, request, surroundings);
  const params = modelParams(model, task.mode, task.own);
  return start(task, request, [untunedParams(params, request.space)]);
}

/** The same of a search over models, features, ensembles and strategies. */
export async function startAutoStudy(
  asked: NewTask<typeof openAutoBench>,
  request: StudyRequest,
  surroundings: TuneSurroundings,
): Promise<Study> {
  const { task } = await openAutoBench(asked, request, surroundings);
  return start(task, request, untunedTrials(task, request.space, surroundings.registry));
}

/** `first`: what everything is compared with. */
async function start(
  task: { readonly exchange: string; readonly folds: number; readonly synthetic: boolean },
  { folder, name, seed, sampler, pruner, objectives, space, allowSynthetic }: StudyRequest,
  first: readonly Params[],
): Promise<Study> {
  if (task.synthetic && !allowSynthetic)
    throw new UserError(`The ${task.exchange} candles are synthetic: what is found on them means nothing.`, {
      hint: 'Fetch real candles, or pass --allow-synthetic to try the program out.',
    });
  const settings: StudySettings = {
    type: 'study',
    version: 1,
    name,
    createdAt: new Date().toISOString(),
    program: programVersion(),
    seed,
    sampler,
    pruner,
    objectives,
    steps: task.folds,
    space: space as StudySettings['space'],
    task,
  };
  return createStudy(join(folder, name), settings, first);
}

/** The searched parameters as they are without a search. */
function untunedParams(all: unknown, space: Space): Params {
  const values = z.record(z.string(), z.unknown()).parse(all);
  return Object.fromEntries(
    Object.keys(space).flatMap((name) => {
      const value = z.union([z.number(), z.string(), z.boolean()]).safeParse(values[name]);
      return value.success ? [[name, value.data]] : [];
    }),
  );
}
