import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { type Books, createAccount } from './account.ts';
import { binanceRoutes } from './binance.ts';
import { binanceFuturesRoutes } from './binance-futures.ts';
import { createClock, type VirtualClock } from './clock.ts';
import { coinbaseRoutes } from './coinbase.ts';
import { createFaults, type Fault, type FaultSpec } from './faults.ts';
import { krakenRoutes } from './kraken.ts';
import type { Pair } from './market.ts';
import { acceptWebSockets, type WebSocketEnd } from './web-socket.ts';
import { yahooRoutes } from './yahoo.ts';

export interface LoopbackOptions {
  readonly pairs: readonly Pair[];
  /** The exchange's time at the start, epoch milliseconds. */
  readonly nowMs: number;
  /** Virtual seconds a real second; 0, the default, stands still until told otherwise. */
  readonly speed?: number;
  readonly faults?: readonly FaultSpec[];
  readonly port?: number;
  /** How long the exchange thinks about every request. */
  readonly latencyMs?: number;
}

export interface LoopbackExchange {
  /**
   * Base URL of all shapes: Binance's spot REST API below /api/v3, that of its perpetuals below /fapi/v1, Kraken's below /0, Coinbase's below
   * /api/v3/brokerage, Yahoo's below /v8.
   */
  readonly url: string;
  readonly clock: VirtualClock;
  /**
   * Paths with query of every request so far, faults included. A client whose base URL ends in `/client-<n>` can be
   * told from the others.
   */
  readonly requests: readonly string[];
  /** Method and path of each: `POST /api/v3/order`. */
  readonly calls: readonly string[];
  /** Open WebSocket connections. */
  readonly sockets: ReadonlySet<WebSocketEnd>;
  /** Market streams that clients have subscribed to, such as `btcusdt@kline_1h`. */
  readonly streams: ReadonlyMap<string, WebSocketEnd>;
  /** Tells whoever has subscribed to `btcusdt@kline_1h` that a bar goes on which opens at `openMs`. */
  kline(symbol: string, interval: string, openMs: number): void;
  setFaults(faults: readonly FaultSpec[]): void;
  /** What the one account really holds and has done. */
  readonly books: Books;
  close(): Promise<void>;
}

/** What a route is given. */
export interface Query {
  readonly method: string;
  readonly path: string;
  readonly params: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly faults: readonly Fault[];
  readonly nowMs: number;
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** `undefined`: not one of this exchange's paths. */
export type Routes = (query: Query) => Reply | undefined;

/**
 * An exchange on the loopback interface that real clients can talk to. Besides the exchange's own paths:
 * `POST /__clock {"nowMs" | "advanceMs" | "speed"}`, `POST /__faults [...]`, `GET /__stats`.
 */
export async function startExchange(options: LoopbackOptions): Promise<LoopbackExchange> {
  const clock = createClock(options.nowMs, options.speed);
  /** Connections that have subscribed to what happens to the account. */
  const listeners = new Set<WebSocketEnd>();
  const streams = new Map<string, WebSocketEnd>();
  const account = createAccount(options.pairs, {
    onEvent: (event) => {
      for (const end of listeners)
        if (sockets.has(end)) end.send(JSON.stringify({ subscriptionId: 0, event }));
    },
  });
  const routes = [
    binanceRoutes(options.pairs, account),
    binanceFuturesRoutes(options.pairs),
    krakenRoutes(options.pairs),
    coinbaseRoutes(options.pairs),
    yahooRoutes(options.pairs),
  ];
  const requests: string[] = [];
  const calls: string[] = [];
  let strike = createFaults(options.faults ?? []);
  let busyMs = 0;

  const control = (path: string, body: string): unknown => {
    if (path === '/__stats') return { requests: requests.length, busyMs, nowMs: clock.now() };
    if (path === '/__faults') strike = createFaults(z.array(z.custom<FaultSpec>()).parse(JSON.parse(body)));
    if (path === '/__clock' && body !== '') {
      const order = ClockOrder.parse(JSON.parse(body));
      if (order.nowMs !== undefined) clock.set(order.nowMs);
      if (order.advanceMs !== undefined) clock.set(clock.now() + order.advanceMs);
      if (order.speed !== undefined) clock.setSpeed(order.speed);
    }
    return { nowMs: clock.now() };
  };

  const server = createServer((request, response) => {
    void readBody(request).then(async (body) => {
      const url = new URL(request.url ?? '/', 'http://loopback');
      if (url.pathname.startsWith('/__')) {
        send(response, { status: 200, body: control(url.pathname, body) });
        return;
      }
      requests.push(`${url.pathname}${url.search}`);
      calls.push(`${request.method} ${url.pathname}`);
      if (options.latencyMs !== undefined) await pause(options.latencyMs);
      const started = performance.now();
      const params = new URLSearchParams([...url.searchParams, ...new URLSearchParams(body)]);
      const query: Query = {
        method: request.method ?? 'GET',
        path: url.pathname.replace(/^\/client-\d+/, ''),
        params,
        headers: request.headers,
        faults: strike(`${request.method} ${url.pathname}`),
        nowMs: clock.now(),
      };
      const reply = routes.map((route) => route(query)).find((found) => found !== undefined);
      answer(
        response,
        reply ?? { status: 404, body: { code: -1, msg: `no such path ${url.pathname}` } },
        query.faults,
      );
      busyMs += performance.now() - started;
    });
  });
  // Binance's WebSocket API, as far as the user data stream goes: its own signature is that of the requests.
  const sockets = acceptWebSockets(server, (end, text) => {
    const { id, method, params } = Asked.parse(JSON.parse(text));
    if (method === 'SUBSCRIBE' && Array.isArray(params)) {
      for (const stream of params) streams.set(String(stream), end);
      end.send(JSON.stringify({ result: null, id }));
    }
    if (method !== 'userDataStream.subscribe.signature') return;
    listeners.add(end);
    end.send(JSON.stringify({ id, status: 200, result: { subscriptionId: 0 } }));
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    clock,
    requests,
    calls,
    books: account.books,
    sockets,
    streams,
    kline: (symbol, interval, openMs) => {
      const [s, o] = [symbol.replace('/', ''), '100'];
      const event = {
        e: 'kline',
        E: openMs,
        s,
        k: { t: openMs, s, i: interval, o, c: o, h: o, l: o, v: '1' },
      };
      const end = streams.get(`${s.toLowerCase()}@kline_${interval}`);
      if (end !== undefined && sockets.has(end)) end.send(JSON.stringify(event));
    },
    setFaults: (faults) => (strike = createFaults(faults)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const end of sockets) end.drop();
        server.closeAllConnections();
      }),
  };
}

