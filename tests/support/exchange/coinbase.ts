import { isTimeframe, TIMEFRAME_MS, TIMEFRAMES, type Timeframe } from '../../../src/core/market/timeframe.ts';
import { lastPrice, type Pair } from './market.ts';
import { candlePage, rowsOf } from './page.ts';
import type { Routes } from './server.ts';

/** Coinbase's own limit: a window of more bars than this is refused. */
const MOST_ROWS = 350;

/** Coinbase's public Advanced Trade API: candles of a window, nothing when the window holds none. */
export function coinbaseRoutes(pairs: readonly Pair[]): Routes {
  const products = '/api/v3/brokerage/market/products';
  return ({ path, params, nowMs, faults }) => {
    if (path === '/v2/time') {
      return {
        status: 200,
        body: { data: { epoch: Math.floor(nowMs / 1000), iso: new Date(nowMs).toISOString() } },
      };
    }
    if (path === products) {
      const spot = params.get('product_type') === 'FUTURE' ? [] : pairs.map((pair) => product(pair, nowMs));
      return { status: 200, body: { products: spot, num_products: spot.length } };
    }
    const id = new RegExp(`^${products}/([A-Z0-9-]+)/candles$`).exec(path)?.[1];
    if (id === undefined) return undefined;
    const pair = pairs.find((known) => idOf(known) === id);
    const timeframe = timeframeOf(params.get('granularity') ?? '');
    const [sinceMs, endMs] = [Number(params.get('start')) * 1000, Number(params.get('end')) * 1000];
    const bars = timeframe === undefined ? Infinity : (endMs - sinceMs) / TIMEFRAME_MS[timeframe];
    if (pair === undefined || timeframe === undefined || bars > MOST_ROWS) {
      return {
        status: 400,
        body: { error: 'INVALID_ARGUMENT', message: 'invalid product, granularity or window' },
      };
    }
    const page = candlePage({
      pair,
      timeframe,
      sinceMs,
      untilMs: endMs + 1,
      limit: MOST_ROWS,
      nowMs,
      faults,
    });
    const candles = rowsOf(page)
      .map(([openMs, open, high, low, close, volume]) => ({
        start: String(openMs / 1000),
        low: String(low),
        high: String(high),
        open: String(open),
        close: String(close),
        volume: String(volume),
      }))
      .toReversed(); // newest first, as Coinbase does
    return { status: 200, body: { candles } };
  };
}

const idOf = ({ base, quote }: Pair): string => `${base}-${quote}`;

const GRANULARITIES: Readonly<Record<string, string>> = {
  ONE_MINUTE: '1m',
  FIVE_MINUTE: '5m',
  FIFTEEN_MINUTE: '15m',
  THIRTY_MINUTE: '30m',
  ONE_HOUR: '1h',
  TWO_HOUR: '2h',
  SIX_HOUR: '6h',
  ONE_DAY: '1d',
};

function timeframeOf(granularity: string): Timeframe | undefined {
  const timeframe = TIMEFRAMES.find((known) => known === GRANULARITIES[granularity]);
  return timeframe !== undefined && isTimeframe(timeframe) ? timeframe : undefined;
}

const product = (pair: Pair, nowMs: number): unknown => ({
  product_id: idOf(pair),
  price: String(lastPrice(pair, nowMs) ?? 0),
  base_increment: String(pair.amountStep),
  quote_increment: String(pair.priceTick),
  price_increment: String(pair.priceTick),
  quote_min_size: String(pair.minNotional),
  quote_max_size: '150000000',
  base_min_size: String(pair.amountStep),
  base_max_size: '3400',
  status: 'online',
  trading_disabled: false,
  product_type: 'SPOT',
  quote_currency_id: pair.quote,
  base_currency_id: pair.base,
});
