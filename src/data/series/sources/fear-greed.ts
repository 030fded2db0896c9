import { z } from 'zod';
import { numberOf, startOfDay, understood } from '../read.ts';
import type { SeriesSource } from '../source.ts';

/** The whole index since 2018, newest first; all values are strings. */
export const fearGreedSource = (baseUrl: string): SeriesSource => ({
  id: 'alternative.me',
  series: 'fear-greed',
  baseUrl,
  async *rows({ ask }) {
    const { data } = understood(Answer, await ask('/fng/?limit=0&format=json'));
    yield data.map(({ timestamp, value }) => ({
      timeMs: startOfDay(1000 * numberOf(timestamp)),
      values: [numberOf(value)],
    }));
  },
});

const Answer = z.object({ data: z.array(z.object({ value: z.string(), timestamp: z.string() })).min(1) });
