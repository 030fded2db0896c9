import { TIMEFRAME_MS, type Timeframe } from '../../../src/core/market/timeframe.ts';
import { lastPrice, type Pair } from './market.ts';
import { candlePage, rowsOf } from './page.ts';
import type { Query, Routes } from './server.ts';

const MINUTE_MS = 60_000;
/** Kraken's own limit: never more than the newest 720 bars, whatever `since` says. */
const NEWEST_ROWS = 720;

/** Kraken's public REST API, https://docs.kraken.com/api/. */
export function krakenRoutes(pairs: readonly Pair[]): Routes {
  const byId = new Map(pairs.map((pair) => [idOf(pair), pair]));

  const result: Readonly<Record<string, (query: Query) => unknown>> = {
    Time: ({ nowMs }) => ({ unixtime: Math.floor(nowMs / 1000), rfc1123: new Date(nowMs).toUTCString() }),
    AssetPairs: () => Object.fromEntries(pairs.map((pair) => [idOf(pair), pairInfo(pair)])),
    OHLC: ({ params, nowMs, faults }) => {
      const pair = byId.get(params.get('pair') ?? '');
      const timeframe = timeframeOf(Number(params.get('interval') ?? 1));
      if (pair === undefined || timeframe === undefined) return undefined;
      const newest = candlePage({
        pair,
        timeframe,
        sinceMs: undefined,
        untilMs: undefined,
        limit: NEWEST_ROWS,
        nowMs,
        faults,
      });
      const afterMs = Number(params.get('since') ?? 0) * 1000;
      const rows = rowsOf(newest).filter(([openMs]) => openMs > afterMs);
      return {
        [idOf(pair)]: rows.map(([openMs, open, high, low, close, volume]) => [
          openMs / 1000,
          ...[open, high, low, close, close, volume].map(String),
          100,
        ]),
        last: (rows.at(-2)?.[0] ?? nowMs) / 1000,
      };
    },
    Ticker: ({ nowMs }) =>
      Object.fromEntries(
        pairs.map((pair) => {
          const price = String(lastPrice(pair, nowMs) ?? 0);
          const [twice, level] = [
            [price, price],
            [price, '1', '1.000'],
          ];
          return [
            idOf(pair),
            {
              a: level,
              b: level,
              c: [price, '0.1'],
              v: ['1', '1'],
              p: twice,
              t: [1, 1],
              l: twice,
              h: twice,
              o: price,
            },
          ];
        }),
      ),
  };

  return (query) => {
    const prefix = '/0/public/';
    if (!query.path.startsWith(prefix)) return undefined;
    const route = result[query.path.slice(prefix.length)];
    const found = route?.(query);
    if (found === undefined) return { status: 200, body: { error: ['EGeneral:Invalid arguments'] } };
    return { status: 200, body: { error: [], result: found } };
  };
}

/** Kraken calls bitcoin XBT. */
const assetId = (asset: string): string => (asset === 'BTC' ? 'XBT' : asset);
const idOf = ({ base, quote }: Pair): string => `${assetId(base)}${assetId(quote)}`;

const decimals = (step: number): number => Math.round(-Math.log10(step));

function pairInfo(pair: Pair): unknown {
  return {
    altname: idOf(pair),
    wsname: `${assetId(pair.base)}/${assetId(pair.quote)}`,
    aclass_base: 'currency',
    base: assetId(pair.base),
    aclass_quote: 'currency',
    quote: assetId(pair.quote),
    lot: 'unit',
    cost_decimals: 5,
    pair_decimals: decimals(pair.priceTick),
    lot_decimals: decimals(pair.amountStep),
    lot_multiplier: 1,
    leverage_buy: [],
    leverage_sell: [],
    fees: [[0, 0.25]],
    fees_maker: [[0, 0.16]],
    fee_volume_currency: 'ZUSD',
    margin_call: 80,
    margin_stop: 40,
    ordermin: String(pair.amountStep),
    costmin: String(pair.minNotional),
    tick_size: String(pair.priceTick),
    status: 'online',
  };
}

function timeframeOf(minutes: number): Timeframe | undefined {
  for (const timeframe of ['1m', '5m', '15m', '30m', '1h', '4h', '1d'] as const) {
    if (TIMEFRAME_MS[timeframe] === minutes * MINUTE_MS) return timeframe;
  }
  return undefined;
}
