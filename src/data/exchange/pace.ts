import { UserError } from '../../core/foundation/errors.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import { barsPerRequest, NEWEST_ONLY } from './candles.ts';
import { loadCcxt } from './ccxt.ts';

/** What an exchange gives at once, and how often it may be asked, as ccxt knows it. */
export interface ExchangePace {
  readonly name: string;
  readonly barsPerRequest: number;
  readonly msPerRequest: number;
  /** It answers with its newest bars whatever is asked for: older ones cannot be had there. */
  readonly newestOnly: boolean;
}

/** Asks nobody. Throws `UserError` for an exchange or a bar length that there is not. */
export async function exchangePace(id: string, timeframe: Timeframe): Promise<ExchangePace> {
  const { exchange } = await loadCcxt(id, { timeoutMs: 1 });
  if (exchange.timeframes !== undefined && !(timeframe in exchange.timeframes))
    throw new UserError(`${exchange.name} has no ${timeframe} candles.`, {
      hint: `It has: ${Object.keys(exchange.timeframes).join(', ')}.`,
    });
  return {
    name: exchange.name,
    barsPerRequest: barsPerRequest(exchange),
    msPerRequest: exchange.rateLimit,
    newestOnly: NEWEST_ONLY.has(exchange.id),
  };
}
