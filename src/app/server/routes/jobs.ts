import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { JobRequest, Name } from '../jobs/kinds.ts';
import { Document } from './about.ts';

const One = z.object({ id: Name });
const JobSchema = z.looseObject({
  id: z.string(),
  kind: z.string(),
  arguments: z.array(z.string()),
  state: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']),
});

export const jobRoutes = [
  endpoint({
    method: 'get',
    path: '/api/jobs',
    tag: 'Jobs',
    summary: 'Jobs, the newest first.',
    answers: z.object({ jobs: z.array(JobSchema) }),
    answer: (_, { jobs }) => ({ jobs: jobs.list() }),
  }),
  endpoint({
    method: 'post',
    path: '/api/jobs',
    tag: 'Jobs',
    summary:
      'Start one, or queue it behind the others of its kind: fetch, train, backtest, tune, signals, paper, portfolio, audit, verify, doctor.',
    body: JobRequest,
    answers: JobSchema,
    answer: ({ body }, { jobs }) => jobs.start(body),
  }),
  endpoint({
    method: 'get',
    path: '/api/jobs/{id}',
    tag: 'Jobs',
    summary: 'How a job stands.',
    params: One,
    answers: JobSchema,
    answer: ({ params: { id } }, { jobs }) => jobs.find(id),
  }),
  endpoint({
    method: 'get',
    path: '/api/jobs/{id}/result',
    tag: 'Jobs',
    summary: 'The document of a job that is done: what the command prints under `--json`.',
    params: One,
    answers: Document,
    answer: ({ params: { id } }, { jobs }) => jobs.document(id),
  }),
  endpoint({
    method: 'get',
    path: '/api/jobs/{id}/lines',
    tag: 'Jobs',
    summary: 'What it wrote for people, from byte `from` on; `end` is where to go on.',
    params: One,
    query: z.object({ from: z.coerce.number().int().min(0).max(1e12).default(0) }),
    answers: z.object({ text: z.string(), end: z.number() }),
    answer: ({ params: { id }, query: { from } }, { jobs }) => jobs.lines(id, from),
  }),
  endpoint({
    method: 'post',
    path: '/api/jobs/{id}/cancel',
    tag: 'Jobs',
    summary: 'Stop it as Ctrl-C does: what is durable stays. Asked again, it is killed.',
    params: One,
    answers: JobSchema,
    answer: ({ params: { id } }, { jobs }) => jobs.cancel(id),
  }),
];
