import { z } from 'zod';
import { formatTime } from '../core/foundation/time.ts';
import { UserError } from '../core/foundation/errors.ts';
import type { Log } from '../core/foundation/log.ts';
import {
  CANDLE_COLUMNS,
  candlesBetween,
  emptyCandles,
  sliceCandles,
  type Candles,
} from '../core/market/candles.ts';
import { plainLine } from '../core/foundation/plain-text.ts';
import type { PairSymbol } from '../core/market/symbol.ts';
import { TIMEFRAME_MS, type Timeframe } from '../core/market/timeframe.ts';
import { type Answer, answerOf, Unanswered } from './answer.ts';
import { createPatience } from './patience.ts';
import { type CandleSource, SourceUnavailable } from './source.ts';

const DAY_MS = 86_400_000;

/** Bar lengths that Yahoo has, how far back they go, and how much of them one answer may hold. */
const YAHOO_TIMEFRAMES: Partial<Record<Timeframe, { readonly historyMs: number; readonly pageMs: number }>> =
  {
    '1m': { historyMs: 29 * DAY_MS, pageMs: 7 * DAY_MS },
    '5m': { historyMs: 59 * DAY_MS, pageMs: 59 * DAY_MS },
    '15m': { historyMs: 59 * DAY_MS, pageMs: 59 * DAY_MS },
    '30m': { historyMs: 59 * DAY_MS, pageMs: 59 * DAY_MS },
    '1h': { historyMs: 729 * DAY_MS, pageMs: 200 * DAY_MS },
    '1d': { historyMs: 18_000 * DAY_MS, pageMs: 3650 * DAY_MS },
  };

export interface YahooOptions {
  readonly baseUrl?: string | undefined;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly retryDelayMs?: number;
  readonly log: Log;
}

/** The ticker that stands for a pair: Yahoo knows dollars only, so a dollar stablecoin is read as the dollar. */
export function yahooTicker(symbol: PairSymbol): string {
  const [base, quote] = symbol.split('/');
  return `${base}-${/^(USDT|USDC|BUSD|FDUSD|TUSD|DAI)$/.test(quote) ? 'USD' : quote}`;
}

/**
 * Candles from Yahoo Finance's chart endpoint, the one its web page uses (no key). Prices are averages over
 * exchanges. Volume arrives in quote currency and is divided by the close; hours without one have volume 0.
 */
export function openYahoo(symbol: PairSymbol, options: YahooOptions): CandleSource {
  const { baseUrl = 'https://query1.finance.yahoo.com', timeoutMs, retries, log } = options;
  const ticker = yahooTicker(symbol);
  const patience = createPatience({
    name: 'Yahoo',
    retries,
    ...(options.retryDelayMs === undefined ? {} : { firstDelayMs: options.retryDelayMs }),
    isTransient: (error) => error instanceof Unanswered,
    log,
  });

  const ask = async (query: string, signal: AbortSignal): Promise<Chart> => {
    try {
      return await patience.call(async () => {
        const url = `${baseUrl}/v8/finance/chart/${encodeURIComponent(ticker)}?${query}`;
        const answer = await answerOf(url, { headers: HEADERS, timeoutMs, signal });
        patience.heed(answer.status, answer.headers);
        return readChart(answer, ticker);
      }, signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof Unanswered)) throw error;
      throw new SourceUnavailable(`Yahoo cannot be reached or is not answering: ${error.message}`, {
        hint: `Tried ${retries === 0 ? 'once' : `${retries + 1} times`}. Check the network, or try again later.`,
        cause: error,
      });
    }
  };

  return {
    name: `yahoo ${ticker}`,
    synthetic: false,
    clockMs: async () => Date.now(),
    async *pages({ timeframe, sinceMs, untilMs, signal }) {
      const limits = YAHOO_TIMEFRAMES[timeframe];
      if (limits === undefined) {
        throw new UserError(`Yahoo has no ${timeframe} candles.`, {
          hint: `It has: ${Object.keys(YAHOO_TIMEFRAMES).join(', ')}.`,
        });
      }
      const oldestMs =
        Math.ceil((Date.now() - limits.historyMs) / TIMEFRAME_MS[timeframe]) * TIMEFRAME_MS[timeframe];
      const reach = `Yahoo has ${timeframe} candles only from ${formatTime(oldestMs)} on.`;
      if (untilMs <= oldestMs) {
        throw new SourceUnavailable(reach, { hint: 'Ask for a later range, or use another --source.' });
      }
      if (sinceMs < oldestMs) log.warn({ ticker }, reach);
      for (let fromMs = Math.max(sinceMs, oldestMs); fromMs < untilMs; fromMs += limits.pageMs) {
        const toMs = Math.min(untilMs, fromMs + limits.pageMs);
        const query = `interval=${timeframe}&period1=${fromMs / 1000}&period2=${toMs / 1000}`;
        const candles = candlesBetween(toCandles(await ask(query, signal)), fromMs, toMs);
        yield { candles, covered: { fromMs, untilMs: toMs } };
      }
    },
  };
}

const HEADERS = { 'User-Agent': 'Mozilla/5.0', Accept: 'application/json' };

const column = z.array(z.number().nullable());
const Chart = z.object({
  timestamp: z.array(z.number()).default([]),
  indicators: z.object({
    quote: z
      .array(z.object({ open: column, high: column, low: column, close: column, volume: column }).partial())
      .min(1),
  }),
});
type Chart = z.infer<typeof Chart>;

const ChartAnswer = z.object({
  chart: z.object({
    result: z.array(Chart).nullable(),
    error: z.object({ code: z.string(), description: z.string() }).nullable(),
  }),
});

function readChart({ status, body }: Answer, ticker: string): Chart {
  const parsed = ChartAnswer.safeParse(parseJson(body));
  const error = parsed.data?.chart.error;
  if (status === 404 || error?.code === 'Not Found') {
    throw new UserError(`Yahoo does not know ${ticker}.`, {
      hint: 'Check the symbol, or use another --source.',
    });
  }
  const chart = parsed.data?.chart.result?.at(0);
  if (status === 200 && chart !== undefined) return chart;
  throw new Unanswered(`status ${status}, ${plainLine(error?.description ?? 'no chart in the answer')}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Rows with a missing price are bars that Yahoo does not have: they stay missing. */
function toCandles({ timestamp, indicators }: Chart): Candles {
  const [quote] = indicators.quote;
  const candles = emptyCandles(timestamp.length);
  let rows = 0;
  for (const [i, seconds] of timestamp.entries()) {
    const [open, high, low, close] = [quote.open?.[i], quote.high?.[i], quote.low?.[i], quote.close?.[i]];
    const whole = [open, high, low, close].every((price) => typeof price === 'number');
    if (!whole || (rows > 0 && seconds * 1000 <= candles.time[rows - 1])) continue;
    const volume = (quote.volume?.[i] ?? 0) / (close ?? 1);
    for (const [c, value] of [seconds * 1000, open, high, low, close, volume].entries()) {
      candles[CANDLE_COLUMNS[c]][rows] = value ?? NaN;
    }
    rows++;
  }
  return sliceCandles(candles, 0, rows);
}
