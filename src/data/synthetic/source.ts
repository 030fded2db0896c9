import type { CandleSource } from '../source.ts';
import { SYNTHETIC_START_MS, syntheticCandles } from './generate.ts';

const PAGE_MS = 90 * 86_400_000;

/** Made-up candles as a source: always there, and labelled as what they are. */
export function openSynthetic(options: { readonly seed: number }): CandleSource {
  return {
    name: `synthetic, seed ${options.seed}`,
    synthetic: true,
    clockMs: async () => Date.now(),
    async *pages({ symbol, timeframe, sinceMs, untilMs }) {
      for (let fromMs = sinceMs; fromMs < untilMs;) {
        const toMs = Math.min(untilMs, Math.max(fromMs, SYNTHETIC_START_MS) + PAGE_MS);
        const candles = syntheticCandles({
          symbol,
          timeframe,
          sinceMs: fromMs,
          untilMs: toMs,
          seed: options.seed,
        });
        yield { candles, covered: { fromMs, untilMs: toMs } };
        fromMs = toMs;
      }
    },
  };
}
