import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { CandleSource } from '../source.ts';
import { giveWay } from '../turns.ts';
import { SYNTHETIC_START_MS, syntheticCandles } from './generate.ts';

/** Days are made whole; a page holds about as many bars as can be made in a twentieth of a second. */
const DAY_MS = TIMEFRAME_MS['1d'];
const PAGE_BARS = 10_000;
const LONGEST_PAGE_DAYS = 90;

/** Made-up candles as a source: always there, and labelled as what they are. */
export function openSynthetic(options: { readonly seed: number }): CandleSource {
  return {
    name: `synthetic, seed ${options.seed}`,
    synthetic: true,
    clockMs: async () => Date.now(),
    async *pages({ symbol, timeframe, sinceMs, untilMs, signal }) {
      const days = Math.floor((PAGE_BARS * TIMEFRAME_MS[timeframe]) / DAY_MS);
      const pageMs = Math.min(LONGEST_PAGE_DAYS, days) * DAY_MS;
      for (let fromMs = sinceMs; fromMs < untilMs;) {
        const toMs = Math.min(untilMs, Math.max(fromMs, SYNTHETIC_START_MS) + pageMs);
        const candles = syntheticCandles({
          symbol,
          timeframe,
          sinceMs: fromMs,
          untilMs: toMs,
          seed: options.seed,
        });
        yield { candles, covered: { fromMs, untilMs: toMs } };
        await giveWay(signal);
        fromMs = toMs;
      }
    },
  };
}
