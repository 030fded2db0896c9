import { describe, expect, test } from 'vitest';
import { openExchange, type ExchangeClient } from '../../src/data/exchange/client.ts';
import { SourceUnavailable } from '../../src/data/source.ts';
import { silentLog } from '../../src/core/foundation/log.ts';
import { walk } from '../support/candles.ts';
import type { FaultSpec } from '../support/exchange/faults.ts';
import { pair } from '../support/exchange/market.ts';
import { startExchange } from '../support/exchange/server.ts';

/*
 * Side by side, since clients wait most of the time: Kraken's own limit is a request a second.
 *
 * Every request that a client of an exchange makes x everything that can come back: the promised answer.
 * `passes`: the fault strikes once, is asked past, and the result is that of an undisturbed call.
 * `unavailable`: it stays, and the call ends in a SourceUnavailable that says what came.
 * `refused`: nothing is tried again.
 */

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 1);
const NOW = START + 50 * HOUR + 60_000;
const pairs = [pair('BTC/USDT', { '1h': walk(100, { startMs: START }) })];
const signal = new AbortController().signal;
/** Short only where an answer is meant not to come in time. */
const TIMEOUT_MS: Partial<Record<FaultSpec['kind'], number>> = { timeout: 300, stall: 300, drip: 300 };
const RETRIES = 4;

const CALLS = {
  clock: (client: ExchangeClient) => client.clockMs(signal),
  markets: (client: ExchangeClient) => client.instruments(['BTC/USDT'], signal),
  candles: async (client: ExchangeClient) => {
    const asked = {
      symbol: 'BTC/USDT',
      timeframe: '1h',
      sinceMs: START,
      untilMs: START + 40 * HOUR,
    } as const;
    const pages = await all(client.pages({ ...asked, signal }));
    return pages.map(({ candles }) => [...candles.close]);
  },
  prices: (client: ExchangeClient) => client.lastPrices(['BTC/USDT'], signal),
  funding: (client: ExchangeClient) => history(client, 'funding'),
  'open interest': (client: ExchangeClient) => history(client, 'open-interest'),
  'order book': (client: ExchangeClient) =>
    client.orderBook('BTC/USDT', { sinceMs: NOW - 10_000, nowMs: NOW, signal }),
} as const;
type Call = keyof typeof CALLS;

const history = (client: ExchangeClient, name: 'funding' | 'open-interest') => {
  const asked = { symbol: 'BTC/USDT', sinceMs: START, untilMs: NOW, nowMs: NOW } as const;
  return all(client.history(name, { ...asked, signal }));
};

async function all<T>(pages: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const page of pages) found.push(page);
  return found;
}

/** What each client's loopback double can be asked. */
const EDGES: readonly (readonly [id: string, call: Call])[] = [
  ...(['clock', 'markets', 'candles', 'prices', 'order book'] as const).map(
    (call) => ['binance', call] as const,
  ),
  ...(['clock', 'markets', 'candles', 'funding', 'open interest'] as const).map(
    (call) => ['binanceusdm', call] as const,
  ),
  ...(['clock', 'markets', 'candles', 'prices'] as const).map((call) => ['kraken', call] as const),
  ...(['clock', 'markets', 'candles', 'prices'] as const).map((call) => ['coinbase', call] as const),
];

type Outcome = { readonly requests: readonly string[] } & (
  { readonly kind: 'result'; readonly result: unknown } | { readonly kind: 'error'; readonly error: unknown }
);

/** One call of a fresh client at an exchange of its own: its result or error, and what it sent. */
async function ask(
  id: string,
  call: Call,
  faults: readonly FaultSpec[],
  retries = RETRIES,
): Promise<Outcome> {
  const server = await startExchange({ pairs, nowMs: NOW });
  const own = '/client-1/';
  server.setFaults(faults.map((fault) => ({ ...fault, path: own })));
  const client = await openExchange({
    id,
    perpetuals: id === 'binanceusdm',
    baseUrl: `${server.url}${own}`,
    timeoutMs: TIMEOUT_MS[faults[0]?.kind] ?? 20_000,
    retries,
    retryDelayMs: 1,
    log: silentLog,
  });
  const outcome = await CALLS[call](client).then(
    (result: unknown) => ({ kind: 'result', result }) as const,
    (error: unknown) => ({ kind: 'error', error }) as const,
  );
  const requests = server.requests.filter((path) => path.startsWith(own));
  await server.close();
  return { ...outcome, requests: requests.map((path) => path.slice(own.length)) };
}

const quiet = new Map<string, Outcome>();

/** The same call without a fault. */
async function undisturbed(id: string, call: Call): Promise<Outcome> {
  const known = quiet.get(`${id} ${call}`) ?? (await ask(id, call, []));
  quiet.set(`${id} ${call}`, known);
  expect(known).toMatchObject({ kind: 'result' });
  expect(known.requests.length).toBeGreaterThan(0);
  return known;
}

