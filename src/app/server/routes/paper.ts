import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { Name } from '../jobs/kinds.ts';
import { Document } from './about.ts';

/** Records of sessions know what an ensemble is, and that takes a while to load: not at the start. */
const desk = () => import('../paper-sessions.ts');

const One = z.object({ name: Name });

export const paper = [
  endpoint({
    method: 'get',
    path: '/api/paper',
    tag: 'Paper',
    summary: 'Every paper session as it stands on disk.',
    answers: z.object({ sessions: z.array(Document) }),
    answer: async (_, { settings }) => ({
      sessions: await (await desk()).allSessions(settings().config.dataDir),
    }),
  }),
  endpoint({
    method: 'get',
    path: '/api/paper/{name}',
    tag: 'Paper',
    summary:
      'One session over time: equity beside holding, newest candles, fills, trades, the last bar with its reasons.',
    params: One,
    answers: Document,
    answer: async ({ params: { name } }, { settings }) =>
      (await desk()).sessionOverTime(settings().config.dataDir, name),
  }),
  endpoint({
    method: 'get',
    path: '/api/paper/{name}/orders/{number}',
    tag: 'Paper',
    summary: 'Everything on record that led to an order, as `paper explain --json`.',
    params: One.extend({ number: z.coerce.number().int().min(1).max(1e9) }),
    answers: Document,
    answer: async ({ params: { name, number } }, served) => {
      await (await desk()).requireSession(served.settings().config.dataDir, name);
      return served.ask.document(['paper', 'explain', String(number), `--name=${name}`], 60_000);
    },
  }),
  endpoint({
    method: 'get',
    path: '/api/paper/{name}/orders',
    tag: 'Paper',
    summary: 'The newest orders with their numbers.',
    params: One,
    answers: Document,
    answer: async ({ params: { name } }, served) => {
      await (await desk()).requireSession(served.settings().config.dataDir, name);
      return served.ask.document(['paper', 'explain', `--name=${name}`]);
    },
  }),
  endpoint({
    method: 'get',
    path: '/api/paper/{name}/parity',
    tag: 'Paper',
    summary: 'The same bars through the backtest, trade by trade, as `paper parity --json`.',
    params: One,
    answers: Document,
    answer: async ({ params: { name } }, served) => {
      await (await desk()).requireSession(served.settings().config.dataDir, name);
      return served.ask.document(['paper', 'parity', `--name=${name}`], 10_000);
    },
  }),
  endpoint({
    method: 'post',
    path: '/api/paper/{name}/control',
    tag: 'Paper',
    summary:
      'Pause orders, resume them, or close everything at the next open. On disk before the answer, and over restarts.',
    params: One,
    body: z.strictObject({ mode: z.enum(['trade', 'pause', 'flatten']) }),
    answers: Document,
    answer: async ({ params: { name }, body: { mode } }, { settings, log, live }) => {
      const status = await (await desk()).controlSession(settings().config.dataDir, name, mode);
      log.info({ session: name, mode }, 'paper control from the web');
      live.hurry();
      return status;
    },
  }),
];
