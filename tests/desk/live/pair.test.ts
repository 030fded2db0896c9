import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openVenue } from '../../../src/data/exchange/open-venue.ts';
import type { Venue } from '../../../src/data/exchange/venue.ts';
import { readLive } from '../../../src/desk/live/ledger.ts';
import { unprotected } from '../../../src/desk/live/protect.ts';
import type { LiveEntry } from '../../../src/desk/live/record.ts';
import type { LiveOptions } from '../../../src/desk/live/run.ts';
import type { BarFeed } from '../../../src/desk/paper/feed.ts';
import { entryText, protectionLines } from '../../../src/app/cli/live-text.ts';
import { failingDisk } from '../../support/failing-disk.ts';
import { CANCEL_PAIR, SUBMIT, SUBMIT_PAIR } from './cells.ts';
import { expectTruth, lastPrices, liveSession, runScript, scripted, startLoopback } from './rig.ts';
import { setUp } from './set-up.ts';

const withBoth = (stopLossPct: number, takeProfitPct: number) => ({
  rules: { ...liveSession.rules, stopLossPct, takeProfitPct },
});
/** So far away that no price comes there. */
const FAR = withBoth(50, 50);
const HOLD = [
  [1, null],
  [null, null],
  [null, null],
] as const;

/** The same bars, but that the first symbol closes at `price` from the second on. */
function closingAt(
  exchange: Parameters<typeof scripted>[0],
  script: Parameters<typeof scripted>[1],
  price: number,
) {
  const bars = scripted(exchange, script);
  let moved = false;
  const feed: BarFeed = {
    look: async (last, signal) => {
      const look = await bars.look(last, signal);
      if (last === undefined || look.bars.length === 0) return look;
      moved = true;
      const there = look.bars.map(({ bar, decision }) => ({
        decision,
        bar: {
          ...bar,
          candles: bar.candles.map((candle, s) => (s === 0 ? [price, price, price, price, 1] : candle)),
        },
      }));
      return { ...look, bars: there };
    },
  };
  return { feed, hasMoved: () => moved };
}