/** Coinbase's client goes without its list of futures, which is asked for beside that of spot markets. */
const optional = (path: string): boolean => path.includes('product_type=FUTURE');

/** Struck once, the request is sent again, and the call gives what it gives undisturbed. */
async function expectPassed(id: string, call: Call, fault: FaultSpec & { after: number }): Promise<void> {
  const { requests, ...expected } = await undisturbed(id, call);
  const { requests: sent, ...found } = await ask(id, call, [{ ...fault, times: 1 }]);
  const struck = sent[fault.after];
  const times = (all: readonly string[]): number => all.filter((path) => path === struck).length;
  expect(found, `${JSON.stringify(fault)} ${struck}`).toEqual(expected);
  if (!optional(struck)) expect(times(sent), struck).toBeGreaterThan(times(requests));
}

describe('every retry really asks', () => {
  test.concurrent.each(EDGES)('%s, %s: whichever answer is lost, it is asked for again', async (id, call) => {
    const { requests } = await undisturbed(id, call);
    for (let n = 0; n < requests.length; n++) await expectPassed(id, call, { kind: 'lost', after: n });
  });
});

/** The answer to the call's own request, its last one, is struck once. */
const PASSING = [
  'timeout',
  'drop',
  'stall',
  'truncate',
  'html',
  'server-error',
  'rate-limit',
  'ban',
  'forbidden',
  'not-http',
  'false-gzip',
  'redirect',
  'drip',
  'object',
  'strings',
  'null',
  'nested',
] as const;

/** Coinbase answers times without a bar with nothing: the store asks a second time (see pages.test.ts). */
const EMPTY_PAGES: readonly string[] = ['object', 'strings', 'coinbase candles'];

/** By default each kind at every other call, so that all kinds meet all exchanges, and all calls half of the kinds. */
const EVERY_CELL = process.env['FAULTS'] === 'all';

/** Kinds side by side, but one after another where a short time limit would strike what only waits its turn. */
describe.each([
  ['passed', PASSING.filter((kind) => TIMEOUT_MS[kind] === undefined)],
  ...PASSING.filter((kind) => TIMEOUT_MS[kind] !== undefined).map((kind) => [kind, [kind]] as const),
] as const)('%s once', (_, kinds) => {
  const cells = kinds.flatMap((kind) =>
    EDGES.filter((_edge, i) => EVERY_CELL || (PASSING.indexOf(kind) + i) % 2 === 0).map(([id, call]) => ({
      kind,
      id,
      call,
    })),
  );
  test.concurrent.each(
    cells.filter(({ kind, id, call }) => ![kind, `${id} ${call}`].every((one) => EMPTY_PAGES.includes(one))),
  )('$kind at $id, $call: passes', async ({ kind, id, call }) => {
    const { requests } = await undisturbed(id, call);
    await expectPassed(id, call, { kind, after: requests.length - 1, retryAfterSeconds: 0.01 });
  });
});

/** What does not pass by waiting ends the call at its first request. */
const REFUSED = [
  { kind: 'region-451', says: /^[^:]+ does not serve your region \(HTTP 451\)/ },
  { kind: 'region-403', says: /^[^:]+ does not serve your region \(HTTP 403\)/ },
  { kind: 'ban', says: /^\w+ asks for 7200 s without requests\.$/ },
  { kind: 'rate-limit', says: /^\w+ asks for 3600 s without requests\.$/ },
] as const;

describe.each(REFUSED)('$kind for long', ({ kind, says }) => {
  test.concurrent.each(EDGES)('%s, %s: refused at once, in plain text', async (id, call) => {
    const outcome = await ask(id, call, [{ kind, retryAfterSeconds: 7200 }]);
    expect(outcome).toMatchObject({
      kind: 'error',
      error: { message: expect.stringMatching(says) as string },
    });
    if (outcome.kind !== 'error') return;
    expect(outcome.error).toBeInstanceOf(SourceUnavailable);
    expect(String(outcome.error)).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
    // Coinbase's client sends two requests for its markets side by side.
    expect(outcome.requests.length).toBeLessThanOrEqual(id === 'coinbase' ? 2 : 1);
  });
});

/** What stays is said after every retry, with nothing in it that a terminal obeys. */
const STAYING = ['lost', 'hostile-error', 'gzip-bomb', 'endless'] as const;

describe.each(STAYING)('%s for ever', (kind) => {
  test.concurrent.each([
    ['binance', 'candles'],
    ['kraken', 'clock'],
  ] as const)('%s, %s: unavailable, in bounded memory', async (id, call) => {
    // Each attempt reads up to the limit of an answer's size: two show that it is tried again.
    const outcome = await ask(id, call, [{ kind }], 1);
    expect(outcome).toMatchObject({ kind: 'error' });
    if (outcome.kind !== 'error') return;
    expect(outcome.error).toBeInstanceOf(SourceUnavailable);
    expect(String(outcome.error)).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
    expect(process.memoryUsage().rss).toBeLessThan(1.5e9);
  });
});
