import type { Candles } from '../../../src/core/market/candles.ts';
import { isTimeframe, TIMEFRAME_MS } from '../../../src/core/market/timeframe.ts';
import { type Account, ExchangeRefusal, ORDER_TYPES } from './account.ts';
import { barsAsOf, finest, lastPrice, type Pair } from './market.ts';
import { candlePage, rowsOf } from './page.ts';
import type { Query, Reply, Routes } from './server.ts';

/** Binance's spot REST API, https://developers.binance.com/docs/binance-spot-api-docs/rest-api. */
export function binanceRoutes(pairs: readonly Pair[], account: Account): Routes {
  const byId = new Map(pairs.map((pair) => [`${pair.base}${pair.quote}`, pair]));

  let gone = false;
  const find = (id: string | null): Pair => {
    const pair = gone ? undefined : byId.get(id ?? '');
    if (pair === undefined) throw new ExchangeRefusal(-1121, 'Invalid symbol.');
    return pair;
  };
  /** One pair, those of `symbols`, or all. */
  const asked = ({ params }: Query): { one: boolean; pairs: readonly Pair[] } => {
    if (params.has('symbol')) return { one: true, pairs: [find(params.get('symbol'))] };
    const ids: unknown = JSON.parse(params.get('symbols') ?? 'null');
    return { one: false, pairs: Array.isArray(ids) ? ids.map((id) => find(String(id))) : pairs };
  };
  const each = (query: Query, make: (pair: Pair) => unknown): unknown => {
    const { one, pairs: wanted } = asked(query);
    return one ? make(wanted[0]) : wanted.map(make);
  };

  const routes: Readonly<Record<string, (query: Query) => unknown>> = {
    'GET ping': () => ({}),
    'GET time': (query) => ({ serverTime: toldTime(query) }),
    'GET exchangeInfo': (query) => ({
      timezone: 'UTC',
      serverTime: toldTime(query),
      rateLimits: [{ rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: 6000 }],
      exchangeFilters: [],
      symbols: asked(query).pairs.map(symbolInfo),
    }),
    'GET klines': (query) => klines(query, find(query.params.get('symbol'))),
    'GET ticker/price': (query) =>
      each(query, (pair) => ({ symbol: idOf(pair), price: text(lastPrice(pair, query.nowMs)) })),
    'GET ticker/bookTicker': (query) => each(query, (pair) => bookTicker(pair, query)),
    'GET ticker/24hr': (query) => each(query, (pair) => dayTicker(pair, query)),
    'GET depth': (query) => depth(find(query.params.get('symbol')), query),
    'GET trades': (query) => trades(find(query.params.get('symbol')), query),
    'GET aggTrades': (query) => aggregateTrades(find(query.params.get('symbol')), query),
    'GET account': (query) => account.describe(query),
    'POST order': (query) => account.place(find(query.params.get('symbol')), query),
    'GET order': (query) => account.find(query),
    'DELETE order': (query) => account.cancel(query),
    'POST orderList/oco': (query) => account.placePair(find(query.params.get('symbol')), query),
    'DELETE orderList': (query) => account.cancelList(query),
    'GET openOrders': (query) => account.open(query),
    'GET myTrades': (query) => account.trades(find(query.params.get('symbol')), query),
  };

  return (query): Reply | undefined => {
    const prefix = '/api/v3/';
    const isPermissions = query.path === '/sapi/v1/account/apiRestrictions';
    if (!query.path.startsWith(prefix) && !isPermissions) return undefined;
    const route = isPermissions
      ? (asked: Query) => account.permissions(asked)
      : routes[`${query.method} ${query.path.slice(prefix.length)}`];
    if (route === undefined) return undefined;
    gone = query.faults.some(({ kind }) => kind === 'gone');
    try {
      if (gone && query.params.has('symbol')) find(query.params.get('symbol'));
      return { status: 200, body: route(query) };
    } catch (error) {
      if (!(error instanceof ExchangeRefusal)) throw error;
      return { status: 400, body: { code: error.code, msg: error.message } };
    }
  };
}

export const idOf = ({ base, quote }: Pair): string => `${base}${quote}`;

const text = (value: number | undefined): string => String(value ?? 0);

export const toldTime = ({ nowMs, faults }: Query): number =>
  nowMs + (faults.find((fault) => fault.kind === 'wrong-clock')?.offsetMs ?? 0);

function symbolInfo(pair: Pair): unknown {
  const { base, quote, amountStep, priceTick, minNotional } = pair;
  return {
    symbol: idOf(pair),
    status: 'TRADING',
    baseAsset: base,
    baseAssetPrecision: 8,
    quoteAsset: quote,
    quotePrecision: 8,
    quoteAssetPrecision: 8,
    orderTypes: ORDER_TYPES,
    icebergAllowed: false,
    ocoAllowed: true,
    isSpotTradingAllowed: true,
    isMarginTradingAllowed: false,
    filters: [
      {
        filterType: 'PRICE_FILTER',
        minPrice: text(priceTick),
        maxPrice: '1000000',
        tickSize: text(priceTick),
      },
      { filterType: 'LOT_SIZE', minQty: text(amountStep), maxQty: '9000', stepSize: text(amountStep) },
      {
        filterType: 'NOTIONAL',
        minNotional: text(minNotional),
        applyMinToMarket: true,
        maxNotional: '9000000',
      },
    ],
    permissions: ['SPOT'],
    permissionSets: [['SPOT']],
  };
}

