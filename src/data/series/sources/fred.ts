import { z } from 'zod';
import { formatDay } from '../../../core/foundation/time.ts';
import { numberOf, understood } from '../read.ts';
import type { SeriesSource, SourceRow } from '../source.ts';

/** An index and FRED's name of it: the same closes as at the exchanges. Its dollar index is another one than the DXY. */
const FRED_SERIES = { spx: 'SP500', vix: 'VIXCLS' } as const;

const HOUR_MS = 3_600_000;

/**
 * Daily closes of FRED, the data of the Federal Reserve Bank of St. Louis, for a free key; 120 requests a minute. It tells a
 * close on the next business day: rows count as known 15 hours later than by their rule. "." is a holiday.
 */
export const fredSource = (series: keyof typeof FRED_SERIES, baseUrl: string, key: string): SeriesSource => ({
  id: `fred ${FRED_SERIES[series]}`,
  series,
  baseUrl,
  laterMs: 15 * HOUR_MS,
  async *rows({ sinceMs, ask }) {
    const params = new URLSearchParams({
      series_id: FRED_SERIES[series],
      observation_start: formatDay(sinceMs),
      file_type: 'json',
      api_key: key,
    });
    const { observations } = understood(Answer, await ask(`/fred/series/observations?${params.toString()}`));
    yield observations.map(({ date, value }): SourceRow => ({
      timeMs: Date.parse(`${date}T00:00:00Z`),
      values: [value === '.' ? NaN : numberOf(value)],
    }));
  },
});

const Answer = z.object({
  observations: z.array(z.object({ date: z.iso.date(), value: z.string() })).min(1),
});
