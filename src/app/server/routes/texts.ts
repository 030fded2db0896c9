import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { Id } from '../jobs/kinds.ts';
import { Document } from './about.ts';

const Ticker = z.string().regex(/^[A-Za-z0-9]{1,12}$/, 'expected a ticker, such as BTC');

/** News and posts. */
export const textRoutes = [
  endpoint({
    method: 'get',
    path: '/api/texts',
    tag: 'Texts',
    summary:
      'The newest texts, each with the time at which it was first seen, and how many of each source there are.',
    query: z.object({
      asset: Ticker.optional(),
      source: Id.optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
    }),
    answers: Document,
    answer: ({ query: { asset, source, limit } }, { ask }) =>
      ask.document([
        ...['text', 'list', `--limit=${limit}`],
        ...(asset === undefined ? [] : [`--asset=${asset}`]),
        ...(source === undefined ? [] : [`--source=${source}`]),
      ]),
  }),
  endpoint({
    method: 'get',
    path: '/api/texts/sources',
    tag: 'Texts',
    summary: 'Every source of texts, and what those lack that are not ready.',
    answers: Document,
    answer: (_, { ask }) => ask.document(['text', 'sources'], 1000),
  }),
  endpoint({
    method: 'get',
    path: '/api/texts/scorers',
    tag: 'Texts',
    summary: 'The scorers of texts, and how well they do.',
    answers: Document,
    answer: (_, { ask }) => ask.document(['text', 'score', '--list'], 1000),
  }),
  endpoint({
    method: 'post',
    path: '/api/texts/score',
    tag: 'Texts',
    summary: 'What a scorer makes of a sentence.',
    body: z.strictObject({ text: z.string().min(1).max(5000), scorer: Id.optional() }),
    answers: Document,
    answer: ({ body: { text, scorer } }, { ask }) =>
      ask.document(['text', 'score', ...(scorer === undefined ? [] : [`--scorer=${scorer}`]), '--', text]),
  }),
];
