import { z } from 'zod';
import { startOfDay, understood } from '../read.ts';
import type { SeriesSource } from '../source.ts';

/** Fees that all transactions of Bitcoin paid in a day, in dollars, of blockchain.com's charts; no key. */
export const bitcoinFeesSource = (baseUrl: string): SeriesSource => ({
  id: 'blockchain.com',
  series: 'bitcoin-fees',
  baseUrl,
  async *rows({ ask }) {
    const chart = '/charts/transaction-fees-usd?timespan=all&format=json&sampled=false';
    const { values } = understood(Answer, await ask(chart));
    yield values.map(({ x, y }) => ({ timeMs: startOfDay(1000 * x), values: [y] }));
  },
});

const Answer = z.object({ values: z.array(z.object({ x: z.number(), y: z.number() })).min(1) });