const Asked = z.object({ id: z.union([z.string(), z.number()]), method: z.string(), params: z.unknown() });

const ClockOrder = z.strictObject({
  nowMs: z.number().optional(),
  advanceMs: z.number().optional(),
  speed: z.number().min(0).optional(),
});

const json = { 'Content-Type': 'application/json' };

/** What comes in place of the reply, of faults that are one answer each. */
const ANSWERS: Partial<Record<Fault['kind'], { status: number; headers?: object; body: string | Buffer }>> = {
  'server-error': {
    status: 503,
    headers: { 'Content-Type': 'text/html' },
    body: '<html>503 Service Unavailable</html>',
  },
  html: { status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html>We will be back soon</html>' },
  'region-451': {
    status: 451,
    body: '{"code":0,"msg":"Service unavailable from a restricted location according to \'b. Eligibility\' \u001b[2J\u202e"}',
  },
  'region-403': {
    status: 403,
    headers: { 'Content-Type': 'text/html' },
    body: '<H1>403 ERROR</H1> The Amazon CloudFront distribution is configured to block access from your country. \x1b]0;owned\x07',
  },
  forbidden: {
    status: 403,
    headers: { 'Content-Type': 'text/html' },
    body: '<html><head><title>403 Forbidden</title></head></html>',
  },
  'hostile-error': { status: 400, body: '{"code":-1,"msg":"\x1b[2J\x1b]52;c;cm0=\x07\x9b31mbad\u202e"}' },
  redirect: { status: 302, headers: { Location: 'http://127.0.0.1:9/%1b%9b' }, body: '' },
  object: { status: 200, body: '{"a":1}' },
  strings: { status: 200, body: '["a","b"]' },
  null: { status: 200, body: 'null' },
  nested: { status: 200, body: '['.repeat(100_000) + ']'.repeat(100_000) },
  'false-gzip': { status: 200, headers: { ...json, 'Content-Encoding': 'gzip' }, body: '[[1,2,3]]' },
};

/** A GB of blanks, 1 MB of gzip members. */
let bomb = (): Buffer => {
  const member = gzipSync(Buffer.alloc(64 * 2 ** 20, ' '));
  const whole = Buffer.concat(Array.from({ length: 16 }, () => member));
  bomb = () => whole;
  return whole;
};

/** Sends the reply, or what a fault of the transport makes of it. */
function answer(response: ServerResponse, reply: Reply, faults: readonly Fault[]): void {
  const text = JSON.stringify(reply.body);
  for (const { kind, retryAfterSeconds } of faults) {
    const instead = ANSWERS[kind];
    if (instead !== undefined) {
      response.writeHead(instead.status, { ...json, ...instead.headers }).end(instead.body);
      return;
    }
    switch (kind) {
      case 'rate-limit':
      case 'ban': {
        const headers = { 'Content-Type': 'application/json', 'Retry-After': String(retryAfterSeconds) };
        response.writeHead(kind === 'ban' ? 418 : 429, headers);
        response.end('{"code":-1003,"msg":"Too many requests."}');
        return;
      }
      case 'timeout':
        return;
      case 'drop':
        response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': text.length });
        response.write(text.slice(0, text.length / 2), () => response.destroy());
        return;
      case 'stall':
        response.writeHead(200, { 'Content-Type': 'application/json' }).write(text.slice(0, text.length / 2));
        return;
      case 'truncate':
        response.writeHead(200, { 'Content-Type': 'application/json' }).end(text.slice(0, text.length / 2));
        return;
      case 'lost':
      case 'request-lost':
      case 'arrives-late':
        response.socket?.destroy();
        return;
      case 'not-http':
        response.socket?.end('\0\x01\x02SSH-2.0-OpenSSH_9.6\r\n\r\n');
        return;
      case 'gzip-bomb':
        response.writeHead(200, { ...json, 'Content-Encoding': 'gzip' }).end(bomb());
        return;
      case 'endless':
        response.writeHead(200, json);
        Readable.from(endless()).pipe(response);
        return;
      case 'drip': {
        response.writeHead(200, json).write('[');
        const timer = setInterval(() => response.write(' '), 20);
        response.once('close', () => clearInterval(timer));
        return;
      }
      default:
        break; // the routes have seen to the others
    }
  }
  send(response, reply);
}

function send(response: ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

function* endless(): Generator<string> {
  for (;;) yield '[1,'.repeat(50_000);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