test('Binance is asked for a list of two orders as its manual says, and to cancel it', async () => {
  const asked: string[] = [];
  const orders = [
    { symbol: 'BTCUSDT', orderId: 10, clientOrderId: 'ctstop' },
    { symbol: 'BTCUSDT', orderId: 11, clientOrderId: 'cttake' },
  ];
  const exchange = await startLoopback();
  onTestFinished(() => exchange.close());
  // What comes before the list (markets, the clock) is the loopback exchange's answer.
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      response.setHeader('Content-Type', 'application/json');
      if (!request.url?.includes('orderList')) {
        void fetch(`${exchange.url}${request.url}`)
          .then((answer) => answer.text())
          .then((text) => response.end(text));
        return;
      }
      const [path, query] = request.url.split('?');
      const params = new URLSearchParams(query ?? body);
      for (const name of ['timestamp', 'recvWindow', 'signature']) params.delete(name);
      asked.push(`${request.method} ${path} ${params.toString()}`);
      response.end(JSON.stringify({ orderListId: 1, contingencyType: 'OCO', orders }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const venue = await openVenue({
    id: 'binance',
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sandbox: false,
    paced: false,
    timeoutMs: 10_000,
    credentials: { apiKey: 'k', secret: 's', password: undefined },
  });
  const { signal } = new AbortController();
  const name = { symbol: 'BTC/USDT', listId: 'ctlist' } as const;
  const stop = { clientId: 'ctstop', stopPrice: 90, price: 89.1 };
  const take = { clientId: 'cttake', price: 110 };
  const taken = await venue.submitPair?.({ ...name, baseAmount: 0.00002, stop, take }, signal);
  expect(taken).toEqual({
    kind: 'answered',
    value: {
      stop: { clientId: 'ctstop', symbol: 'BTC/USDT', orderId: '10', filled: 0, state: 'open' },
      take: { clientId: 'cttake', symbol: 'BTC/USDT', orderId: '11', filled: 0, state: 'open' },
    },
  });
  expect(await venue.cancel({ ...name, clientId: 'ctstop' }, signal)).toMatchObject({ kind: 'answered' });
  // https://developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints
  expect(asked).toEqual([
    'POST /api/v3/orderList/oco symbol=BTCUSDT&listClientOrderId=ctlist&side=SELL&quantity=0.00002&aboveType=LIMIT_MAKER&aboveClientOrderId=cttake&abovePrice=110&belowType=STOP_LOSS_LIMIT&belowClientOrderId=ctstop&belowStopPrice=90&belowPrice=89.1&belowTimeInForce=GTC&newOrderRespType=ACK',
    'DELETE /api/v3/orderList symbol=BTCUSDT&listClientOrderId=ctlist',
  ]);
  // An answer about other orders is no answer.
  orders[1].clientOrderId = 'another';
  expect(await venue.submitPair?.({ ...name, baseAmount: 0.00002, stop, take }, signal)).toMatchObject({
    kind: 'unknown',
  });
});

test('stop and target of all that is held rest as one pair, are replaced as one, and are gone before a sale', async () => {
  const rig = await setUp();
  let covered = 0;
  const options: Partial<LiveOptions> = {
    onStanding: ({ kind }) => {
      const orders = rig.working().filter(({ symbol }) => symbol === 'BTC/USDT');
      const pair = orders.map(({ stopPrice }) => (stopPrice === undefined ? 'take' : 'stop'));
      expect([[], ['stop', 'take']]).toContainEqual(pair);
      const held = rig.exchange.books.balances().get('BTC') ?? 0;
      const isCovered = orders.length > 0 && orders.every(({ quantity }) => held - quantity < 0.00001);
      if (kind === 'known' && isCovered) covered++;
      rig.exchange.clock.set(rig.exchange.clock.now() + 10_000);
    },
  };
  const script = [
    [0.4, null],
    [1, null],
    [0.3, null],
    [0, null],
    [null, null],
  ] as const;
  const ledger = await runScript(rig.exchange, script, { ...rig, session: FAR, options });
  expectTruth(rig.exchange, ledger);
  expect(rig.working()).toEqual([]);
  expect(covered).toBeGreaterThan(3);
  expect(rig.asked(SUBMIT_PAIR)).toBe(3);
  expect(rig.asked(CANCEL_PAIR)).toBe(3);
  // Nothing protective was sent or cancelled but as a pair.
  expect(rig.asked(SUBMIT)).toBe(4);
  expect(ledger.state.account.positions()).toEqual([]);
});

test('both intents are on disk before the request leaves', async () => {
  const rig = await setUp();
  const seen: (string | undefined)[][] = [];
  const venue: Venue = {
    ...rig.venue,
    submitPair: async (pair, signal) => {
      const { orders } = await readLive(join(rig.folder, 'session'));
      seen.push([pair.stop, pair.take].map(({ clientId }) => orders.get(clientId)?.intent.listId));
      expect(seen.at(-1)).toEqual([pair.listId, pair.listId]);
      return (await rig.venue.submitPair?.(pair, signal)) ?? { kind: 'unknown', reason: '' };
    },
  };
  await runScript(rig.exchange, [[1, 1]], { ...rig, venue, session: FAR });
  expect(seen).toHaveLength(2);
});

test('killed at any write around a pair, nothing of it is lost, doubled or left alone', async () => {
  const script = [
    [1, null],
    [0.4, null],
    [null, null],
    [0, null],
    [null, null],
    [null, null],
  ] as const;
  const template = await setUp();
  const counted = failingDisk(undefined, { kind: 'refuses', code: 'EIO' }, false);
  await runScript(template.exchange, script, { ...template, session: FAR, disk: counted.disk });
  for (let at = 3; at < counted.operations(); at += 23) {
    const rig = await setUp();
    const kind = at % 2 === 0 ? 'refuses' : 'does-and-refuses';
    const { disk } = failingDisk(at, { kind, code: 'EIO' }, true);
    await expect(runScript(rig.exchange, script, { ...rig, session: FAR, disk })).rejects.toThrow('EIO');
    const ledger = await runScript(rig.exchange, script, rig);
    expectTruth(rig.exchange, ledger);
    expect(ledger.state.halt).toBeUndefined();
    expect(ledger.state.account.positions()).toEqual([]);
    expect(rig.working()).toEqual([]);
  }
});

test.each([
  ['the stop', 'stop'],
  ['the target', 'take'],
] as const)(
  '%s is reached while nobody is there: the other has ended, and nothing is bought again',
  async (_, leg) => {
    const rig = await setUp();
    const first = await runScript(rig.exchange, HOLD, { ...rig, session: FAR, options: { maxCycles: 5 } });
    const orders = [...first.state.orders.values()].filter(({ intent }) => intent.leg === leg);
    expect(orders).toHaveLength(1);
    rig.exchange.books.trigger(orders[0].intent.clientId);
    expect(rig.working()).toEqual([]);
    const later = await runScript(rig.exchange, [...HOLD, [1, null], [1, null]], rig);
    expectTruth(rig.exchange, later);
    expect(later.state.halt).toBeUndefined();
    expect(later.state.account.positions()).toEqual([]);
    expect(rig.exchange.books.orders().map(({ status }) => status)).toEqual(
      leg === 'stop' ? ['FILLED', 'FILLED', 'EXPIRED'] : ['FILLED', 'EXPIRED', 'FILLED'],
    );
  },
);

test('a target that fills in part has ended its stop: what is left is protected by another pair', async () => {
  const rig = await setUp();
  const first = await runScript(rig.exchange, HOLD, { ...rig, session: FAR, options: { maxCycles: 5 } });
  const take = [...first.state.orders.values()].find(({ intent }) => intent.leg === 'take');
  rig.exchange.books.trigger(take?.intent.clientId ?? '', 2);
  expect(rig.working().map(({ stopPrice }) => stopPrice)).toEqual([undefined]);
  const later = await runScript(rig.exchange, [...HOLD, [null, null]], rig);
  expectTruth(rig.exchange, later);
  const [stop, target, ...more] = rig.working();
  expect(more).toEqual([]);
  expect(stop).toMatchObject({ quantity: 2 });
  expect(target).toMatchObject({ quantity: 2, stopPrice: undefined });
  expect(rig.exchange.books.orders().map(({ status }) => status)).toEqual([
    'FILLED',
    'EXPIRED',
    'CANCELED',
    'NEW',
    'NEW',
  ]);
});

test('a stop that sold a part has ended its target, and goes on', async () => {
  const rig = await setUp();
  const first = await runScript(rig.exchange, HOLD, { ...rig, session: FAR, options: { maxCycles: 5 } });
  const stop = [...first.state.orders.values()].find(({ intent }) => intent.leg === 'stop');
  rig.exchange.books.trigger(stop?.intent.clientId ?? '', 2);
  const later = await runScript(rig.exchange, [...HOLD, [null, null]], rig);
  expectTruth(rig.exchange, later);
  expect(rig.working()).toMatchObject([{ clientOrderId: stop?.intent.clientId, status: 'PARTIALLY_FILLED' }]);
});

test('an exchange that refuses the pair gets the stop alone, and it is said', async () => {
  const rig = await setUp();
  rig.exchange.setFaults([{ kind: 'no-more-lists', path: SUBMIT_PAIR }]);
  const entries: LiveEntry[] = [];
  const options: Partial<LiveOptions> = { onEntry: (entry) => void entries.push(entry) };
  const { state } = await runScript(rig.exchange, HOLD, { ...rig, session: FAR, options });
  const [{ quantity, stopPrice, price }, ...more] = rig.working();
  expect(more).toEqual([]);
  // Three attempts, and none with the bars that follow: what rests is not taken back for another try.
  expect(rig.asked(SUBMIT_PAIR)).toBe(3);
  expect(unprotected(state)).toEqual([]);
  const said = entries.map((entry) => (entry.kind === 'bar' ? '' : entryText(entry, state))).join('\n');
  expect(said.match(/REFUSED: (stop|take): .*MAX_NUM_ORDER_LISTS/g)).toHaveLength(6);
  expect(said).toMatch(
    /sent: stop: .*, alone: binance takes no OCO pair, and its target is looked for at each close/,
  );
  expect(protectionLines(state)).toEqual([
    `a stop rests: ${quantity} BTC/USDT from ${stopPrice} down to ${price}; its target does not, it is looked for at each close`,
  ]);
});

test('a target that does not rest is sold at the close that has come to it', async () => {
  const rig = await setUp();
  rig.exchange.setFaults([{ kind: 'no-more-lists', path: SUBMIT_PAIR }]);
  const script = [[null, 1], ...Array.from({ length: 12 }, () => [null, null])];
  const ledger = await runScript(rig.exchange, script, { ...rig, session: withBoth(50, 0.6) });
  expectTruth(rig.exchange, ledger);
  const [purchase, ...sales] = rig.exchange.books.orders().filter(({ status }) => status === 'FILLED');
  expect(sales).toHaveLength(1);
  const { intent } = ledger.state.orders.get(sales[0].clientOrderId) ?? {};
  expect(intent).toMatchObject({ leg: 'take', timeInForce: 'IOC', listId: undefined });
  // The purchase filled a percent below its limit.
  expect(sales[0].price / (purchase.price / 1.01)).toBeCloseTo(1.006, 3);
  expect(rig.working()).toEqual([]);
  expect(ledger.state.account.positions()).toEqual([]);
});

test('a close at the target that the price has left again is acted upon once', async () => {
  const rig = await setUp();
  rig.exchange.setFaults([{ kind: 'no-more-lists', path: SUBMIT_PAIR }]);
  const { feed } = closingAt(rig.exchange, HOLD, 112);
  const ledger = await runScript(rig.exchange, [], { ...rig, feed, session: withBoth(50, 10) });
  expectTruth(rig.exchange, ledger);
  // The purchase, and the stop with each of three bars.
  expect(rig.asked(SUBMIT)).toBe(4);
  expect(rig.working()).toHaveLength(1);
});

test('without pairs at the exchange the stop rests, and its target is looked for at each close', async () => {
  const rig = await setUp();
  const { submitPair: _, ...venue } = rig.venue;
  const ledger = await runScript(rig.exchange, HOLD, { ...rig, venue, session: FAR });
  expectTruth(rig.exchange, ledger);
  expect(rig.working()).toMatchObject([{ stopPrice: 50.06 }]);
  expect(rig.asked(SUBMIT_PAIR)).toBe(0);
});

test.each([
  ['stop', 70, 25, 50],
  ['target', 120, 50, 15],
])(
  'a price that has passed the %s before the pair rests is sold into at once',
  async (_, price, stop, target) => {
    const rig = await setUp();
    const options: Partial<LiveOptions> = {
      prices: async (symbols) =>
        rig.exchange.books.fills().length === 0
          ? lastPrices(rig.exchange, symbols)
          : symbols.map(() => price),
    };
    const ledger = await runScript(rig.exchange, HOLD.slice(0, 1), {
      ...rig,
      session: withBoth(stop, target),
      options,
    });
    expectTruth(rig.exchange, ledger);
    const [, sale] = [...ledger.state.orders.values()];
    expect(sale.intent).toMatchObject({
      side: 'sell',
      timeInForce: 'IOC',
      stopPrice: undefined,
      listId: undefined,
    });
    expect(rig.asked(SUBMIT_PAIR)).toBe(0);
  },
);

test('a stop of a pair whose limit the market has left behind is taken back, and what is held is sold at once', async () => {
  const rig = await setUp();
  const { feed, hasMoved } = closingAt(rig.exchange, HOLD, 70);
  const prices: LiveOptions['prices'] = async (symbols) =>
    hasMoved() ? symbols.map(() => 70) : lastPrices(rig.exchange, symbols);
  const ledger = await runScript(rig.exchange, [], {
    ...rig,
    feed,
    session: withBoth(25, 50),
    options: { prices },
  });
  expectTruth(rig.exchange, ledger);
  expect(rig.exchange.books.orders().map(({ status }) => status)).toEqual([
    'FILLED',
    'CANCELED',
    'CANCELED',
    'FILLED',
  ]);
  expect(ledger.state.account.positions()).toEqual([]);
});
