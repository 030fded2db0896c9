import { z } from 'zod';
import { numberOf, startOfDay, understood } from '../read.ts';
import type { SeriesSource } from '../source.ts';

/** What all stablecoins together are worth, day by day, as DefiLlama counts it; no key. */
export const stablecoinsSource = (baseUrl: string): SeriesSource => ({
  id: 'defillama',
  series: 'stablecoins',
  baseUrl,
  async *rows({ ask }) {
    const days = understood(Answer, await ask('/stablecoincharts/all'));
    yield days.map(({ date, totalCirculatingUSD }) => ({
      timeMs: startOfDay(1000 * numberOf(date)),
      values: [totalCirculatingUSD.peggedUSD],
    }));
  },
});

const Answer = z
  .array(
    z.object({
      date: z.union([z.string(), z.number()]),
      totalCirculatingUSD: z.object({ peggedUSD: z.number() }),
    }),
  )
  .min(1);
