import { type Candles, lowerBound, sliceCandles } from '../../../src/core/market/candles.ts';
import type { PairSymbol } from '../../../src/core/market/symbol.ts';
import type { TextAnswer } from '../texts/server.ts';
import { rowsOf } from './page.ts';

/** One request as a double sees it. */
export interface Asked {
  readonly path: string;
  readonly params: URLSearchParams;
  readonly body: string;
}

/** An exchange in its own wire format: hourly bars of one market, by its documented page size, order and units. */
export interface VenueDouble {
  readonly id: string;
  readonly symbol: PairSymbol;
  /** It gives its newest bars whatever it is asked for. */
  readonly newestOnly?: true;
  readonly pageRows: number;
  /** `undefined`: not one of its paths. */
  readonly answer: (asked: Asked, candles: Candles, nowMs: number) => unknown;
  /** What it says, with which status, when it is asked too often. */
  readonly tooMany: TextAnswer;
}

/** Rows that opened at `sinceMs` or later and before `untilMs`. */
const between = (candles: Candles, sinceMs: number, untilMs: number): number[][] =>
  rowsOf(
    sliceCandles(
      candles,
      lowerBound(candles.time, sinceMs),
      Math.max(lowerBound(candles.time, sinceMs), lowerBound(candles.time, untilMs)),
    ),
  );
const newestFirst = (rows: readonly number[][]): number[][] => rows.toReversed();
const number = (params: URLSearchParams, name: string, otherwise: number): number =>
  params.has(name) ? Number(params.get(name)) : otherwise;
