import { z } from 'zod';
import { startOfDay, understood } from '../read.ts';
import type { SeriesSource, SourceRow } from '../source.ts';

/** An index and Yahoo's ticker of it. */
const YAHOO_TICKERS = { spx: '^GSPC', dxy: 'DX-Y.NYB', gold: 'GLD', vix: '^VIX' } as const;

/** Daily closes of Yahoo's chart endpoint, the one its page uses. A day's row stands at the market's open. */
export const yahooIndexSource = (series: keyof typeof YAHOO_TICKERS, baseUrl: string): SeriesSource => ({
  id: `yahoo ${YAHOO_TICKERS[series]}`,
  series,
  baseUrl,
  async *rows({ sinceMs, nowMs, ask }) {
    const [from, to] = [Math.floor(sinceMs / 1000), Math.ceil(nowMs / 1000)];
    const ticker = encodeURIComponent(YAHOO_TICKERS[series]);
    const { chart } = understood(
      Answer,
      await ask(`/v8/finance/chart/${ticker}?interval=1d&period1=${from}&period2=${to}`),
    );
    const [{ timestamp, indicators }] = chart.result;
    const closes = indicators.quote[0].close ?? [];
    const rows = timestamp.flatMap((seconds, i): SourceRow[] => {
      const close = closes[i];
      // A day without a close is a holiday, or today.
      return typeof close === 'number' ? [{ timeMs: startOfDay(1000 * seconds), values: [close] }] : [];
    });
    // The running day may come twice: its open and now.
    yield rows.filter(({ timeMs }, i) => timeMs !== rows[i + 1]?.timeMs);
  },
});

const Answer = z.object({
  chart: z.object({
    result: z
      .array(
        z.object({
          timestamp: z.array(z.number()).default([]),
          indicators: z.object({
            quote: z.array(z.object({ close: z.array(z.number().nullable()).optional() })).min(1),
          }),
        }),
      )
      .min(1),
  }),
});
