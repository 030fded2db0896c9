import { isTimeframe } from '../../../src/core/market/timeframe.ts';
import { barsAsOf, type Pair } from './market.ts';
import type { Routes } from './server.ts';

/** Yahoo Finance's chart endpoint; a pair against USDT or USD is its BASE-USD ticker. */
export function yahooRoutes(pairs: readonly Pair[]): Routes {
  return ({ path, params, nowMs }) => {
    const prefix = '/v8/finance/chart/';
    if (!path.startsWith(prefix)) return undefined;
    const ticker = decodeURIComponent(path.slice(prefix.length));
    const pair = pairs.find(({ base, quote }) => `${base}-${quote.replace(/^USDT$/, 'USD')}` === ticker);
    const timeframe = params.get('interval') ?? '';
    if (pair === undefined || !isTimeframe(timeframe)) {
      const error = { code: 'Not Found', description: 'No data found, symbol may be delisted' };
      return { status: 404, body: { chart: { result: null, error } } };
    }
    const bars = barsAsOf(pair, timeframe, {
      sinceMs: Number(params.get('period1')) * 1000,
      untilMs: Number(params.get('period2')) * 1000,
      nowMs,
    });
    // A bar without trades is a row of nulls at Yahoo; here, the bars whose volume is zero.
    const column = (values: Float64Array): (number | null)[] =>
      Array.from(values, (value, row) => (bars.volume[row] === 0 ? null : value));
    const quote = {
      open: column(bars.open),
      high: column(bars.high),
      low: column(bars.low),
      close: column(bars.close),
      volume: Array.from(bars.volume, (value, row) => (value === 0 ? null : value * bars.close[row])),
    };
    const result = {
      meta: { symbol: ticker },
      timestamp: Array.from(bars.time, (ms) => ms / 1000),
      indicators: { quote: [quote] },
    };
    return { status: 200, body: { chart: { result: [result], error: null } } };
  };
}
