import { AsyncLocalStorage } from 'node:async_hooks';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { suggest } from '../../core/foundation/nearest.ts';
import { plainLine } from '../../core/foundation/plain-text.ts';
import { answerOf } from '../answer.ts';

/** What this program uses of a ccxt exchange. ccxt's own type costs a second of compilation. */
export interface CcxtExchange {
  readonly id: string;
  readonly name: string;
  readonly has: Record<string, boolean | string | undefined>;
  readonly timeframes: Readonly<Record<string, unknown>> | undefined;
  readonly precisionMode: number;
  /** Least time between two requests, ms. */
  readonly rateLimit: number;
  readonly urls: { api: Record<string, unknown> | string };
  readonly options: Record<string, unknown>;
  readonly features: unknown;
  loadMarkets(): Promise<Readonly<Record<string, unknown>>>;
  /** ccxt's own caches of `loadMarkets`: what was loaded, and the promise of it, kept even when it fails. */
  markets: unknown;
  marketsLoading: unknown;
  fetchTime(): Promise<number | undefined>;
  fetchOHLCV(
    symbol: string,
    timeframe: string,
    since: number,
    limit: number,
    params: object,
  ): Promise<unknown>;
  fetchFundingRateHistory(symbol: string, since: number, limit: number, params: object): Promise<unknown>;
  fetchOpenInterestHistory(
    symbol: string,
    timeframe: string,
    since: number,
    limit: number,
    params: object,
  ): Promise<unknown>;
  fetchOrderBook(symbol: string, limit: number): Promise<unknown>;
  fetchTrades(symbol: string, since: number, limit: number): Promise<unknown>;
  fetchTickers(symbols: readonly string[]): Promise<unknown>;
  createOrder(
    symbol: string,
    type: 'limit',
    side: 'buy' | 'sell',
    amount: number,
    price: number,
    params: object,
  ): Promise<unknown>;
  cancelOrder(id: undefined, symbol: string, params: object): Promise<unknown>;
  fetchOrder(id: undefined, symbol: string, params: object): Promise<unknown>;
  fetchOpenOrders(symbol: string): Promise<unknown>;
  fetchMyTrades(symbol: string, since: number, limit: number): Promise<unknown>;
  fetchBalance(): Promise<unknown>;
  /** The exchange's own name of a pair, and numbers as it takes them; only after `loadMarkets`. */
  marketId(symbol: string): string;
  amountToPrecision(symbol: string, amount: number): string;
  priceToPrecision(symbol: string, price: number): string;
  /** Resolve with the next change; only where the instance was loaded with `streams`. */
  watchOrders(): Promise<unknown>;
  watchMyTrades(): Promise<unknown>;
  watchBalance(): Promise<unknown>;
  watchOHLCV(symbol: string, timeframe: string): Promise<unknown>;
  watchTrades(symbol: string): Promise<unknown>;
  /** Before sockets without TLS are opened, as those to a server of one's own are. */
  loadHttpProxyAgent(): Promise<unknown>;
  /** Open sockets by address. */
  readonly clients?: Readonly<Record<string, CcxtSocket>>;
  client(url: string): CcxtSocket;
  /** Measures how far the exchange's clock is from ours; signed requests are stamped with it from then on. */
  loadTimeDifference(): Promise<unknown>;
  enableDemoTrading?(enable: boolean): void;
  setSandboxMode(enable: boolean): void;
  /** Hooks of ccxt's HTTP layer, replaced in client.ts. */
  onRestResponse(
    status: number,
    statusText: string,
    url: string,
    method: string,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): string;
  parseJson(text: string): unknown;
  filterBySinceLimit(rows: unknown): unknown;
  filterBySymbolSinceLimit(rows: unknown): unknown;
  /** The last answer as it came, kept where it is enabled. */
  enableLastJsonResponse: boolean;
  readonly last_json_response: unknown;
  parseOHLCVs: ParseList;
  parseTrades: ParseList;
  parseFundingRateHistories: ParseList;
  parseOpenInterestsHistory: ParseList;
  fetchImplementation(
    url: string,
    request: {
      readonly method: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: string;
    },
  ): Promise<{
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    text(): Promise<string>;
  }>;
}

/** A connection of ccxt pro, and what waits for its messages. */
export interface CcxtSocket {
  readonly connection?: { terminate(): void };
  future(name: string): Promise<unknown>;
}

type ParseList = (rows: unknown, ...rest: readonly unknown[]) => unknown;

