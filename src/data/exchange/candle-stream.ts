import { z } from 'zod';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { barOpen, type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { Ccxt } from './ccxt.ts';
import { listen, type Subject } from './listen.ts';

/** Who wants to know that a bar has closed as soon as the exchange tells it. */
export interface CandleListener {
  /** A bar that opens at `openMs` has begun, so the one before has closed; once for each bar, whichever symbol tells it first. */
  readonly onBar: (openMs: number) => void;
  /** Nothing is heard, and why; `undefined`: it is heard again. */
  readonly onFault: (fault: string | undefined) => void;
  /** The exchange's clock, as far as it is known here. */
  readonly now: () => number;
}

/**
 * Listens to candles, or to trades where the exchange streams no candles, until `signal` aborts. Only their times are looked at: they
 * are a hint to ask for the closed bar now, and what the exchange then answers is the truth. A time that lies more than a bar off `now`
 * says nothing. `spell`: a symbol as the exchange spells it. Never throws.
 */
export async function listenToCandles(
  ccxt: Ccxt,
  asked: {
    readonly symbols: readonly PairSymbol[];
    readonly timeframe: Timeframe;
    readonly spell: (symbol: PairSymbol) => Promise<string>;
  },
  { onBar, onFault, now }: CandleListener,
  signal: AbortSignal,
): Promise<void> {
  const { exchange } = ccxt;
  const { timeframe } = asked;
  const step = TIMEFRAME_MS[timeframe];
  let newestMs = barOpen(now(), timeframe);
  const heardAt = (timeMs: number | undefined): void => {
    if (timeMs === undefined) return;
    const openMs = barOpen(timeMs, timeframe);
    if (openMs <= newestMs || openMs > now() + step) return;
    newestMs = openMs;
    onBar(openMs);
  };
  const subjects = asked.symbols.map((symbol): Subject => {
    let spelled: string | undefined;
    const theirs = async (): Promise<string> => (spelled ??= await asked.spell(symbol));
    if (exchange.has['watchOHLCV'] === true)
      return {
        watch: async () => exchange.watchOHLCV(await theirs(), timeframe),
        heard: (rows) => heardAt(Candle.safeParse(lastOf(rows)).data?.[0]),
      };
    return {
      watch: async () => exchange.watchTrades(await theirs()),
      heard: (trades) => heardAt(Trade.safeParse(lastOf(trades)).data?.timestamp),
    };
  });
  await listen(ccxt, subjects, onFault, signal);
}

const lastOf = (list: unknown): unknown => (Array.isArray(list) ? list.at(-1) : undefined);
const Candle = z.tuple([z.number()]).rest(z.unknown());
const Trade = z.object({ timestamp: z.number() });
