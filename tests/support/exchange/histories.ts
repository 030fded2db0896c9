import type { HistoryName } from '../../../src/data/exchange/history.ts';
import type { PairSymbol } from '../../../src/core/market/symbol.ts';
import { emptyCandles } from '../../../src/core/market/candles.ts';
import { binanceFuturesRoutes } from './binance-futures.ts';
import { pair } from './market.ts';
import { type Asked, VENUES } from './venues.ts';

export type HistoryRow = readonly [timeMs: number, value: number];

/** An exchange's history of a perpetual, in its own wire format. */
export interface HistoryDouble {
  readonly id: string;
  readonly name: HistoryName;
  readonly symbol: PairSymbol;
  readonly everyHours: number;
  /** The rows that a request is about; `undefined`: it is another request. */
  readonly span: (asked: Asked) => readonly [sinceMs: number, untilMs: number] | undefined;
  readonly body: (rows: readonly HistoryRow[]) => unknown;
  /** How a time stands in an answer. */
  readonly stamp: (timeMs: number) => string;
  /** How rows name their market, where ccxt reads it. */
  readonly market?: string;
  /** Everything else that is asked for: clock and markets. */
  readonly other: (asked: Asked, nowMs: number) => unknown;
}

const iso = (timeMs: number): string => new Date(timeMs).toISOString();
const number = (params: URLSearchParams, name: string, otherwise: number): number =>
  params.has(name) ? Number(params.get(name)) : otherwise;
const startToEnd =
  (path: string): HistoryDouble['span'] =>
  (asked) =>
    asked.path === path
      ? [number(asked.params, 'startTime', 0), number(asked.params, 'endTime', Infinity)]
      : undefined;