const json = (status: number, body: object, headers: Readonly<Record<string, string>> = {}): TextAnswer => ({
  status,
  headers: { 'Content-Type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

/** https://www.okx.com/docs-v5/en/: newest first, strings; `before` and `after` are open ends, in their order. */
const okx: VenueDouble = {
  id: 'okx',
  symbol: 'BTC/USDT',
  pageRows: 300,
  tooMany: json(429, { code: '50011', msg: 'Too Many Requests', data: [] }),
  answer: ({ path, params }, candles, nowMs) => {
    const ok = (data: unknown) => ({ code: '0', msg: '', data });
    switch (path) {
      case '/api/v5/public/time':
        return ok([{ ts: String(nowMs) }]);
      case '/api/v5/public/instruments':
        return ok([
          {
            ...{ instType: 'SPOT', instId: 'BTC-USDT', baseCcy: 'BTC', quoteCcy: 'USDT', state: 'live' },
            ...{ tickSz: '0.1', lotSz: '0.00000001', minSz: '0.00001', ctVal: '', uly: '', settleCcy: '' },
          },
        ]);
      case '/api/v5/market/candles':
      case '/api/v5/market/history-candles': {
        const rows = between(
          candles,
          number(params, 'before', -Infinity) + 1,
          number(params, 'after', Infinity),
        );
        const most = Math.min(300, number(params, 'limit', 100));
        return ok(
          newestFirst(rows)
            .slice(0, most)
            .map((row) => [...row.map(String), '1', '1', '1']),
        );
      }
      default:
        return undefined;
    }
  },
};

/** https://www.kucoin.com/docs: seconds, close before high, newest first, 1 500 a page. */
const kucoin: VenueDouble = {
  id: 'kucoin',
  symbol: 'BTC/USDT',
  pageRows: 1500,
  tooMany: json(429, { code: '429000', msg: 'Too many requests' }, { 'Retry-After': '0' }),
  answer: ({ path, params }, candles, nowMs) => {
    const ok = (data: unknown) => ({ code: '200000', data });
    switch (path) {
      case '/api/v1/timestamp':
        return ok(nowMs);
      case '/api/v2/symbols':
        return ok([
          {
            ...{
              symbol: 'BTC-USDT',
              name: 'BTC-USDT',
              baseCurrency: 'BTC',
              quoteCurrency: 'USDT',
              enableTrading: true,
            },
            ...{
              baseIncrement: '0.00000001',
              quoteIncrement: '0.000001',
              priceIncrement: '0.1',
              baseMinSize: '0.00001',
            },
            ...{
              baseMaxSize: '10000',
              quoteMinSize: '0.1',
              quoteMaxSize: '99999999',
              isMarginEnabled: false,
            },
          },
        ]);
      case '/api/v1/market/allTickers':
        return ok({
          time: nowMs,
          ticker: [
            {
              symbol: 'BTC-USDT',
              takerFeeRate: '0.001',
              makerFeeRate: '0.001',
              takerCoefficient: '1',
              makerCoefficient: '1',
            },
          ],
        });
      case '/api/v1/market/candles': {
        const rows = between(
          candles,
          1000 * number(params, 'startAt', 0),
          1000 * number(params, 'endAt', Infinity),
        );
        return ok(
          newestFirst(rows)
            .slice(0, 1500)
            .map(([time, open, high, low, close, volume]) =>
              [time / 1000, open, close, high, low, volume, volume * close].map(String),
            ),
        );
      }
      default:
        return undefined;
    }
  },
};

/** https://bybit-exchange.github.io/docs/v5/intro: strings, newest first, 1 000 a page from `start` on. */
const bybit: VenueDouble = {
  id: 'bybit',
  symbol: 'BTC/USDT',
  pageRows: 1000,
  tooMany: json(200, {
    retCode: 10_006,
    retMsg: 'Too many visits. Exceeded the API Rate Limit.',
    result: {},
  }),
  answer: ({ path, params }, candles, nowMs) => {
    const ok = (result: unknown) => ({ retCode: 0, retMsg: 'OK', result, retExtInfo: {}, time: nowMs });
    switch (path) {
      case '/v5/market/time':
        return ok({ timeSecond: String(Math.floor(nowMs / 1000)), timeNano: `${nowMs}000000` });
      case '/v5/market/instruments-info':
        return ok({
          category: 'spot',
          list: [
            {
              ...{
                symbol: 'BTCUSDT',
                baseCoin: 'BTC',
                quoteCoin: 'USDT',
                status: 'Trading',
                marginTrading: 'none',
              },
              lotSizeFilter: {
                basePrecision: '0.000001',
                quotePrecision: '0.00000001',
                minOrderQty: '0.000048',
                maxOrderQty: '71',
                minOrderAmt: '1',
                maxOrderAmt: '2000000',
              },
              priceFilter: { tickSize: '0.01' },
            },
          ],
        });
      case '/v5/market/kline': {
        const rows = between(candles, number(params, 'start', -Infinity), Infinity);
        const page = rows.slice(0, Math.min(1000, number(params, 'limit', 200)));
        return ok({
          category: 'spot',
          symbol: 'BTCUSDT',
          list: newestFirst(page).map((row) => [...row, 1].map(String)),
        });
      }
      default:
        return undefined;
    }
  },
};

/** https://docs.gemini.com/rest/market-data: its newest bars alone, numbers, newest first. */
const gemini: VenueDouble = {
  id: 'gemini',
  symbol: 'BTC/USD',
  newestOnly: true,
  pageRows: 1000,
  tooMany: json(
    429,
    { result: 'error', reason: 'RateLimit', message: 'Requests were made too frequently.' },
    { 'Retry-After': '0' },
  ),
  answer: ({ path }, candles) => {
    if (path === '/v1/symbols') return ['btcusd'];
    if (path === '/v1/symbols/details/btcusd')
      return {
        symbol: 'BTCUSD',
        base_currency: 'BTC',
        quote_currency: 'USD',
        tick_size: 1e-8,
        quote_increment: 0.01,
        min_order_size: '0.00001',
        status: 'open',
      };
    if (path === '/v2/candles/btcusd/1hr') return newestFirst(rowsOf(candles)).slice(0, 1000);
    return undefined;
  },
};

/** https://docs.kraken.com/api/docs/futures-api/charts: asked in seconds, answered in milliseconds, oldest first, 2 000 a page. */
const krakenfutures: VenueDouble = {
  id: 'krakenfutures',
  symbol: 'BTC/USD',
  pageRows: 2000,
  tooMany: json(429, { errors: ['apiLimitExceeded'] }, { 'Retry-After': '0' }),
  answer: ({ path, params }, candles) => {
    if (path === '/derivatives/api/v3/instruments')
      return {
        result: 'success',
        instruments: [
          {
            symbol: 'PF_XBTUSD',
            type: 'flexible_futures',
            tickSize: 1,
            contractSize: 1,
            tradeable: true,
            contractValueTradePrecision: 4,
            openingDate: '2022-01-01T00:00:00.000Z',
            marginLevels: [{ contracts: 0, initialMargin: 0.02, maintenanceMargin: 0.01 }],
          },
        ],
        serverTime: '2025-01-01T00:00:00.000Z',
      };
    if (path !== '/api/charts/v1/trade/PF_XBTUSD/1h') return undefined;
    const rows = between(
      candles,
      1000 * number(params, 'from', 0),
      1000 * number(params, 'to', Infinity) + 1,
    );
    return {
      candles: rows.slice(0, 2000).map(([time, ...values]) => {
        const [open, high, low, close, volume] = values.map(String);
        return { time, open, high, low, close, volume };
      }),
      more_candles: rows.length > 2000,
    };
  },
};

/** https://docs.dydx.xyz: the newest `limit` bars of a window, newest first; without `toISO` the window ends now. */
const dydx: VenueDouble = {
  id: 'dydx',
  symbol: 'BTC/USDC',
  pageRows: 1000,
  tooMany: json(429, { errors: [{ msg: 'Too many requests' }] }, { 'Retry-After': '0' }),
  answer: ({ path, params }, candles, nowMs) => {
    const iso = (ms: number): string => new Date(ms).toISOString();
    if (path === '/v4/time') return { iso: iso(nowMs), epoch: nowMs / 1000 };
    if (path === '/v4/perpetualMarkets')
      return {
        markets: {
          'BTC-USD': {
            clobPairId: '0',
            ticker: 'BTC-USD',
            status: 'ACTIVE',
            oraclePrice: '100',
            stepSize: '0.0001',
            tickSize: '1',
            marketType: 'CROSS',
            atomicResolution: -10,
          },
        },
      };
    if (path !== '/v4/candles/perpetualMarkets/BTC-USD') return undefined;
    const at = (name: string, otherwise: number): number => Date.parse(params.get(name) ?? iso(otherwise));
    const rows = between(candles, at('fromISO', 0), at('toISO', nowMs));
    return {
      candles: newestFirst(rows)
        .slice(0, Math.min(1000, number(params, 'limit', 100)))
        .map(([time, ...values]) => {
          const [open, high, low, close, baseTokenVolume] = values.map(String);
          return {
            startedAt: iso(time),
            ticker: 'BTC-USD',
            resolution: '1HOUR',
            open,
            high,
            low,
            close,
            baseTokenVolume,
            usdVolume: '1',
            trades: 1,
            startingOpenInterest: '1',
          };
        }),
    };
  },
};

/** https://hyperliquid.gitbook.io: the newest 5 000 bars alone, oldest first; every question is a POST to /info. */
const hyperliquid: VenueDouble = {
  id: 'hyperliquid',
  symbol: 'BTC/USDC',
  newestOnly: true,
  pageRows: 5000,
  tooMany: { status: 429, body: 'null', headers: { 'Retry-After': '0' } },
  answer: ({ path, body }, candles, nowMs) => {
    if (path !== '/info') return undefined;
    const asked = JSON.parse(body) as {
      type: string;
      req?: { coin: string; interval: string; startTime: number; endTime: number };
    };
    if (asked.type === 'exchangeStatus') return { time: nowMs, specialStatuses: null };
    if (asked.type === 'metaAndAssetCtxs')
      return [
        {
          universe: [{ name: 'BTC', szDecimals: 5, maxLeverage: 40, marginTableId: 56 }],
          collateralToken: 0,
        },
        [
          {
            funding: '0.0000125',
            openInterest: '1',
            prevDayPx: '100',
            markPx: '100.5',
            midPx: '100.5',
            oraclePx: '100.5',
            dayNtlVlm: '1',
            premium: '0',
          },
        ],
      ];
    if (asked.type !== 'candleSnapshot' || asked.req === undefined) return undefined;
    const { coin, interval, startTime, endTime } = asked.req;
    const newest = sliceCandles(candles, Math.max(0, candles.time.length - 5000));
    return between(newest, startTime, endTime + 1).map(([t, ...values]) => {
      const [o, h, l, c, v] = values.map(String);
      return { t, T: t + 3_599_999, s: coin, i: interval, o, c, h, l, v, n: 1 };
    });
  },
};

export const VENUES: readonly VenueDouble[] = [okx, kucoin, bybit, gemini, krakenfutures, dydx, hyperliquid];
