import { formatDay } from '../../../core/foundation/time.ts';
import { z } from 'zod';
import { numberOf, understood } from '../read.ts';
import type { SeriesSource } from '../source.ts';

/** Their names of the columns of `on-chain`, in its order. */
const METRICS = [
  'AdrActCnt',
  'TxCnt',
  'FlowInExNtv',
  'FlowOutExNtv',
  'SplyExNtv',
  'HashRate',
  'SplyCur',
  'CapMVRVCur',
] as const;
const PAGE = 1000;

/** Daily metrics of Coin Metrics' community API (v4), no key; oldest first, page after page. */
export const coinMetricsSource = (baseUrl: string): SeriesSource => ({
  id: 'coinmetrics',
  series: 'on-chain',
  baseUrl,
  async *rows({ subject, sinceMs, ask }) {
    let token: string | undefined;
    do {
      const params = new URLSearchParams({
        assets: subject.toLowerCase(),
        metrics: METRICS.join(','),
        frequency: '1d',
        start_time: formatDay(sinceMs),
        page_size: String(PAGE),
        paging_from: 'start',
        ...(token === undefined ? {} : { next_page_token: token }),
      });
      const answer = understood(Answer, await ask(`/v4/timeseries/asset-metrics?${params.toString()}`));
      yield answer.data.map((row) => ({
        timeMs: Date.parse(row.time.replace(/\.\d+Z$/, 'Z')),
        values: METRICS.map((metric) => numberOf(row[metric])),
      }));
      token = answer.next_page_token === token ? undefined : answer.next_page_token;
    } while (token !== undefined);
  },
});

const metric = z.union([z.string(), z.number()]).nullish();
const Answer = z.object({
  data: z.array(
    z.object({
      time: z.string(),
      AdrActCnt: metric,
      TxCnt: metric,
      FlowInExNtv: metric,
      FlowOutExNtv: metric,
      SplyExNtv: metric,
      HashRate: metric,
      SplyCur: metric,
      CapMVRVCur: metric,
    }),
  ),
  next_page_token: z.string().min(1).optional(),
});