export function klines({ params, nowMs, faults }: Query, pair: Pair): unknown {
  const timeframe = params.get('interval') ?? '';
  if (!isTimeframe(timeframe)) throw new ExchangeRefusal(-1120, 'Invalid interval.');
  const time = (name: string): number | undefined =>
    params.has(name) ? Number(params.get(name)) : undefined;
  const endMs = time('endTime');
  const page = candlePage({
    pair,
    timeframe,
    sinceMs: time('startTime'),
    untilMs: endMs === undefined ? undefined : endMs + 1,
    limit: Math.min(1000, Number(params.get('limit') ?? 500)),
    nowMs,
    faults,
  });
  const step = TIMEFRAME_MS[timeframe];
  return rowsOf(page).map(([openMs, ...numbers]) => [
    openMs,
    ...numbers.map(String),
    openMs + step - 1,
    text(numbers[3] * numbers[4]),
    100,
    text(numbers[4] / 2),
    text((numbers[3] * numbers[4]) / 2),
    '0',
  ]);
}

/** The last price as it is told: a book that is stale tells another one. */
function toldPrice(pair: Pair, { nowMs, faults }: Query): number | undefined {
  const price = lastPrice(pair, nowMs);
  const off = faults.find((fault) => fault.kind === 'stale-book')?.offsetMs ?? 0;
  if (faults.some(({ kind }) => kind === 'absurd-price')) return price && price * 1e6;
  return price && Math.round((price * (1 + off / 1000)) / pair.priceTick) * pair.priceTick;
}

/** One tick around the last price. */
function quoteOf(pair: Pair, query: Query): { readonly bid: number; readonly ask: number } {
  const price = toldPrice(pair, query) ?? 0;
  return { bid: price - pair.priceTick, ask: price + pair.priceTick };
}

function bookTicker(pair: Pair, query: Query): unknown {
  const { bid, ask } = quoteOf(pair, query);
  return { symbol: idOf(pair), bidPrice: text(bid), bidQty: '1', askPrice: text(ask), askQty: '1' };
}

function dayTicker(pair: Pair, query: Query): unknown {
  const { nowMs } = query;
  const day: Candles = barsAsOf(pair, finest(pair), { sinceMs: nowMs - TIMEFRAME_MS['1d'], nowMs });
  const [open, close] = [day.open.at(0) ?? 0, toldPrice(pair, query) ?? 0];
  const volume = day.volume.reduce((total, value) => total + value, 0);
  const { bid, ask } = quoteOf(pair, query);
  return {
    symbol: idOf(pair),
    priceChange: text(close - open),
    priceChangePercent: text(open === 0 ? 0 : (100 * (close - open)) / open),
    weightedAvgPrice: text(close),
    prevClosePrice: text(open),
    lastPrice: text(close),
    lastQty: '0.01',
    bidPrice: text(bid),
    bidQty: '1',
    askPrice: text(ask),
    askQty: '1',
    openPrice: text(open),
    highPrice: text(day.high.reduce((best, value) => Math.max(best, value), 0)),
    lowPrice: text(day.low.reduce((best, value) => Math.min(best, value), Infinity)),
    volume: text(volume),
    quoteVolume: text(volume * close),
    openTime: nowMs - TIMEFRAME_MS['1d'],
    closeTime: nowMs,
    firstId: 1,
    lastId: 100,
    count: 100,
  };
}

/** A book that thickens away from the middle: level k is k ticks out and holds k/10 of the base. */
function depth(pair: Pair, { params, nowMs }: Query): unknown {
  const levels = Math.min(5000, Number(params.get('limit') ?? 100));
  const price = lastPrice(pair, nowMs) ?? 0;
  const side = (sign: number): string[][] =>
    Array.from({ length: levels }, (_, i) => [
      text(price + sign * (i + 1) * pair.priceTick),
      text((i + 1) / 10),
    ]);
  return { lastUpdateId: nowMs, bids: side(-1), asks: side(1) };
}

/** The last trades: one a second, at the last price. */
function lastTrades(pair: Pair, { params, nowMs }: Query): { id: number; price: string; time: number }[] {
  const count = Math.min(1000, Number(params.get('limit') ?? 500));
  const price = text(lastPrice(pair, nowMs));
  const sinceMs = Number(params.get('startTime') ?? -Infinity);
  const all = Array.from({ length: count }, (_, i) => {
    const time = nowMs - (count - i) * 1000;
    return { id: Math.floor(time / 1000), price, time };
  });
  return all.filter(({ time }) => time >= sinceMs);
}

const trades = (pair: Pair, query: Query): unknown =>
  lastTrades(pair, query).map(({ id, price, time }) => ({
    id,
    price,
    qty: '0.01',
    quoteQty: text(Number(price) * 0.01),
    time,
    isBuyerMaker: id % 2 === 0,
    isBestMatch: true,
  }));

const aggregateTrades = (pair: Pair, query: Query): unknown =>
  lastTrades(pair, query).map(({ id, price, time }) => ({
    a: id,
    p: price,
    q: '0.01',
    f: id,
    l: id,
    T: time,
    m: id % 2 === 0,
    M: true,
  }));
