import { expect, test } from 'vitest';
import { unprotected } from '../../../src/desk/live/protect.ts';
import type { LiveOptions } from '../../../src/desk/live/run.ts';
import type { BarFeed } from '../../../src/desk/paper/feed.ts';
import { expectTruth, lastPrices, liveSession, runScript, scripted } from './rig.ts';
import { setUp } from './set-up.ts';

const withRules = (rules: Partial<typeof liveSession.rules>) => ({
  rules: { ...liveSession.rules, ...rules },
});
/** So far away that no price comes there. */
const FAR_STOP = withRules({ stopLossPct: 50 });

test('a stop of all that is held rests below the entry, grows with it, and is gone before a sale', async () => {
  const rig = await setUp();
  const seen: { stop: number; held: number }[] = [];
  const options: Partial<LiveOptions> = {
    onStanding: ({ kind }) => {
      const stops = rig.working().filter(({ symbol }) => symbol === 'BTC/USDT');
      expect(stops.length).toBeLessThanOrEqual(1);
      const held = rig.exchange.books.balances().get('BTC') ?? 0;
      if (kind === 'known' && held > 0) seen.push({ stop: stops.at(0)?.quantity ?? 0, held });
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
  const ledger = await runScript(rig.exchange, script, { ...rig, session: FAR_STOP, options });
  expectTruth(rig.exchange, ledger);
  expect(rig.working()).toEqual([]);
  const stops = rig.exchange.books.orders().filter(({ stopPrice }) => stopPrice !== undefined);
  expect(stops).toHaveLength(3);
  // 50 % below entries near 100, with a limit 1 % below that.
  for (const { stopPrice, price } of stops) expect(price / (stopPrice ?? 0)).toBeCloseTo(0.99, 3);
  // Whatever is held is covered to the last step of an order in most polls; in between it is on its way.
  const covered = seen.filter(({ stop, held }) => held - stop < 0.00001 && stop <= held);
  expect(covered.length).toBeGreaterThan(seen.length / 2);
});

test('a stop that is reached while nobody is there is found at the next start, and nothing is bought again for it', async () => {
  const rig = await setUp();
  const script = [
    [1, null],
    [1, null],
    [1, null],
    [0, null],
    [1, null],
  ] as const;
  // It ends right after the purchase and its stop.
  const first = await runScript(rig.exchange, script, {
    ...rig,
    session: FAR_STOP,
    options: { maxCycles: 5 },
  });
  expect(first.state.account.positions()).toMatchObject([{ symbol: 'BTC/USDT' }]);
  expect(rig.working()).toHaveLength(1);
  const [{ clientOrderId }] = rig.working();
  rig.exchange.books.trigger(clientOrderId);
  const bought = () => rig.exchange.books.orders().filter(({ stopPrice }) => stopPrice === undefined).length;
  const before = bought();
  const later = await runScript(rig.exchange, script.slice(0, 3), rig);
  expectTruth(rig.exchange, later);
  expect(later.state.halt).toBeUndefined();
  expect(later.state.account.positions()).toEqual([]);
  expect(bought()).toBe(before);
  // Once the target was flat it opens again.
  const last = await runScript(rig.exchange, script, rig);
  expect(last.state.account.positions()).toMatchObject([{ symbol: 'BTC/USDT' }]);
  expectTruth(rig.exchange, last);
});

test('a price that is below the stop before it rests is sold into at once', async () => {
  const rig = await setUp();
  const options: Partial<LiveOptions> = {
    // 30 % down as soon as something is held: far below the stop, and still a price to be believed.
    prices: async (symbols) =>
      rig.exchange.books.fills().length === 0 ? lastPrices(rig.exchange, symbols) : symbols.map(() => 70),
  };
  const script = [
    [1, null],
    [null, null],
  ] as const;
  const ledger = await runScript(rig.exchange, script, {
    ...rig,
    session: withRules({ stopLossPct: 25 }),
    options,
  });
  expectTruth(rig.exchange, ledger);
  expect(ledger.state.account.positions()).toEqual([]);
});

test('a target rests above the entry and sells there', async () => {
  const rig = await setUp();
  const session = withRules({ takeProfitPct: 0.2 });
  const ledger = await runScript(rig.exchange, [[1, 1], ...Array.from({ length: 20 }, () => [1, 1])], {
    ...rig,
    session,
  });
  expectTruth(rig.exchange, ledger);
  const sold = rig.exchange.books
    .orders()
    .filter(
      ({ clientOrderId, status }) =>
        status === 'FILLED' && ledger.state.orders.get(clientOrderId)?.intent.leg === 'take',
    );
  expect(sold.length).toBeGreaterThan(0);
  for (const { clientOrderId, price } of sold) {
    const entry = [...ledger.state.orders.values()].find(
      ({ intent }) =>
        intent.side === 'buy' && intent.symbol === ledger.state.orders.get(clientOrderId)?.intent.symbol,
    );
    expect(price).toBeGreaterThan((entry?.intent.price ?? Infinity) / 1.01);
  }
});

test('a stop that is refused is tried again a few times, then with the next bar, and is said to be missing', async () => {
  const rig = await setUp();
  rig.exchange.setFaults([{ kind: 'reject', path: 'POST /api/v3/order', after: 1, times: 3 }]);
  const first = await runScript(rig.exchange, [[1, null]], { ...rig, session: FAR_STOP });
  expect(unprotected(first.state)).toEqual(['BTC/USDT']);
  const later = await runScript(
    rig.exchange,
    [
      [1, null],
      [1, null],
      [1, null],
    ],
    rig,
  );
  expect(unprotected(later.state)).toEqual([]);
  expect(rig.working()).toHaveLength(1);
  expectTruth(rig.exchange, later);
});

test('a stop whose limit the market has left behind is taken back, and what is held is sold at once', async () => {
  const rig = await setUp();
  const bars = scripted(rig.exchange, [
    [1, null],
    [null, null],
    [null, null],
  ]);
  // The second bar closes 30 % lower: below the limit of a stop 25 % below the entry, which the exchange does not fill.
  const feed: BarFeed = {
    look: async (last, signal) => {
      const look = await bars.look(last, signal);
      if (last === undefined || look.bars.length === 0) return look;
      fallen = true;
      const fell = look.bars.map(({ bar, decision }) => ({
        decision,
        bar: { ...bar, candles: bar.candles.map((candle, s) => (s === 0 ? [70, 70, 70, 70, 1] : candle)) },
      }));
      return { ...look, bars: fell };
    },
  };
  let fallen = false;
  const ledger = await runScript(rig.exchange, [], {
    ...rig,
    feed,
    session: withRules({ stopLossPct: 25 }),
    options: {
      prices: async (symbols) => (fallen ? symbols.map(() => 70) : lastPrices(rig.exchange, symbols)),
    },
  });
  expectTruth(rig.exchange, ledger);
  expect(
    rig.exchange.books.orders().map(({ stopPrice, status }) => [stopPrice !== undefined, status]),
  ).toEqual([
    [false, 'FILLED'],
    [true, 'CANCELED'],
    [false, 'FILLED'],
  ]);
  expect(ledger.state.account.positions()).toEqual([]);
});

test('a stop that sold all but less than an order may be is taken back', async () => {
  const rig = await setUp();
  const script = [[1, null]] as const;
  await runScript(rig.exchange, script, { ...rig, session: FAR_STOP });
  const [{ clientOrderId }] = rig.working();
  // 0.02 at a price near 50: an order has to be worth 5.
  rig.exchange.books.trigger(clientOrderId, 0.02);
  const ledger = await runScript(
    rig.exchange,
    [
      [1, null],
      [null, null],
    ],
    rig,
  );
  expectTruth(rig.exchange, ledger);
  expect(rig.working()).toEqual([]);
  expect(rig.exchange.books.orders().at(-1)).toMatchObject({ clientOrderId, status: 'CANCELED' });
  // Too little to be sold is no position, and stays at the exchange.
  expect(ledger.state.account.positions()).toEqual([]);
  expect(rig.exchange.books.balances().get('BTC')).toBeGreaterThan(0.0199);
});
