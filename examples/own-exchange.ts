import { type CandleSource, defineSource, emptyCandles, lowerBound, sliceCandles } from 'crypto-trader';
import { checkSource } from 'crypto-trader/testing';
import { market } from './market.ts';

/** What an exchange of your own answers; here one that lives in memory and keeps 1000 bars a page. */
const { candles } = market([]).series[0];
const DAY_MS = 86_400_000;
const example = {
  symbol: 'BTC/USDT',
  timeframe: '1h',
  sinceMs: candles.time[0],
  untilMs: candles.time[0] + 90 * DAY_MS,
} as const;

/** As a file in user/ with `export default`: crypto-trader fetch --source mine. */
const mine = defineSource({
  id: 'mine',
  summary: 'an exchange that nobody else knows',
  example,
  open: (): CandleSource => ({
    name: 'mine',
    synthetic: true,
    clockMs: async () => Date.now(),
    async *pages({ sinceMs, untilMs, signal }) {
      for (let fromMs = sinceMs; fromMs < untilMs; fromMs += 1000 * 3_600_000) {
        signal.throwIfAborted();
        const toMs = Math.min(untilMs, fromMs + 1000 * 3_600_000);
        const [from, to] = [fromMs, toMs].map((time) => lowerBound(candles.time, time));
        const page = from < to ? sliceCandles(candles, from, to) : emptyCandles(0);
        yield { candles: page, covered: { fromMs, untilMs: toMs } };
      }
    },
  }),
});

let kept = 0;
for await (const verdict of checkSource(mine.open(), mine.example)) {
  if (verdict.kind === 'kept') kept++;
  else process.stdout.write(`BROKEN ${verdict.law}: ${verdict.reason}\n`);
}
process.stdout.write(`${kept} laws kept\n`);
