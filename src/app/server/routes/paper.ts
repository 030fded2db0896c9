import { z } from 'zod';
import { formatTime } from '../../../core/foundation/time.ts';
import { writeControl } from '../../../desk/paper/controls.ts';
import { listSessions, readStatus, sessionFolder, type SessionStatus } from '../../../desk/paper/sessions.ts';
import { followSession } from '../../dashboard/session-history.ts';
import { NotFound } from '../answers.ts';
import { endpoint } from '../endpoint.ts';
import { Name } from '../jobs/kinds.ts';
import type { Served } from '../served.ts';
import { Document } from './about.ts';

const One = z.object({ name: Name });

async function requireSession({ settings }: Served, name: string): Promise<string> {
  const { dataDir } = settings().config;
  if ((await listSessions(dataDir)).includes(name)) return dataDir;
  throw new NotFound(`There is no paper session "${name}".`, { hint: 'GET /api/paper lists them.' });
}

/** One reader per session: a later request reads only what was added. */
const followed = new Map<string, ReturnType<typeof followSession>>();

export const paper = [
  endpoint({
    method: 'get',
    path: '/api/paper',
    tag: 'Paper',
    summary: 'Every paper session as it stands on disk.',
    answers: z.object({ sessions: z.array(Document) }),
    answer: async (_, { settings }) => {
      const { dataDir } = settings().config;
      const names = await listSessions(dataDir);
      return { sessions: (await Promise.all(names.map((name) => readStatus(dataDir, name)))).map(statusOf) };
    },
  }),
  endpoint({
    method: 'get',
    path: '/api/paper/{name}',
    tag: 'Paper',
    summary:
      'One session over time: equity beside holding, newest candles, fills, trades, the last bar with its reasons.',
    params: One,
    answers: Document,
    answer: async ({ params: { name } }, served) => {
      const dataDir = await requireSession(served, name);
      const key = `${dataDir} ${name}`;
      const follow = followed.get(key) ?? followSession(dataDir, name);
      followed.set(key, follow);
      const [history, status] = await Promise.all([follow(), readStatus(dataDir, name)]);
      return { ...history, status: statusOf(status) };
    },
  }),
  endpoint({
    method: 'get',
    path: '/api/paper/{name}/orders/{number}',
    tag: 'Paper',
    summary: 'Everything on record that led to an order, as `paper explain --json`.',
    params: One.extend({ number: z.coerce.number().int().min(1).max(1e9) }),
    answers: Document,
    answer: async ({ params: { name, number } }, served) => {
      await requireSession(served, name);
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
      await requireSession(served, name);
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
      await requireSession(served, name);
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
    answer: async ({ params: { name }, body: { mode } }, served) => {
      const dataDir = await requireSession(served, name);
      await writeControl(sessionFolder(dataDir, name), { mode, sinceMs: Date.now() });
      served.log.info({ session: name, mode }, 'paper control from the web');
      served.live.hurry();
      return statusOf(await readStatus(dataDir, name));
    },
  }),
];

const statusOf = ({ name, session, last, control, pid }: SessionStatus) => ({
  name,
  sessionId: session.sessionId,
  state: pid === undefined ? 'stopped' : 'running',
  mode: control?.mode ?? 'trade',
  modeSince: control && formatTime(control.sinceMs),
  exchange: session.exchange,
  timeframe: session.timeframe,
  feed: session.feed,
  synthetic: session.synthetic,
  runId: last?.runId ?? session.runId,
  lastBarTime: last && formatTime(last.timeMs),
  equity: last?.equity ?? session.rules.initialBalance,
  cash: last?.cash ?? session.rules.initialBalance,
  positions: last?.positions ?? [],
});