/** The error classes that matter here; see ccxt's manual, "Error handling". */
export interface CcxtErrors {
  /** A request that did not get through, or a malformed answer: worth another try. */
  readonly OperationFailed: ErrorClass;
  /** Everything that ccxt itself throws. */
  readonly BaseError: ErrorClass;
  readonly BadResponse: new (message: string) => Error;
  readonly BadSymbol: new (message: string) => Error;
  readonly InsufficientFunds: ErrorClass;
  readonly InvalidOrder: ErrorClass;
  readonly OrderNotFound: ErrorClass;
  readonly DuplicateOrderId: ErrorClass;
  readonly BadRequest: ErrorClass;
  readonly ArgumentsRequired: ErrorClass;
  readonly AuthenticationError: ErrorClass;
  readonly OperationRejected: ErrorClass;
  readonly NotSupported: ErrorClass;
  readonly InvalidNonce: ErrorClass;
}

/** Of an account at an exchange. Secrets: they come from the environment and are never printed. */
export interface Credentials {
  readonly apiKey: string;
  readonly secret: string;
  /** The passphrase that some exchanges ask for beside the secret. */
  readonly password: string | undefined;
}

type ErrorClass = abstract new (...args: never[]) => Error;

export interface Ccxt {
  readonly exchange: CcxtExchange;
  readonly errors: CcxtErrors;
  /** Runs `work`; when `signal` aborts, what it has sent is given up. */
  during<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
}

/**
 * Loads one exchange of ccxt by its id. Importing all of ccxt takes a second and 80 MB; its files are not
 * exported one by one, so this one is addressed by URL beside the package's entry.
 */
export async function loadCcxt(
  id: string,
  options: {
    readonly timeoutMs: number;
    readonly baseUrl?: string | undefined;
    readonly perpetuals?: boolean | undefined;
    readonly credentials?: Credentials | undefined;
    readonly sandbox?: boolean | undefined;
    /** With ccxt pro's calls that listen on sockets, where it knows any of this exchange. */
    readonly streams?: boolean | undefined;
    /** Whether requests are spaced as the exchange asks for; only a server of one's own needs none of it. */
    readonly paced?: boolean | undefined;
  },
): Promise<Ccxt> {
  const folder = ccxtFolder();
  await requireExchange(id, folder);
  const pro = new URL(`pro/${id}.js`, folder);
  const isPro = options.streams === true && existsSync(pro);
  const exchangeModule: unknown = await import((isPro ? pro : new URL(`${id}.js`, folder)).href);
  const errorsModule: unknown = await import(new URL('base/errors.js', folder).href);
  const { default: Exchange } = ExchangeModule.parse(exchangeModule);
  const errors = ErrorsModule.parse(errorsModule);
  const exchange = new Exchange({
    enableRateLimit: options.paced ?? true,
    timeout: options.timeoutMs,
    ...options.credentials,
  });
  if (options.sandbox === true) enterSandbox(exchange);
  only(exchange, options.perpetuals === true || PERPETUALS_ALONE.has(id) ? PERPETUALS : ['spot']);
  if (options.baseUrl !== undefined) replaceHosts(exchange, httpUrl(options.baseUrl));
  const during = new AsyncLocalStorage<AbortSignal>();
  boundRequests(exchange, { timeoutMs: options.timeoutMs, signal: () => during.getStore() });
  loadMarketsAfresh(exchange, errors);
  listsOnly(exchange, errors);
  return { exchange, errors, during: (signal, work) => during.run(signal, work) };
}

/**
 * ccxt's own requests have no limit once the head of an answer is there: its body may drip, or never end. Ours are
 * bounded, and end with the call that they were made for.
 */
function boundRequests(
  exchange: CcxtExchange,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: () => AbortSignal | undefined },
): void {
  const never = new AbortController().signal;
  exchange.fetchImplementation = async (url, { method, headers, body }) => {
    const answer = await answerOf(url, { method, headers, body, timeoutMs, signal: signal() ?? never });
    return { status: answer.status, headers: answer.headers, text: async () => answer.body };
  };
}

/** ccxt keeps the promise of its markets when it was rejected too: every later call would fail without asking. */
function loadMarketsAfresh(exchange: CcxtExchange, { BadResponse }: CcxtErrors): void {
  const load = exchange.loadMarkets.bind(exchange);
  let loading: ReturnType<typeof load> | undefined;
  exchange.loadMarkets = () =>
    (loading ??= load()
      .then((markets) => {
        if (Object.keys(markets).length > 0) return markets;
        throw new BadResponse(`${exchange.id} answered with a list of markets without one`);
      })
      .catch((error: unknown) => {
        loading = undefined;
        exchange.marketsLoading = undefined;
        exchange.markets = undefined;
        throw error;
      }));
}

