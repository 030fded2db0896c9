import { z } from 'zod';
import { Unanswered } from '../../answer.ts';
import { startOfDay, understood } from '../read.ts';
import type { SeriesSource } from '../source.ts';

/**
 * Fee rates in the blocks of Bitcoin of mempool.space, three years back; no key. Its groups of blocks are half days with the
 * mean time of their blocks: a day is the mean of its groups, and the first one, which may be half a day, is left out.
 */
export const feeRatesSource = (baseUrl: string): SeriesSource => ({
  id: 'mempool.space',
  series: 'fee-rates',
  baseUrl,
  async *rows({ ask }) {
    const groups = understood(Answer, await ask('/api/v1/mining/blocks/fee-rates/3y'));
    const days = new Map<number, (typeof groups)[number][]>();
    if (new Set(groups.map(({ timestamp }) => timestamp)).size < groups.length)
      throw new Unanswered('two groups of blocks of one time');
    for (const group of groups) {
      const day = startOfDay(1000 * group.timestamp);
      days.set(day, [...(days.get(day) ?? []), group]);
    }
    const first = Math.min(...days.keys());
    const mean = (values: readonly number[]): number =>
      values.reduce((sum, one) => sum + one, 0) / values.length;
    yield [...days].flatMap(([timeMs, found]) =>
      timeMs === first
        ? []
        : [
            {
              timeMs,
              values: [mean(found.map((one) => one.avgFee_50)), mean(found.map((one) => one.avgFee_90))],
            },
          ],
    );
  },
});

const Answer = z
  .array(
    z.object({
      timestamp: z.number(),
      avgFee_50: z.number().nonnegative(),
      avgFee_90: z.number().nonnegative(),
    }),
  )
  .min(1);
