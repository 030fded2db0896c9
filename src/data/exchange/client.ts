import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { nearest } from '../../core/foundation/nearest.ts';
import { plainLine } from '../../core/foundation/plain-text.ts';
import type { Log } from '../../core/foundation/log.ts';
import { isSpellingOf, type PairSymbol } from '../../core/market/symbol.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import type { TimedSeries } from '../../core/market/timed-series.ts';
import { Unanswered } from '../answer.ts';
import { type CandleSource, SourceUnavailable, SymbolUnknown } from '../source.ts';
import { type Ccxt, type CcxtExchange, loadCcxt } from './ccxt.ts';
import { exchangePages } from './candles.ts';
import { type CandleListener, listenToCandles } from './candle-stream.ts';
import { HISTORY_CALLS, type HistoryName, historyPages } from './history.ts';
import { type InstrumentFacts, readInstrument } from './instruments.ts';
import { readOrderBook } from './order-book.ts';
import { createPatience, type Patience } from '../patience.ts';

export interface ExchangeOptions {
  /** A ccxt exchange id. */
  readonly id: string;
  /** Another host that speaks this exchange's API. */
  readonly baseUrl?: string | undefined;
  /** Perpetuals in place of spot markets. */
  readonly perpetuals?: boolean;
  readonly timeoutMs: number;
  readonly retries: number;
  /** Pause before the first further attempt. */
  readonly retryDelayMs?: number;
  /** Whether requests are spaced as the exchange asks for; default: yes. */
  readonly paced?: boolean;
  /** With sockets to listen on; default: no. */
  readonly streams?: boolean;
  readonly log: Log;
}

/** Public market data of one exchange. Every call repeats what fails in passing, and fails with `UserError`. */
export interface ExchangeClient extends CandleSource {
  readonly id: string;
  /** What an order has to respect. `UserError` with the nearest symbol when a symbol is not traded there. */
  instruments(symbols: readonly PairSymbol[], signal: AbortSignal): Promise<readonly InstrumentFacts[]>;
  /** Price of the last trade, in the order of `symbols`; `undefined` where the exchange gives none. */
  lastPrices(symbols: readonly PairSymbol[], signal: AbortSignal): Promise<readonly (number | undefined)[]>;
  /**
   * Tells when bars close, as the exchange's messages say it, until `signal` aborts; absent where the client was opened without
   * `streams` or the exchange sends no such messages. Never throws.
   */
  readonly listen?: (
    asked: { readonly symbols: readonly PairSymbol[]; readonly timeframe: Timeframe },
    listener: CandleListener,
    signal: AbortSignal,
  ) => Promise<void>;
  /** Rows from `sinceMs` on, before `untilMs`, page after page, of the kinds that exchanges keep a history of. */
  history(
    name: HistoryName,
    asked: {
      readonly symbol: PairSymbol;
      readonly sinceMs: number;
      readonly untilMs: number;
      readonly nowMs: number;
      readonly signal: AbortSignal;
    },
  ): AsyncIterable<TimedSeries>;
  /** The order book now, with what takers traded since `sinceMs`: one row of the series `order-book`. */
  orderBook(
    symbol: PairSymbol,
    asked: { readonly sinceMs: number; readonly nowMs: number; readonly signal: AbortSignal },
  ): Promise<TimedSeries>;
}

/** ccxt 4.5 gives dYdX's clock as it is told: in seconds. */
const inMs = (time: number): number => (time < 1e11 ? 1000 * time : time);