/** To ccxt, anything without a length is an empty list, and entries that it cannot read are left out. */
function listsOnly(exchange: CcxtExchange, { BadResponse }: CcxtErrors): void {
  const isEntry = (entry: unknown): boolean => typeof entry === 'object' && entry !== null;
  for (const name of LISTS) {
    const parse = exchange[name].bind(exchange);
    exchange[name] = (rows, ...rest) => {
      if (Array.isArray(rows) && rows.every(isEntry)) return parse(rows, ...rest);
      throw new BadResponse(`${exchange.id} answered with something else than a list of rows`);
    };
  }
}

const LISTS = [
  'parseOHLCVs',
  'parseTrades',
  'parseFundingRateHistories',
  'parseOpenInterestsHistory',
] as const;

/** `UserError` unless `text` is an address that requests can be sent to. */
function httpUrl(text: string): string {
  if (/^https?:\/\/[^/]/i.test(text) && URL.canParse(text)) return text;
  throw new UserError(
    `"${plainLine(text, 100)}" is not the address of an exchange: expected something like "http://127.0.0.1:8080".`,
    { hint: 'Correct --base-url, or exchange.baseUrl in config.yaml.' },
  );
}

type ExchangeClass = new (settings: object) => CcxtExchange;

/** Demo trading where the exchange has it (Binance, Bybit), its sandbox elsewhere (OKX). */
function enterSandbox(exchange: CcxtExchange): void {
  if (['binance', 'bybit'].includes(exchange.id) && exchange.enableDemoTrading !== undefined)
    exchange.enableDemoTrading(true);
  else exchange.setSandboxMode(true);
}

const isFunction = (value: unknown): boolean => typeof value === 'function';
const ExchangeModule = z.object({ default: z.custom<ExchangeClass>(isFunction) });
const errorClass = z.custom<ErrorClass>(isFunction);
const thrownHere = z.custom<new (message: string) => Error>(isFunction);
const ErrorsModule = z.object({
  OperationFailed: errorClass,
  BaseError: errorClass,
  BadResponse: thrownHere,
  BadSymbol: thrownHere,
  InsufficientFunds: errorClass,
  InvalidOrder: errorClass,
  OrderNotFound: errorClass,
  DuplicateOrderId: errorClass,
  BadRequest: errorClass,
  ArgumentsRequired: errorClass,
  AuthenticationError: errorClass,
  OperationRejected: errorClass,
  NotSupported: errorClass,
  InvalidNonce: errorClass,
});

const ccxtFolder = (): URL => new URL('./src/', import.meta.resolve('ccxt'));

/** Ids of all exchanges that ccxt knows, sorted. */
export const knownExchanges = async (folder = ccxtFolder()): Promise<readonly string[]> =>
  (await readdir(folder))
    .filter((file) => /^[a-z0-9]+\.js$/.test(file))
    .map((file) => file.slice(0, -'.js'.length))
    .toSorted();

/** Throws `UserError` with the nearest id when ccxt does not know this one. */
export async function requireExchange(id: string, folder = ccxtFolder()): Promise<void> {
  const known = await knownExchanges(folder);
  if (known.includes(id)) return;
  throw new UserError(`Unknown exchange "${id}".`, { hint: suggest(id, known) });
}

/** What exchanges call markets of perpetuals that are settled in the quote currency. */
const PERPETUALS = ['linear', 'swap'];

/** Exchanges whose pairs are perpetuals unless something else is asked for. */
const PERPETUALS_ALONE: ReadonlySet<string> = new Set(['krakenfutures', 'dydx', 'hyperliquid']);

/** Other market types and the list of currencies cost megabytes, other hosts and, on some, a key. */
function only(exchange: CcxtExchange, wanted: readonly string[]): void {
  exchange.has['fetchCurrencies'] = false;
  exchange.options['fetchMargins'] = false;
  const found = z.object({ types: z.array(z.string()) }).safeParse(exchange.options['fetchMarkets']);
  const types = found.data?.types.filter((type) => wanted.includes(type)) ?? [];
  if (types.length > 0) exchange.options['fetchMarkets'] = { ...found.data, types };
}

/** Points every address of the exchange at another host, its path kept: `https://api.x/v3` -> `<baseUrl>/v3`. */
function replaceHosts(exchange: CcxtExchange, baseUrl: string): void {
  const base = baseUrl.replace(/\/+$/, '');
  const replace = (value: unknown): unknown => {
    if (typeof value === 'string')
      return value.replace(/^(http|ws)s?:\/\/[^/]+/, (_, kind) =>
        kind === 'ws' ? base.replace(/^http/, 'ws') : base,
      );
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, replace(entry)]));
  };
  const { api } = exchange.urls;
  exchange.urls.api =
    typeof api === 'string' ? String(replace(api)) : z.record(z.string(), z.unknown()).parse(replace(api));
}
