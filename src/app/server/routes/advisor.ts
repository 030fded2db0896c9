import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { Id } from '../jobs/kinds.ts';
import { Document } from './about.ts';

const Said = z.strictObject({
  role: z.enum(['user', 'assistant']),
  content: z.string().min(1).max(20_000),
});

/** Language models: each question is the command of the same name, in a process of its own. */
export const advisorRoutes = [
  endpoint({
    method: 'get',
    path: '/api/advisor/providers',
    tag: 'Advisor',
    summary: 'The language models that are set, what the others lack, and what was spent today.',
    answers: Document,
    answer: (_, { ask }) => ask.document(['advisor', 'providers'], 1000),
  }),
  endpoint({
    method: 'post',
    path: '/api/advisor/chat',
    tag: 'Advisor',
    summary:
      'A question: server-sent events `said` (kind text, tool or end) as the answer comes in, then `closed` with the exit code. Ends when the listener goes. It costs what the provider charges.',
    body: z.strictObject({ provider: Id.optional(), messages: z.array(Said).min(1).max(50) }),
    mediaType: 'text/event-stream',
    answers: z.string(),
    answer: ({ body: { provider, messages }, request }, { converse }) =>
      converse(
        ['advisor', 'chat', '--events', ...(provider === undefined ? [] : [`--provider=${provider}`])],
        JSON.stringify({ messages }),
        request.signal,
      ),
  }),
  endpoint({
    method: 'post',
    path: '/api/advisor/answers',
    tag: 'Advisor',
    summary:
      'One question to every provider that is ready, side by side, when the last has answered; a provider without an answer says why. Each costs what it charges.',
    body: z.strictObject({ question: z.string().trim().min(1).max(20_000) }),
    answers: Document,
    answer: ({ body: { question } }, { ask }) => ask.document(['advisor', 'chat', '--all', '--', question]),
  }),
  endpoint({
    method: 'get',
    path: '/api/advisor/votes',
    tag: 'Advisor',
    summary: 'Votes on record and what became of them; new ones are a job of kind advise.',
    query: z.object({ last: z.coerce.number().int().min(1).max(10_000).default(100) }),
    answers: Document,
    answer: ({ query: { last } }, { ask }) => ask.document(['advisor', 'log', `--last=${last}`], 1000),
  }),
];