const venue = (id: string): HistoryDouble['other'] => {
  const found = VENUES.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no double of ${id}`);
  return (asked, nowMs) => found.answer(asked, emptyCandles(0), nowMs);
};

/** https://developers.binance.com/docs/derivatives/usds-margined-futures: oldest first. */
const futures = binanceFuturesRoutes([pair('BTC/USDT', {})]);
const binance = {
  id: 'binanceusdm',
  symbol: 'BTC/USDT',
  stamp: String,
  other: ({ path, params }: Asked, nowMs: number) =>
    futures({ method: 'GET', path, params, headers: {}, faults: [], nowMs })?.body,
} as const;

/** https://bybit-exchange.github.io/docs/v5/market: strings, newest first. */
const bybit = {
  id: 'bybit',
  symbol: 'BTC/USDT',
  stamp: String,
  other: (asked: Asked, nowMs: number) => {
    if (asked.path !== '/v5/market/instruments-info') return venue('bybit')(asked, nowMs);
    const perpetual = {
      ...{ symbol: 'BTCUSDT', contractType: 'LinearPerpetual', status: 'Trading', fundingInterval: 480 },
      ...{ baseCoin: 'BTC', quoteCoin: 'USDT', settleCoin: 'USDT', launchTime: '1584230400000' },
      lotSizeFilter: { minOrderQty: '0.001', maxOrderQty: '1190', qtyStep: '0.001', minNotionalValue: '5' },
      priceFilter: { minPrice: '0.1', maxPrice: '1999999.8', tickSize: '0.1' },
      leverageFilter: { minLeverage: '1', maxLeverage: '100' },
    };
    const found = asked.params.has('status') ? [] : [perpetual];
    return { retCode: 0, retMsg: 'OK', result: { category: 'linear', list: found, nextPageCursor: '' } };
  },
} as const;
const bybitAnswer = (list: readonly object[]) => ({
  ...{ retCode: 0, retMsg: 'OK', retExtInfo: {}, time: 1 },
  result: { symbol: 'BTCUSDT', category: 'linear', list, nextPageCursor: '' },
});

export const HISTORIES: readonly HistoryDouble[] = [
  {
    ...binance,
    name: 'funding',
    everyHours: 8,
    market: 'BTCUSDT',
    span: startToEnd('/fapi/v1/fundingRate'),
    body: (rows) =>
      rows.map(([fundingTime, rate]) => ({
        ...{ symbol: 'BTCUSDT', fundingTime, fundingRate: String(rate), markPrice: '94000.1' },
      })),
  },
  {
    ...binance,
    name: 'open-interest',
    everyHours: 1,
    span: startToEnd('/futures/data/openInterestHist'),
    body: (rows) =>
      rows.map(([timestamp, amount]) => ({
        ...{ symbol: 'BTCUSDT', sumOpenInterest: String(amount), sumOpenInterestValue: '7.5', timestamp },
      })),
  },
  {
    ...bybit,
    name: 'funding',
    everyHours: 8,
    market: 'BTCUSDT',
    span: startToEnd('/v5/market/funding/history'),
    body: (rows) =>
      bybitAnswer(
        rows.toReversed().map(([timeMs, rate]) => ({
          ...{ symbol: 'BTCUSDT', fundingRate: String(rate), fundingRateTimestamp: String(timeMs) },
        })),
      ),
  },
  {
    ...bybit,
    name: 'open-interest',
    everyHours: 1,
    span: startToEnd('/v5/market/open-interest'),
    body: (rows) =>
      bybitAnswer(
        rows.toReversed().map(([timeMs, amount]) => ({
          openInterest: String(amount),
          timestamp: String(timeMs),
        })),
      ),
  },
  {
    // https://www.okx.com/docs-v5/en/: newest first, 100 a page; `before` and `after` are open ends, in their order.
    ...{ id: 'okx', name: 'funding', symbol: 'BTC/USDT', everyHours: 8, stamp: String },
    market: 'BTC-USDT-SWAP',
    span: ({ path, params }) =>
      path === '/api/v5/public/funding-rate-history'
        ? [number(params, 'before', 0) + 1, number(params, 'after', Infinity) - 1]
        : undefined,
    body: (rows) => ({
      ...{ code: '0', msg: '' },
      data: rows
        .toReversed()
        .slice(0, 100)
        .map(([timeMs, rate]) => ({
          ...{ instType: 'SWAP', instId: 'BTC-USDT-SWAP', method: 'current_period', formulaType: 'noRate' },
          ...{ fundingRate: '0.5', realizedRate: String(rate), fundingTime: String(timeMs) },
        })),
    }),
    other: (asked, nowMs) =>
      asked.path === '/api/v5/public/instruments'
        ? {
            ...{ code: '0', msg: '' },
            data: [
              {
                ...{ instType: 'SWAP', instId: 'BTC-USDT-SWAP', uly: 'BTC-USDT', settleCcy: 'USDT' },
                ...{ ctVal: '0.01', tickSz: '0.1', lotSz: '0.01', minSz: '0.01', state: 'live' },
              },
            ],
          }
        : venue('okx')(asked, nowMs),
  },
  {
    // https://hyperliquid.gitbook.io: oldest first, 500 a page, some milliseconds after the hour.
    ...{ id: 'hyperliquid', name: 'funding', symbol: 'BTC/USDC', everyHours: 1 },
    stamp: (timeMs) => String(timeMs + 71),
    span: ({ path, body }) => {
      const asked =
        path === '/info'
          ? (JSON.parse(body) as { type: string; startTime: number; endTime: number })
          : undefined;
      return asked?.type === 'fundingHistory' ? [asked.startTime, asked.endTime] : undefined;
    },
    body: (rows) =>
      rows.slice(0, 500).map(([timeMs, rate]) => ({
        coin: 'BTC',
        fundingRate: String(rate),
        premium: '0.5',
        time: timeMs + 71,
      })),
    other: venue('hyperliquid'),
  },
  {
    // https://docs.kraken.com/api/docs/futures-api: all that there is, oldest first.
    ...{ id: 'krakenfutures', name: 'funding', symbol: 'BTC/USD', everyHours: 1, stamp: iso },
    span: ({ path }) => (path.endsWith('/historicalfundingrates') ? [0, Infinity] : undefined),
    body: (rows) => ({
      result: 'success',
      serverTime: '2025-02-01T00:00:00.000Z',
      rates: rows.map(([timeMs, rate]) => ({
        ...{ timestamp: iso(timeMs), fundingRate: 0.5, relativeFundingRate: rate },
      })),
    }),
    other: venue('krakenfutures'),
  },
  {
    // https://docs.dydx.xyz: newest first, up to an end.
    ...{ id: 'dydx', name: 'funding', symbol: 'BTC/USDC', everyHours: 1, stamp: iso },
    span: ({ path, params }) =>
      path === '/v4/historicalFunding/BTC-USD'
        ? [0, Date.parse(params.get('effectiveBeforeOrAt') ?? iso(8e15))]
        : undefined,
    body: (rows) => ({
      historicalFunding: rows
        .toReversed()
        .slice(0, 200)
        .map(([timeMs, rate]) => ({
          ...{ ticker: 'BTC-USD', rate: String(rate), price: '94000.1' },
          ...{ effectiveAt: iso(timeMs), effectiveAtHeight: '34' },
        })),
    }),
    other: venue('dydx'),
  },
];
