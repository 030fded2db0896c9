import { z } from 'zod';
import { formatDay } from '../../../core/foundation/time.ts';
import { Unanswered } from '../../answer.ts';
import { startOfDay, understood } from '../read.ts';
import type { SeriesSource, SourceRow } from '../source.ts';

/** Its names of the columns of each series, in their order; `undefined`: it has none. */
const METRICS = {
  whales: [
    'transactions/transfers_whales_to_exchanges_count',
    undefined,
    undefined,
    'transactions/transfers_volume_whales_to_exchanges_sum',
    'transactions/transfers_volume_exchanges_to_whales_sum',
  ],
  'long-term-holders': ['supply/lth_sum'],
  gas: ['fees/gas_price_mean'],
  liquidations: [
    'derivatives/futures_liquidated_volume_long_sum',
    'derivatives/futures_liquidated_volume_short_sum',
  ],
} as const;

/** Series that Glassnode gives for a key, which is paid for; many plans have none of them. */
export type GlassnodeSeries = keyof typeof METRICS;

/** Daily metrics of Glassnode's API (v1), one request each. Its heuristics are revised: the first value stays. */
export const glassnodeSource = (series: GlassnodeSeries, baseUrl: string, key: string): SeriesSource => ({
  id: 'glassnode',
  series,
  baseUrl,
  headers: { 'X-Api-Key': key },
  async *rows({ subject, sinceMs, nowMs, ask }) {
    const params = new URLSearchParams({
      a: subject === '' ? 'ETH' : subject,
      i: '24h',
      s: String(Math.floor(startOfDay(sinceMs) / 1000)),
      u: String(Math.floor(nowMs / 1000)),
      f: 'json',
      timestamp_format: 'unix',
    });
    const days = new Map<number, number[]>();
    for (const [at, metric] of METRICS[series].entries()) {
      if (metric === undefined) continue;
      const points = understood(Answer, await ask(`/v1/metrics/${metric}?${params.toString()}`));
      for (const { t, v } of points) {
        const timeMs = startOfDay(1000 * t);
        if (!Number.isNaN(days.get(timeMs)?.[at] ?? NaN))
          throw new Unanswered(`two rows of ${formatDay(timeMs)}`);
        const values = days.get(timeMs) ?? METRICS[series].map(() => NaN);
        values[at] = v ?? NaN;
        days.set(timeMs, values);
      }
    }
    yield [...days].map(([timeMs, values]): SourceRow => ({ timeMs, values }));
  },
});

const Answer = z.array(z.object({ t: z.number(), v: z.number().nullable() })).min(1);
