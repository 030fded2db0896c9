import { z } from 'zod';
import { formatTime } from '../../core/foundation/time.ts';
import {
  CANDLE_COLUMNS,
  type Candles,
  emptyCandles,
  lowerBound,
  sliceCandles,
} from '../../core/market/candles.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { CandlePage, CandleRequest } from '../source.ts';
import type { CcxtErrors, CcxtExchange } from './ccxt.ts';

/** Exchanges that answer with their newest bars whatever `since` says: what is older cannot be had there. */
export const NEWEST_ONLY: ReadonlySet<string> = new Set(['kraken', 'gemini', 'hyperliquid']);

/** Exchanges that answer with the next bars there are, however far after `since`: what lies between is a gap. */
const NEXT_AVAILABLE: ReadonlySet<string> = new Set(['binance', 'binanceus']);

/**
 * Exchanges that answer with the newest bars of a window: its end has to be named. dYdX's names of its ends are not those
 * that ccxt sends.
 */
const WINDOW: Readonly<Record<string, (sinceMs: number, untilMs: number) => object>> = {
  dydx: (sinceMs, untilMs) => ({ fromISO: formatTime(sinceMs), toISO: formatTime(untilMs) }),
};

const DEFAULT_PAGE_ROWS = 300;

/**
 * Candles page by page. ccxt's own `paginate` returned nothing for an old `since`, without an error, so the
 * loop is ours: the next page starts after the last bar of this one, or after the window that was empty.
 */
export async function* exchangePages(
  exchange: CcxtExchange,
  request: Omit<CandleRequest, 'symbol'> & { readonly symbol: string },
  call: <T>(work: () => Promise<T>) => Promise<T>,
  errors: CcxtErrors,
): AsyncGenerator<CandlePage> {
  const { symbol, timeframe, untilMs } = request;
  const step = TIMEFRAME_MS[timeframe];
  const pageRows = barsPerRequest(exchange);
  // Rows arrive unfiltered: an answer that holds only older bars must not look like an empty one.
  exchange.filterBySinceLimit = (rows) => rows;

  for (let fromMs = request.sinceMs; fromMs < untilMs;) {
    const limit = Math.min(pageRows, Math.max(2, (untilMs - fromMs) / step + 1));
    const windowEndMs = Math.min(untilMs, fromMs + limit * step);
    const candles = await call(async () => {
      const window = WINDOW[exchange.id]?.(fromMs, fromMs + limit * step) ?? {};
      const rows = parseRows(await exchange.fetchOHLCV(symbol, timeframe, fromMs, limit, window));
      const from = lowerBound(rows.time, fromMs);
      const fault = pageFault(rows, { exchange, fromMs, untilMs });
      if (fault !== undefined) throw new errors.BadResponse(`${exchange.id} answered with ${fault}`);
      return sliceCandles(rows, from);
    });
    const inside = sliceCandles(candles, 0, lowerBound(candles.time, untilMs));
    const [firstMs, lastMs] = [candles.time.at(0), inside.time.at(-1)];
    const coveredUntilMs = lastMs === undefined ? windowEndMs : lastMs + step;
    const skipped = firstMs !== undefined && firstMs >= windowEndMs;
    const untold =
      firstMs !== undefined &&
      firstMs > fromMs &&
      (NEWEST_ONLY.has(exchange.id) || (skipped && !NEXT_AVAILABLE.has(exchange.id)));
    const nextMs = skipped
      ? Math.min(untilMs, lastMs === undefined ? firstMs : lastMs + step)
      : coveredUntilMs;
    yield {
      candles: inside,
      covered: { fromMs: untold ? Math.min(firstMs, nextMs) : fromMs, untilMs: nextMs },
    };
    fromMs = nextMs;
  }
}

/** Bars are stamped by their open: none lies in the future, give or take a wrong clock and a time zone. */
const FUTURE_MS = 86_400_000;

/** What makes a whole page unusable: times that cannot be those that were asked for. */
function pageFault(
  { time }: Candles,
  asked: { readonly exchange: CcxtExchange; readonly fromMs: number; readonly untilMs: number },
): string | undefined {
  const lastMs = time.at(-1);
  if (lastMs === undefined) {
    return NEWEST_ONLY.has(asked.exchange.id) ? 'no bars, not even the newest' : undefined;
  }
  if (!time.every(Number.isSafeInteger)) return 'bars without a time';
  if (lastMs > Math.max(asked.untilMs, Date.now()) + FUTURE_MS)
    return `bars of the future, the last of ${lastMs} ms since 1970`;
  if (lastMs < asked.fromMs) return `old bars when asked for those from ${formatTime(asked.fromMs)} on`;
  return undefined;
}

/** Most bars that the exchange gives in one answer, as ccxt knows it. */
export function barsPerRequest(exchange: CcxtExchange): number {
  const found = Features.safeParse(exchange.features);
  const { spot, swap } = found.data ?? {};
  return (spot ?? swap?.linear)?.fetchOHLCV.limit ?? DEFAULT_PAGE_ROWS;
}

const Page = z.object({ fetchOHLCV: z.object({ limit: z.number().int().positive().nullish() }) });
const Features = z.object({ spot: Page.nullish(), swap: z.object({ linear: Page.nullish() }).nullish() });

/**
 * ccxt's rows `[time, open, high, low, close, volume]` as columns, sorted by ccxt; of bars that come twice
 * the last one counts. What is not a number becomes NaN, which the checks reject.
 */
function parseRows(answer: unknown): Candles {
  const rows = z.array(z.unknown()).parse(answer);
  const candles = emptyCandles(rows.length);
  let count = 0;
  for (const row of rows) {
    if (!Array.isArray(row)) throw new TypeError('a row of candles that is no list');
    const values: readonly unknown[] = row;
    if (count > 0 && candles.time[count - 1] === values[0]) count--;
    for (const [i, column] of CANDLE_COLUMNS.entries()) {
      const value = values[i];
      candles[column][count] = typeof value === 'number' ? value : NaN;
    }
    count++;
  }
  return sliceCandles(candles, 0, count);
}
