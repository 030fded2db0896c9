import { z } from 'zod';
import { formatTime } from '../../../core/foundation/time.ts';
import { programVersion } from '../../../data/program-version.ts';
import { endpoint } from '../endpoint.ts';

/** A document of the command line, as `--json` prints it. */
export const Document = z.looseObject({});

export const about = [
  endpoint({
    method: 'get',
    path: '/api/health',
    tag: 'About',
    summary: 'Whether the server answers; needs no token.',
    answers: z.object({ status: z.literal('ok'), version: z.string(), startedAt: z.string() }),
    answer: (_, { startedAtMs }) => ({
      status: 'ok',
      version: programVersion(),
      startedAt: formatTime(startedAtMs),
    }),
  }),
  endpoint({
    method: 'get',
    path: '/api/overview',
    tag: 'About',
    summary: 'Where the project stands, and what to do next.',
    answers: Document,
    answer: async (_, { settings, settingsFile, store }) => {
      const { projectStanding } = await import('../../workflows/overview.ts');
      const { dataDir, checkpointDir, exchange, market } = settings().config;
      return projectStanding({
        settingsFile,
        exchange: exchange.id,
        timeframe: market.timeframe,
        symbols: market.symbols,
        dataDir,
        checkpointDir,
        store,
        nowMs: Date.now(),
      });
    },
  }),
  endpoint({
    method: 'get',
    path: '/api/live',
    tag: 'About',
    summary:
      'Server-sent events: `view` (newest paper session and training), `prices` (last ones of the exchange, while a session runs there), `jobs`; the newest at once, then what changes.',
    mediaType: 'text/event-stream',
    answers: z.string(),
    answer: ({ request }, { live }) => live.listen(request.signal),
  }),
];
