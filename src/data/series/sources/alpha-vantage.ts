import { z } from 'zod';
import { plainLine } from '../../../core/foundation/plain-text.ts';
import { Unanswered } from '../../answer.ts';
import { numberOf, understood } from '../read.ts';
import type { SeriesSource } from '../source.ts';

const HOUR_MS = 3_600_000;
/** What 100 days, a short answer, reach back. */
const SHORT_MS = 130 * 86_400_000;

/**
 * Daily closes of the GLD fund of Alpha Vantage, for a key; 25 requests a day without a plan. Its refusals come with status
 * 200. It tells a day's close in the evening of New York: rows count as known 6 hours later than by their rule.
 */
export const alphaVantageGoldSource = (baseUrl: string, key: string): SeriesSource => ({
  id: 'alphavantage GLD',
  series: 'gold',
  baseUrl,
  laterMs: 6 * HOUR_MS,
  async *rows({ sinceMs, nowMs, ask }) {
    const params = new URLSearchParams({
      function: 'TIME_SERIES_DAILY',
      symbol: 'GLD',
      outputsize: nowMs - sinceMs < SHORT_MS ? 'compact' : 'full',
      datatype: 'json',
      apikey: key,
    });
    const answer = await ask(`/query?${params.toString()}`);
    const refusal = Refusal.safeParse(answer);
    if (refusal.success)
      throw new Unanswered(`refused: ${plainLine(Object.values(refusal.data).join(' '), 120)}`);
    const { 'Time Series (Daily)': days } = understood(Answer, answer);
    yield Object.entries(days).map(([day, { '4. close': close }]) => ({
      timeMs: Date.parse(`${day}T00:00:00Z`),
      values: [numberOf(close)],
    }));
  },
});

const said = z.string();
const Refusal = z.union([
  z.object({ Information: said }),
  z.object({ Note: said }),
  z.object({ 'Error Message': said }),
]);
const Answer = z.object({
  'Time Series (Daily)': z
    .record(z.iso.date(), z.object({ '4. close': z.string() }))
    .refine((days) => Object.keys(days).length > 0, 'no day'),
});