/** Prepares a client; nothing is sent before its first use. Throws `UserError` on an unknown id. */
export async function openExchange(options: ExchangeOptions): Promise<ExchangeClient> {
  const { log, id } = options;
  const ccxt = await loadCcxt(id, options);
  const { exchange, errors } = ccxt;
  const patience = createPatience({
    name: id,
    retries: options.retries,
    ...(options.retryDelayMs === undefined ? {} : { firstDelayMs: options.retryDelayMs }),
    isTransient: (error) => isPassing(error, errors),
    log,
  });
  const answers = watchAnswers(ccxt, patience);

  const request = async <T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    try {
      return await patience.call(() => ccxt.during(signal, () => readable(work)), signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw explain(error, { ccxt, options });
    }
  };

  /** The exchange's own symbols: a perpetual settled in its quote is `BTC/USDT:USDT` there. */
  const knownSymbols = async (
    symbols: readonly PairSymbol[],
    signal: AbortSignal,
  ): Promise<readonly string[]> => {
    const known = Object.keys(await request(() => exchange.loadMarkets(), signal));
    return symbols.map((symbol) => {
      const perpetual = `${symbol}:${symbol.split('/')[1]}`;
      const spelled = (wanted: string): string | undefined =>
        known.includes(wanted) ? wanted : known.find((listed) => isSpellingOf(listed, wanted));
      const found = (options.perpetuals === true ? undefined : spelled(symbol)) ?? spelled(perpetual);
      if (found !== undefined) return found;
      const best = nearest(symbol, known);
      throw new SymbolUnknown(`${exchange.name} does not trade ${symbol}.`, {
        hint: best === undefined ? 'Check the symbol, base and quote.' : `Did you mean ${best}?`,
      });
    });
  };

  return {
    id,
    name: id,
    synthetic: false,
    clockMs: (signal) =>
      request(async () => {
        if (exchange.has['fetchTime'] === true) return inMs(z.number().parse(await exchange.fetchTime()));
        await exchange.loadMarkets();
        return answers.clockMs();
      }, signal),
    async *pages(asked) {
      assertTimeframe(exchange, asked.timeframe);
      const [symbol] = await knownSymbols([asked.symbol], asked.signal);
      yield* exchangePages(exchange, { ...asked, symbol }, (work) => request(work, asked.signal), errors);
    },
    instruments: async (symbols, signal) => {
      const theirs = await knownSymbols(symbols, signal);
      return request(async () => {
        const found = await exchange.loadMarkets();
        return symbols.map((symbol, i) => readInstrument(symbol, found[theirs[i]], exchange.precisionMode));
      }, signal);
    },
    lastPrices: async (symbols, signal) => {
      const theirs = await knownSymbols(symbols, signal);
      return request(async () => {
        const tickers = Tickers.parse(await exchange.fetchTickers(theirs));
        if (Object.keys(tickers).length === 0)
          throw new errors.BadResponse(`${id} answered with a list of prices without one`);
        return theirs.map((symbol) => tickers[symbol]?.last ?? undefined);
      }, signal);
    },
    ...(options.streams === true &&
      (['watchOHLCV', 'watchTrades'] as const).some((call) => exchange.has[call] === true) && {
        listen: (asked, listener, signal) => {
          const spell = async (symbol: PairSymbol): Promise<string> =>
            (await knownSymbols([symbol], signal))[0];
          return listenToCandles(ccxt, { ...asked, spell }, listener, signal);
        },
      }),
    async *history(name, { symbol, signal, ...range }) {
      assertCan(exchange, HISTORY_CALLS[name]);
      const [market] = await knownSymbols([symbol], signal);
      yield* historyPages(exchange, { name, market, ...range }, (work) => request(work, signal));
    },
    orderBook: async (symbol, { signal, ...range }) => {
      for (const call of ['fetchOrderBook', 'fetchTrades'] as const) assertCan(exchange, call);
      const [market] = await knownSymbols([symbol], signal);
      return readOrderBook(exchange, { market, ...range }, (work) => request(work, signal));
    },
  };
}

function assertCan(exchange: CcxtExchange, call: string): void {
  if (exchange.has[call] === true) return;
  throw new UserError(`${exchange.name} does not answer ${call}.`, { hint: 'Use another --exchange.' });
}

const Tickers = z.record(z.string(), z.object({ last: z.number().positive().nullish() }));

/**
 * Reads every HTTP answer before ccxt does: waiting times, refusals by region, the server's clock as its Date header
 * tells it (to the second), and bodies that are no JSON.
 */
