import { z } from 'zod';
import { knownMsOf, seriesKind } from '../../core/market/series-kinds.ts';
import type { TimedSeries } from '../../core/market/timed-series.ts';
import type { CcxtExchange } from './ccxt.ts';

const LEVELS = [5, 10, 20] as const;
const DEEPEST = 20;

/** Trades asked for at once, and how often at most: a busier interval has no flow, rather than half of one. */
const TRADES = 1000;
const TRADE_PAGES = 20;

const Level = z.tuple([z.number().positive(), z.number().nonnegative()]).rest(z.unknown());
const Book = z.object({ bids: z.array(Level).min(1), asks: z.array(Level).min(1) });
const Trades = z.array(
  z.object({
    id: z.string(),
    timestamp: z.number(),
    amount: z.number().positive(),
    side: z.enum(['buy', 'sell']),
  }),
);
type Trade = z.output<typeof Trades>[number];

/**
 * One row of the series `order-book`, as of now: the best prices, the base amounts on the best levels of each side,
 * and what takers bought and sold since `sinceMs`, `NaN` where the exchange does not give all of it.
 */
export async function readOrderBook(
  exchange: CcxtExchange,
  asked: { readonly market: string; readonly sinceMs: number; readonly nowMs: number },
  call: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<TimedSeries> {
  const { market, sinceMs, nowMs } = asked;
  const { bids, asks } = await call(async () => Book.parse(await exchange.fetchOrderBook(market, DEEPEST)));
  const trades = await tradesBetween(exchange, { market, sinceMs, nowMs }, call);
  const depth = (side: typeof bids, levels: number): number =>
    side.slice(0, levels).reduce((sum, [, amount]) => sum + amount, 0);
  const traded = (side: Trade['side']): number =>
    trades?.reduce((sum, trade) => sum + (trade.side === side ? trade.amount : 0), 0) ?? NaN;
  const values: Readonly<Record<string, number>> = {
    bid: bids[0][0],
    ask: asks[0][0],
    ...Object.fromEntries(
      LEVELS.flatMap((levels) => [
        [`bid_${levels}`, depth(bids, levels)],
        [`ask_${levels}`, depth(asks, levels)],
      ]),
    ),
    bought: traded('buy'),
    sold: traded('sell'),
  };
  const kind = seriesKind('order-book');
  return {
    time: Float64Array.of(nowMs),
    known: Float64Array.of(knownMsOf(kind, nowMs)),
    columns: Object.fromEntries(kind.columns.map(({ name }) => [name, Float64Array.of(values[name])])),
  };
}

/** An answer reaches back to `sinceMs` when it holds a trade from before: so much earlier they are asked for. */
const OVERLAP_MS = 60_000;

/** Trades after `sinceMs` and up to `nowMs`; `undefined` when the exchange does not give all of them. */
async function tradesBetween(
  exchange: CcxtExchange,
  { market, sinceMs, nowMs }: { readonly market: string; readonly sinceMs: number; readonly nowMs: number },
  call: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<readonly Trade[] | undefined> {
  const found = new Map<string, Trade>();
  let fromMs = sinceMs - OVERLAP_MS;
  for (let page = 0; page < TRADE_PAGES; page++) {
    const since = fromMs;
    const trades = await call(async () => Trades.parse(await exchange.fetchTrades(market, since, TRADES)));
    const times = trades.map(({ timestamp }) => timestamp);
    if (page === 0 && times.length > 0 && Math.min(...times) > sinceMs) return undefined;
    const before = found.size;
    for (const trade of trades) found.set(trade.id, trade);
    const lastMs = Math.max(...times);
    if (found.size === before || lastMs > nowMs)
      return [...found.values()].filter(({ timestamp }) => timestamp > sinceMs && timestamp <= nowMs);
    fromMs = lastMs;
  }
  return undefined;
}
