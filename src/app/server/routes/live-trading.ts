import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { Document } from './about.ts';

/** Read, and nothing else: whoever starts, stops or steers live trading has a terminal. */
export const liveTrading = [
  endpoint({
    method: 'get',
    path: '/api/live-sessions',
    tag: 'Live',
    summary:
      'Every live session: account, equity, positions, orders and what is wrong with it, as `live status --json`. Read-only: live trading is started and steered in a terminal.',
    answers: z.object({ ok: z.boolean(), sessions: z.array(Document) }),
    answer: async (_, { ask, settings }) => {
      const { liveSessions } = await import('../../workflows/live-standing.ts');
      if (liveSessions(settings().config.dataDir).length === 0) return { ok: true, sessions: [] };
      return ask.document(['live', 'status'], 1000);
    },
  }),
];
