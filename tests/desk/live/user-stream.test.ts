import { expect, onTestFinished, test, vi } from 'vitest';
import { createHints } from '../../../src/desk/session/hints.ts';
import type { BarFeed } from '../../../src/desk/paper/feed.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { frame } from '../../support/exchange/web-socket.ts';
import { expectTruth, liveSession, loopbackVenue, runScript, scripted, startLoopback } from './rig.ts';

/** Listens to the account of a loopback exchange; `events` counts what was heard. */
async function listening() {
  const exchange = await startLoopback();
  const venue = await loopbackVenue(exchange);
  const stop = new AbortController();
  const heard = { events: 0, faults: [] as (string | undefined)[] };
  const done = venue.listen(
    {
      onEvent: () => heard.events++,
      onFault: (fault) => heard.faults.push(fault),
    },
    stop.signal,
  );
  onTestFinished(async () => {
    stop.abort();
    await done;
    await exchange.close();
  });
  await vi.waitFor(() => expect(exchange.sockets.size).toBe(1), { timeout: 20_000 });
  let bought = 0;
  const buy = () =>
    venue.submit(
      {
        clientId: `order${bought++}`,
        symbol: 'BTC/USDT',
        side: 'buy',
        baseAmount: 0.1,
        price: 200,
        timeInForce: 'IOC',
      },
      stop.signal,
    );
  return { exchange, heard, stop, done, buy };
}

const hears = (heard: { events: number }, more: number): Promise<void> =>
  vi.waitFor(() => expect(heard.events).toBeGreaterThan(more), { timeout: 20_000 });

test('an order that fills is heard, and a dropped connection is opened again', async () => {
  const { exchange, heard, buy } = await listening();
  // The subscription is answered a moment after the connection stands.
  await vi.waitFor(
    async () => {
      expect(await buy()).toMatchObject({ kind: 'answered' });
      expect(heard.events).toBeGreaterThan(0);
    },
    { timeout: 20_000, interval: 100 },
  );
  const [first] = exchange.sockets;
  first.drop();
  await vi.waitFor(() => expect(heard.faults.filter((fault) => fault !== undefined)).not.toEqual([]), {
    timeout: 20_000,
  });
  await vi.waitFor(
    () => {
      expect(exchange.sockets.size).toBe(1);
      expect(exchange.sockets.has(first)).toBe(false);
    },
    { timeout: 20_000 },
  );
  // What may have been missed meanwhile is asked for.
  const before = heard.events;
  await vi.waitFor(
    async () => {
      await buy();
      expect(heard.faults.at(-1)).toBeUndefined();
    },
    { timeout: 20_000, interval: 100 },
  );
  expect(heard.events).toBeGreaterThan(before);
});

/** As `{"subscriptionId":0,"event":{...}}`. */
const event = (fields: object): string =>
  JSON.stringify({ subscriptionId: 0, event: { e: 'executionReport', s: 'BTCUSDT', ...fields } });

test.each([
  ['text that is no JSON', (): Buffer => frame(1, Buffer.from('<html>\x1b[2J'))],
  ['bytes', (): Buffer => frame(2, Buffer.from([0, 255, 1, 2]))],
  ['a frame with reserved bits', (): Buffer => Buffer.from([0xf1, 0x01, 0x61])],
  ['a frame that announces a GB', (): Buffer => Buffer.from([0x81, 127, 0, 0, 0, 0, 0x40, 0, 0, 0])],
  ['a list of lists of lists', (): Buffer => frame(1, Buffer.from('['.repeat(20_000) + ']'.repeat(20_000)))],
  ['null', (): Buffer => frame(1, Buffer.from('null'))],
  [
    'absurd values',
    (): Buffer => frame(1, Buffer.from(event({ q: '-1e999', p: 'NaN', z: {}, i: [], T: 'soon', X: 7 }))),
  ],
  [
    'a negative balance',
    (): Buffer =>
      frame(
        1,
        Buffer.from(
          JSON.stringify({ event: { e: 'outboundAccountPosition', B: [{ a: 'BTC', f: '-5', l: null }] } }),
        ),
      ),
  ],
  [
    'a pair that there is not',
    (): Buffer => frame(1, Buffer.from(event({ s: 'NOPEUSDT', c: 'x', i: 1, X: 'FILLED', x: 'TRADE' }))),
  ],
  [
    'an error',
    (): Buffer =>
      frame(1, Buffer.from('{"error":{"code":-1003,"msg":"Too many requests."},"id":"1","status":429}')),
  ],
] as const)(
  '%s: the listener stands, says at most one line for it, and hears what follows',
  async (_, bytes) => {
    const { exchange, heard, buy } = await listening();
    for (const end of exchange.sockets) end.sendRaw(bytes());
    // It is read before what follows on the same connection, or ends the connection.
    await vi.waitFor(
      async () => {
        const before = heard.events;
        await buy();
        await hears(heard, before);
        expect(exchange.sockets.size).toBe(1);
      },
      { timeout: 30_000, interval: 100 },
    );
    const said = heard.faults.filter((fault) => fault !== undefined);
    expect(said.length).toBeLessThanOrEqual(2);
    for (const fault of said) expect(fault).toMatch(/^[\x20-\x7e]{1,220}$/);
  },
);

test('it ends at once when it is told to, and leaves no connection', async () => {
  const { exchange, stop, done } = await listening();
  stop.abort();
  await done;
  await vi.waitFor(() => expect(exchange.sockets.size).toBe(0), { timeout: 10_000 });
});

test('a stop that is reached between two polls is on record at once', async () => {
  const exchange = await startLoopback();
  onTestFinished(() => exchange.close());
  const venue = await loopbackVenue(exchange);
  const stop = new AbortController();
  const hints = createHints(1);
  const script = scripted(exchange, [[1, null]]);
  // It has one bar, and then nothing happens for an hour.
  const feed: BarFeed = { look: async (...asked) => ({ ...(await script.look(...asked)), ended: false }) };
  const listens = venue.listen({ onEvent: () => hints.hear(), onFault: () => undefined }, stop.signal);
  let resting: string | undefined;
  const ledger = await runScript(exchange, [], {
    folder: temporaryFolder(),
    venue,
    feed,
    session: { rules: { ...liveSession.rules, stopLossPct: 50 } },
    options: {
      hints,
      signal: stop.signal,
      intervalMs: 3_600_000,
      onEntry: (entry) => {
        if (entry.kind === 'report' && entry.state === 'open') resting = entry.clientId;
        if (entry.kind === 'fill' && exchange.books.fills().length === 2) stop.abort();
      },
      // Once the program waits, the price comes to the stop.
      onStanding: ({ kind }) => {
        if (kind === 'known' && resting !== undefined && exchange.books.fills().length === 1)
          setTimeout((id: string) => exchange.books.trigger(id), 50, resting);
      },
    },
  });
  await listens;
  expectTruth(exchange, ledger);
  expect(ledger.state.account.positions()).toEqual([]);
});
