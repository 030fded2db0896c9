import { z } from 'zod';
import { readEntries } from '../training-curves.ts';
import { activeRunId } from '../../../learning/training/active-run.ts';
import { surveyRuns } from '../../../learning/training/run-folder.ts';
import { deletedRuns } from '../../../learning/training/trash.ts';
import { describeRun } from '../../workflows/runs.ts';
import { endpoint } from '../endpoint.ts';
import { Id, Name } from '../jobs/kinds.ts';
import { Document } from './about.ts';

const Run = z.object({ run: Name });
const CATALOGUE_MS = 60_000;

const changeRun = (verb: 'activate' | 'delete' | 'restore', summary: string) =>
  endpoint({
    method: 'post',
    path: `/api/runs/{run}/${verb}`,
    tag: 'Models',
    summary,
    params: Run,
    answers: Document,
    answer: async ({ params: { run } }, { ask }) => {
      try {
        return await ask.document(['models', verb, run]);
      } finally {
        ask.forget();
      }
    },
  });

export const models = [
  endpoint({
    method: 'get',
    path: '/api/models',
    tag: 'Models',
    summary: 'Every model of the program and of the project, as `models list --json`.',
    answers: Document,
    answer: (_, { ask }) => ask.document(['models', 'list'], CATALOGUE_MS),
  }),
  endpoint({
    method: 'get',
    path: '/api/models/{model}',
    tag: 'Models',
    summary: 'One model: its parameters with their schema, and what it learned in a run.',
    params: z.object({ model: Id }),
    query: z.object({ run: Name.optional() }),
    answers: Document,
    answer: ({ params: { model }, query: { run } }, { ask }) =>
      ask.document(['models', 'show', model, ...(run === undefined ? [] : [`--run=${run}`])], CATALOGUE_MS),
  }),
  endpoint({
    method: 'get',
    path: '/api/runs',
    tag: 'Models',
    summary: 'Training runs, with validation figures; those that are damaged, and those in the trash.',
    answers: z.object({
      runs: z.array(Document),
      damagedRuns: z.array(z.object({ runId: z.string(), reason: z.string() })),
      deletedRuns: z.array(z.string()),
    }),
    answer: async (_, { settings }) => {
      const { checkpointDir } = settings().config;
      const [{ runs, damaged }, active, deleted] = await Promise.all([
        surveyRuns(checkpointDir),
        activeRunId(checkpointDir),
        deletedRuns(checkpointDir),
      ]);
      return {
        runs: runs.map((run) => describeRun(run, active)),
        damagedRuns: damaged,
        deletedRuns: deleted,
      };
    },
  }),
  endpoint({
    method: 'get',
    path: '/api/runs/{run}/training',
    tag: 'Models',
    summary: 'How the training of a run went, or goes: status and loss curves of every model.',
    params: Run,
    answers: Document,
    answer: ({ params: { run } }, { settings }) => readEntries(settings().config.logDir, run),
  }),
  changeRun(
    'activate',
    'Make a run the one that signals, backtest and paper use; every file of it is checked first.',
  ),
  changeRun('delete', 'Move a run that is not active into the trash.'),
  changeRun('restore', 'Bring a deleted run back.'),
];
