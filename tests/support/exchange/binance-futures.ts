import { ExchangeRefusal } from './account.ts';
import { idOf, klines, toldTime } from './binance.ts';
import type { Pair } from './market.ts';
import type { Query, Reply, Routes } from './server.ts';

const HOUR_MS = 3_600_000;

/**
 * Binance's perpetuals settled in USDT, https://developers.binance.com/docs/derivatives/usds-margined-futures: one a
 * pair, at the pair's own prices. Funding at 0, 8 and 16 o'clock is (hours since the epoch mod 7 - 3) / 10000, stamped
 * 7 ms late; open interest on the hour is 80 000 + hours since the epoch mod 100.
 */
export function binanceFuturesRoutes(pairs: readonly Pair[]): Routes {
  const find = (id: string | null): Pair => {
    const pair = pairs.find((one) => idOf(one) === id);
    if (pair === undefined) throw new ExchangeRefusal(-1121, 'Invalid symbol.');
    return pair;
  };
  const routes: Readonly<Record<string, (query: Query) => unknown>> = {
    '/fapi/v1/ping': () => ({}),
    '/fapi/v1/time': (query) => ({ serverTime: toldTime(query) }),
    '/fapi/v1/exchangeInfo': () => ({ symbols: pairs.map(contractInfo) }),
    '/fapi/v1/klines': (query) => klines(query, find(query.params.get('symbol'))),
    '/fapi/v1/fundingRate': (query) => {
      const symbol = idOf(find(query.params.get('symbol')));
      return span(query, 8 * HOUR_MS).map((timeMs) => ({
        symbol,
        fundingRate: String(fundingRate(timeMs)),
        fundingTime: timeMs + 7,
        markPrice: '1',
      }));
    },
    '/futures/data/openInterestHist': (query) => {
      const symbol = idOf(find(query.params.get('symbol')));
      const oldestMs = query.nowMs - 30 * 24 * HOUR_MS;
      if (Number(query.params.get('startTime')) < oldestMs)
        throw new ExchangeRefusal(-1130, "parameter 'startTime' is invalid.");
      return span(query, HOUR_MS).map((timeMs) => ({
        symbol,
        sumOpenInterest: String(openInterest(timeMs)),
        sumOpenInterestValue: '1',
        timestamp: timeMs,
      }));
    },
  };
  return (query): Reply | undefined => {
    const route = query.method === 'GET' ? routes[query.path] : undefined;
    if (route === undefined) return undefined;
    try {
      return { status: 200, body: route(query) };
    } catch (error) {
      if (!(error instanceof ExchangeRefusal)) throw error;
      return { status: 400, body: { code: error.code, msg: error.message } };
    }
  };
}

export const fundingRate = (timeMs: number): number => ((timeMs / HOUR_MS) % 7) / 10_000 - 0.0003;
export const openInterest = (timeMs: number): number => 80_000 + ((timeMs / HOUR_MS) % 100);

/** Times from startTime to endTime and up to now, the first `limit` of them. */
function span({ params, nowMs }: Query, stepMs: number): readonly number[] {
  const fromMs = Math.ceil(Number(params.get('startTime')) / stepMs) * stepMs;
  const untilMs = Math.min(nowMs, Number(params.get('endTime') ?? nowMs));
  const times: number[] = [];
  for (let t = fromMs; t <= untilMs && times.length < Number(params.get('limit') ?? 100); t += stepMs)
    times.push(t);
  return times;
}

function contractInfo({ base, quote, amountStep, priceTick }: Pair): unknown {
  return {
    symbol: `${base}${quote}`,
    pair: `${base}${quote}`,
    contractType: 'PERPETUAL',
    deliveryDate: 4133404800000,
    onboardDate: 1569398400000,
    status: 'TRADING',
    baseAsset: base,
    quoteAsset: quote,
    marginAsset: quote,
    pricePrecision: 2,
    quantityPrecision: 3,
    baseAssetPrecision: 8,
    quotePrecision: 8,
    underlyingType: 'COIN',
    triggerProtect: '0.05',
    filters: [
      {
        filterType: 'PRICE_FILTER',
        minPrice: String(priceTick),
        maxPrice: '1000000',
        tickSize: String(priceTick),
      },
      { filterType: 'LOT_SIZE', minQty: String(amountStep), maxQty: '9000', stepSize: String(amountStep) },
      { filterType: 'MIN_NOTIONAL', notional: '5' },
    ],
    orderTypes: ['LIMIT', 'MARKET'],
    timeInForce: ['GTC'],
  };
}
