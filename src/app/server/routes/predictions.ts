import { z } from 'zod';
import { formatTime } from '../../../core/foundation/time.ts';
import { TIMEFRAME_MS } from '../../../core/market/timeframe.ts';
import { predictions, recordsOf } from '../../workflows/prediction-log.ts';
import { endpoint } from '../endpoint.ts';
import { Id, Pair } from '../jobs/kinds.ts';
import { Document } from './about.ts';

export const predictionRoutes = [
  endpoint({
    method: 'get',
    path: '/api/predictions',
    tag: 'Predictions',
    summary:
      'Signals on record beside what has happened since, the newest last, and the record of every model.',
    query: z.object({
      model: Id.optional(),
      symbol: Pair.optional(),
      last: z.coerce.number().int().min(1).max(20_000).default(500),
    }),
    answers: z.object({ count: z.number(), signals: z.array(Document), records: z.array(Document) }),
    answer: async ({ query: { model, symbol, last } }, { settings, store }) => {
      const all = (await predictions(settings().config.dataDir, store)).filter(
        (one) =>
          (model === undefined || one.model === model) && (symbol === undefined || one.symbol === symbol),
      );
      return {
        count: all.length,
        signals: all.slice(-last).map(({ givenAtMs, barTimeMs, realised, ...one }) => ({
          ...one,
          givenAt: formatTime(givenAtMs),
          time: formatTime(barTimeMs + TIMEFRAME_MS[one.timeframe]),
          realisedPct: realised === undefined ? undefined : 100 * realised,
        })),
        records: recordsOf(all),
      };
    },
  }),
];