function watchAnswers({ exchange, errors }: Ccxt, patience: Patience): { clockMs(): number } {
  let offsetMs = 0;
  let jsonExpected: string | undefined;
  exchange.onRestResponse = (status, _statusText, url, _method, headers, body) => {
    patience.heed(status, headers);
    if (refusesRegion(status, body)) throw regionRefused(exchange, status, body);
    const said = Date.parse(headers['Date'] ?? '');
    if (!Number.isNaN(said)) offsetMs = said - Date.now();
    jsonExpected = status < 300 ? url : undefined;
    return body.trim();
  };
  // Called next, in the same tick. ccxt hands a body that does not parse on as a string, and a string of
  // candles reads as no candles at all.
  const parseJson = exchange.parseJson.bind(exchange);
  exchange.parseJson = (text) => {
    const parsed = parseJson(text);
    const url = jsonExpected;
    jsonExpected = undefined;
    if (parsed !== undefined || url === undefined) return parsed;
    throw new errors.BadResponse(
      `${exchange.id} ${url} answered with ${text.length} characters that are not JSON`,
    );
  };
  return { clockMs: () => Date.now() + offsetMs };
}

/** As Binance (451), Bybit (403, CloudFront), KuCoin and Cloudflare's error 1009 (403) word it. */
const REGION =
  /restricted (location|country|region|jurisdiction)|(your|the) (country|region|location|jurisdiction)\b|unavailable in the u\.?s|country\/region/i;

const refusesRegion = (status: number, body: string): boolean =>
  status === 451 || ([400, 401, 403].includes(status) && REGION.test(body.slice(0, 5_000)));

function regionRefused({ id, name }: CcxtExchange, status: number, body: string): SourceUnavailable {
  const other = id === 'kraken' ? 'coinbase' : 'kraken';
  return new SourceUnavailable(
    `${name} does not serve your region (HTTP ${status}): ${plainLine(body, 160)}`,
    { hint: `Waiting does not help. Use another exchange (--exchange ${other}) or --source yahoo.` },
  );
}

/** Worth another try. KuCoin's answer to too many requests is an error of no special kind to ccxt. */
const isPassing = (error: Error, errors: Ccxt['errors']): boolean =>
  error.message.includes('"code":"429000"') ||
  error instanceof Unanswered ||
  error instanceof errors.OperationFailed;

/** What ccxt, or a schema of ours, trips over in an answer is the answer's fault: worth another try, never a stack. */
async function readable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const tripped =
      error instanceof TypeError ||
      error instanceof RangeError ||
      error instanceof SyntaxError ||
      error instanceof z.ZodError;
    if (!tripped) throw error;
    const fault =
      error instanceof z.ZodError
        ? error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
        : error.message;
    throw new Unanswered(`an answer of another shape than expected (${plainLine(fault, 160)})`, {
      cause: error,
    });
  }
}

function assertTimeframe(exchange: CcxtExchange, timeframe: string): void {
  const known = Object.keys(exchange.timeframes ?? {});
  if (known.includes(timeframe)) return;
  throw new UserError(`${exchange.name} has no ${timeframe} candles.`, {
    hint: `It has: ${known.join(', ')}.`,
  });
}

/** Errors of the network and the exchange as something the user can act on; bugs stay as they are. */
function explain(
  error: unknown,
  { ccxt: { errors, exchange }, options }: { readonly ccxt: Ccxt; readonly options: ExchangeOptions },
): unknown {
  if (!(error instanceof Error)) return error;
  const failed = isPassing(error, errors);
  if (!failed && !(error instanceof errors.BaseError)) return error;
  const message = plainLine(error.message);
  if (failed) {
    return new SourceUnavailable(`${exchange.name} cannot be reached or is not answering: ${message}`, {
      hint: `Tried ${options.retries === 0 ? 'once' : `${options.retries + 1} times`}. Check the network${options.baseUrl === undefined ? '' : ' and --base-url'}, or try again later: what is stored stays, and the command resumes.`,
      cause: error,
    });
  }
  return new SourceUnavailable(`${exchange.name} refused: ${message}`, {
    hint: 'Check the symbol, the timeframe and whether the exchange serves your region.',
    cause: error,
  });
}
