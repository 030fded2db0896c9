import { z } from 'zod';

/** What the exchange can do wrong, on demand. */
export const FaultSchema = z.strictObject({
  kind: z.enum([
    'rate-limit', // 429 with Retry-After
    'ban', // 418 with Retry-After
    'server-error', // 503 with a body that is not JSON
    'timeout', // no answer at all
    'lost', // the connection is closed before any answer
    'not-http', // bytes that are no HTTP
    'false-gzip', // a body that is said to be gzip and is not
    'gzip-bomb', // a gzip body of a GB of blanks
    'endless', // a body that does not end
    'drip', // a body that comes byte by byte
    'region-451', // a refusal by region, as Binance words it
    'region-403', // a refusal by region, as Bybit's CDN words it
    'forbidden', // 403 of a firewall
    'hostile-error', // 400 with terminal escapes in its message
    'redirect', // 302 to another host
    'object', // status 200, {"a":1}
    'strings', // status 200, a list of strings
    'null', // status 200, null
    'nested', // status 200, a list of lists of lists ...
    'drop', // the connection breaks in the middle of the answer
    'stall', // half an answer, then silence
    'truncate', // status 200, JSON cut in half
    'html', // status 200, a maintenance page
    'old-page', // candles: the bars before those asked for
    'overlap', // candles: the page begins some bars too early
    'duplicate', // candles: some bars twice
    'empty-page', // candles: none
    'nan', // candles: a price that is no number
    'zero', // candles: a price of zero
    'negative', // candles: a price below zero
    'infinite', // candles: a price of Infinity
    'huge', // candles: a price of 1e300
    'thousandfold', // candles: all prices of a bar times 1000
    'inverted', // candles: a high below the low
    'seconds', // candles: times in seconds in place of milliseconds
    'microseconds', // candles: times in microseconds
    'off-grid', // candles: a time between two bars
    'reversed', // candles: newest first
    'shuffled', // candles: in no order
    'late', // candles: a bar is there only offsetMs after its close
    'wrong-clock', // the time that it tells is off by offsetMs
    'request-lost', // orders: the connection is closed, and nothing was taken
    'arrives-late', // orders: the connection is closed, and the order is taken offsetMs later
    'resent', // orders: the request arrives twice
    'reject', // orders: refused for want of money
    'partial-fill', // orders: half of it fills
    'no-more-lists', // order lists: refused, since there are as many as may be
    'cancel-race', // orders: what is cancelled fills first
    'clock-skew', // signed requests: refused for their time
    'stale-book', // tickers: the price is off by offsetMs per mille
    'absurd-price', // tickers: a million times the price
    'negative-balance', // account: less than nothing of the first asset
    'gone', // any: the pair is not traded there
    'may-withdraw', // permissions of the key: withdrawals
    'may-not-trade', // permissions of the key: no trading
  ]),
  /** Only requests whose method and path, `POST /api/v3/order`, contain this. */
  path: z.string().default(''),
  /** This many matching requests pass unharmed first. */
  after: z.int().min(0).default(0),
  /** Then this many are hit; all of them by default. */
  times: z.int().min(1).optional(),
  /** Then only every n-th. */
  every: z.int().min(1).default(1),
  retryAfterSeconds: z.number().default(1),
  /** Which bar of a page of candles is struck, where it holds it; the middle one by default. */
  atMs: z.int().optional(),
  offsetMs: z.number().default(0),
});

export type FaultSpec = z.input<typeof FaultSchema>;
export type Fault = z.output<typeof FaultSchema>;

/** Decides, request by request, which faults strike. */
export function createFaults(specs: readonly FaultSpec[]): (path: string) => readonly Fault[] {
  const faults = specs.map((spec) => ({ fault: FaultSchema.parse(spec), seen: 0, struck: 0 }));
  return (path) =>
    faults.flatMap((state) => {
      const { fault } = state;
      if (!path.includes(fault.path)) return [];
      const turn = state.seen++ - fault.after;
      if (turn < 0 || turn % fault.every !== 0 || state.struck >= (fault.times ?? Infinity)) return [];
      state.struck++;
      return [fault];
    });
}
