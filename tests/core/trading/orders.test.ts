import { describe, expect, test } from 'vitest';
import {
  bracket,
  type OrderKind,
  type OrderRequest,
  scaled,
} from '../../../src/core/trading/orders/order.ts';
import { cancelOrders, placeOrders } from '../../../src/core/trading/orders/work.ts';
import { createPortfolio } from '../../../src/core/trading/portfolio.ts';
import type { ExecutionRules } from '../../../src/core/trading/rules.ts';
import { restore, snapshot } from '../../../src/core/trading/snapshot.ts';
import { advance, setTarget } from '../../../src/core/trading/step.ts';
import { anyAmount, type Bar, exitsOf, freeRules, HOUR_MS, marketOf, NO_BAR } from './market-of.ts';

const flat = (price: number, volume = 1000): Bar => [price, price, price, price, volume];
const order = (
  side: 'buy' | 'sell',
  baseAmount: number,
  kind: OrderKind,
  terms: Partial<OrderRequest> = {},
): OrderRequest => ({ s: 0, side, baseAmount, kind, ...terms });
const market: OrderKind = { kind: 'market' };
const limit = (price: number): OrderKind => ({ kind: 'limit', price });
const stop = (price: number): OrderKind => ({ kind: 'stop', price });

/** `bar side amount @ price` of each fill and `bar reason` of each rejection; orders are placed at the close of the bar named. */
function play(
  bars: readonly Bar[],
  placed: Readonly<Record<number, readonly OrderRequest[]>>,
  rules: Partial<ExecutionRules> = {},
  stops = false,
): readonly string[] {
  const given = freeRules(rules);
  let portfolio = createPortfolio([anyAmount()], given);
  return bars.flatMap((_, row) => {
    const events = advance(portfolio, marketOf(bars), row);
    placeOrders(portfolio, placed[row] ?? []);
    // Stopping after every bar must change nothing.
    if (stops)
      portfolio = restore(
        JSON.parse(JSON.stringify(snapshot(portfolio))) as ReturnType<typeof snapshot>,
        [anyAmount()],
        given,
      );
    return events.flatMap((event) => {
      if (event.kind === 'fill')
        return [`${row} ${event.side} ${+event.baseAmount.toFixed(6)} @ ${+event.price.toFixed(6)}`];
      return event.kind === 'rejected' ? [`${row} ${event.reason}`] : [];
    });
  });
}

const bar: Bar = [100, 104, 95, 101];
const cases: readonly (readonly [
  string,
  readonly Bar[],
  Record<number, readonly OrderRequest[]>,
  readonly string[],
  Partial<ExecutionRules>?,
])[] = [
  [
    'a market order fills at the next open',
    [flat(90), bar],
    { 0: [order('buy', 10, market)] },
    ['1 buy 10 @ 100'],
  ],
  [
    'a buy limit fills at its price once the bar goes below it',
    [flat(100), bar],
    { 0: [order('buy', 10, limit(96))] },
    ['1 buy 10 @ 96'],
  ],
  [
    'a touch is not enough, unless the rules say so',
    [flat(100), bar],
    { 0: [order('buy', 10, limit(95))] },
    [],
  ],
  [
    'a touch is enough where the rules say so',
    [flat(100), bar],
    { 0: [order('buy', 10, limit(95))] },
    ['1 buy 10 @ 95'],
    { takeProfitFill: 'touch' },
  ],
  [
    'a limit that the open is already better than fills there',
    [flat(100), bar],
    { 0: [order('buy', 10, limit(103))] },
    ['1 buy 10 @ 100'],
  ],
  [
    'and slips no further than its price',
    [flat(100), bar],
    { 0: [order('buy', 10, limit(100.5))] },
    ['1 buy 10 @ 100.5'],
    { slippageBps: 100 },
  ],
  [
    'a resting limit that the bar opens beyond gets the open',
    [flat(100), flat(100), flat(90)],
    { 0: [order('buy', 10, limit(95))] },
    ['2 buy 10 @ 90'],
    { slippageBps: 100 },
  ],
  [
    'a post-only order that would fill at once is rejected',
    [flat(100), bar],
    { 0: [order('buy', 10, { kind: 'limit', price: 103, postOnly: true })] },
    ['1 post-only'],
  ],
  [
    'a stop becomes a market order at its price, and slips',
    [flat(100), bar],
    { 0: [order('buy', 10, stop(102))] },
    ['1 buy 10 @ 103.02'],
    { slippageBps: 100 },
  ],
  [
    'or at the open that lies beyond it',
    [flat(100), flat(110)],
    { 0: [order('buy', 10, stop(102))] },
    ['1 buy 10 @ 110'],
  ],
  [
    'a stop-limit whose limit the stop leaves open fills there',
    [flat(100), bar],
    { 0: [order('buy', 10, { kind: 'stop-limit', price: 102, limitPrice: 103 })] },
    ['1 buy 10 @ 102'],
  ],
  // Up to 104 first, the nearer extreme; triggered at 102, it waits for less than 101 and gets it on the way down.
  [
    'one whose limit is better than its stop waits for the price to come back',
    [flat(100), bar],
    { 0: [order('buy', 10, { kind: 'stop-limit', price: 102, limitPrice: 101 })] },
    ['1 buy 10 @ 101'],
  ],
  [
    'one that the market jumps past stays unfilled',
    [flat(100), flat(110)],
    { 0: [order('buy', 10, { kind: 'stop-limit', price: 102, limitPrice: 103 })] },
    [],
  ],
  [
    'a take-profit sells at the market once the price is as good',
    [flat(100), flat(100), [100, 106, 99, 100]],
    { 0: [order('buy', 10, market)], 1: [order('sell', 10, { kind: 'take-profit', price: 105 })] },
    ['1 buy 10 @ 100', '2 sell 10 @ 105'],
  ],
  [
    'a trailing stop follows the best price by percent',
    [flat(100), [100, 110, 100, 110], [110, 120, 105, 106]],
    {
      0: [order('buy', 10, market)],
      1: [order('sell', 10, { kind: 'trailing', by: 'percent', distance: 10 })],
    },
    ['1 buy 10 @ 100', '2 sell 10 @ 108'],
    { intrabarOrder: 'target-first' },
  ],
  [
    'or by price',
    [flat(100), flat(100), [100, 101, 96, 97]],
    { 0: [order('buy', 10, market)], 1: [order('sell', 10, { kind: 'trailing', by: 'price', distance: 3 })] },
    ['1 buy 10 @ 100', '2 sell 10 @ 97'],
  ],
  // To 104 and down to 95 first; only on the way from there to the close is it 5 above the lowest price seen.
  [
    'a trailing purchase follows the price down, and fills on the last way of a bar: to its close',
    [flat(100), bar],
    { 0: [order('buy', 10, { kind: 'trailing', by: 'price', distance: 5 })] },
    ['1 buy 10 @ 100'],
  ],
  [
    'the close ends the way: what lies beyond it waits',
    [flat(100), bar, [101, 103, 101, 103]],
    { 0: [order('buy', 10, { kind: 'trailing', by: 'price', distance: 7 })] },
    ['2 buy 10 @ 102'],
  ],
  // True range 4 of the bar before.
  [
    'or by average true range',
    [flat(100), [100, 102, 98, 100], [100, 101, 91, 97]],
    { 0: [order('buy', 10, market)], 1: [order('sell', 10, { kind: 'trailing', by: 'atr', distance: 2 })] },
    ['1 buy 10 @ 100', '2 sell 10 @ 92'],
    { exits: exitsOf({ atrBars: 1 }) },
  ],
  [
    'good till a time: not after it',
    [flat(100), flat(100), flat(90)],
    { 0: [order('buy', 10, limit(95), { timeInForce: 2 * HOUR_MS })] },
    ['2 expired'],
  ],
  [
    'immediate or cancel: what does not fill at the open ends',
    [flat(100), bar],
    { 0: [order('buy', 10, limit(96), { timeInForce: 'IOC' })] },
    ['1 expired'],
  ],
  [
    'immediate or cancel fills what volume allows',
    [flat(100), flat(100, 100), flat(100, 100)],
    { 0: [order('buy', 20, market, { timeInForce: 'IOC' })] },
    ['1 buy 10 @ 100', '1 volume-share', '1 expired'],
    { maxVolumeSharePct: 10 },
  ],
  [
    'fill or kill: all or nothing',
    [flat(100), flat(100, 100)],
    { 0: [order('buy', 20, market, { timeInForce: 'FOK' })] },
    ['1 fill-or-kill'],
    { maxVolumeSharePct: 10 },
  ],
  [
    'good till cancelled carries the rest on',
    [flat(100), flat(100, 100), flat(101, 100)],
    { 0: [order('buy', 20, market)] },
    ['1 buy 10 @ 100', '1 volume-share', '2 buy 10 @ 101'],
    { maxVolumeSharePct: 10 },
  ],
  [
    'reduce-only never opens',
    [flat(100), flat(100)],
    { 0: [order('sell', 10, market, { reduceOnly: true })] },
    ['1 reduce-only'],
    { allowShort: true },
  ],
  [
    'reduce-only is cut to the position',
    [flat(100), flat(100), flat(110)],
    { 0: [order('buy', 10, market)], 1: [order('sell', 25, market, { reduceOnly: true })] },
    ['1 buy 10 @ 100', '2 sell 10 @ 110'],
    { allowShort: true },
  ],
  [
    'latency: not before its time',
    [flat(100), flat(101), flat(102)],
    { 0: [order('buy', 10, market, { notBeforeMs: HOUR_MS + 250 })] },
    ['2 buy 10 @ 102'],
  ],
  [
    'what turns a position round inside the bar is not protected by prices before it: the low came first',
    [flat(100), [100, 106, 95, 97], [97, 97, 90, 90]],
    { 0: [order('buy', 10, market), order('sell', 15, limit(104))] },
    ['1 buy 10 @ 100', '1 sell 10 @ 104', '1 sell 5 @ 104', '2 buy 5 @ 97'],
    { allowShort: true, takeProfitPct: 5, protectEntryBar: true },
  ],
  [
    'nor is one that is opened again inside the bar that closed it',
    [flat(100), flat(100), [100, 112, 99, 106], [106, 106, 100, 100]],
    {
      0: [order('buy', 10, market)],
      1: [order('sell', 10, limit(110), { name: 'out' }), order('buy', 10, limit(108), { after: 'out' })],
    },
    ['1 buy 10 @ 100', '2 sell 10 @ 110', '2 buy 10 @ 108', '3 sell 10 @ 102.6'],
    { stopLossPct: 5, protectEntryBar: true },
  ],
  [
    'the exposure limit holds at the price of the order: a half of 10 000, of which 25 at 120 are 3 000',
    [flat(100), flat(120)],
    { 0: [order('sell', 25, limit(100)), order('sell', 25, limit(100))] },
    ['1 sell 25 @ 120', '1 sell 16.666667 @ 120', '1 reduce-only'],
    { allowShort: true, maxExposurePct: 50 },
  ],
  [
    'cash bounds a purchase, the rest is refused',
    [flat(100), flat(100)],
    { 0: [order('buy', 150, market)] },
    ['1 buy 100 @ 100', '1 insufficient-quote'],
  ],
  [
    'scaled entries are limits side by side',
    [flat(100), [100, 100, 93, 94]],
    { 0: scaled({ s: 0, side: 'buy', baseAmount: 30 }, { from: 98, to: 94, count: 3 }) },
    ['1 buy 10 @ 98', '1 buy 10 @ 96', '1 buy 10 @ 94'],
  ],
];

for (const [title, bars, placed, expected, rules] of cases)
  test(title, () => {
    expect(play(bars, placed, rules)).toEqual(expected);
    expect(play(bars, placed, rules, true)).toEqual(expected);
  });

describe('a bracket', () => {
  const entry = bracket(order('buy', 10, limit(98)), { name: 'a', stop: 95, target: 105 });

  test('sleeps until its entry has filled, then its stop ends the target, within one bar', () => {
    const bars: Bar[] = [flat(100), [100, 101, 94, 96], [96, 110, 96, 108]];
    expect(play(bars, { 0: entry })).toEqual(['1 buy 10 @ 98', '1 sell 10 @ 95']);
  });

  test('and its target the stop', () => {
    const bars: Bar[] = [flat(100), [100, 101, 97, 100], [100, 106, 99, 104], [104, 104, 90, 91]];
    expect(play(bars, { 0: entry }, {}, true)).toEqual(['1 buy 10 @ 98', '2 sell 10 @ 105']);
  });

  test('works for no more than the entry filled, and ends with an entry that never did', () => {
    const half = bracket(order('buy', 200, market), { name: 'a', stop: 90, target: 105 });
    expect(play([flat(100), flat(100), [100, 106, 100, 100]], { 0: half })).toEqual([
      '1 buy 100 @ 100',
      '1 insufficient-quote',
      '2 sell 100 @ 105',
    ]);
    const never = bracket(order('buy', 10, limit(50), { timeInForce: 'IOC' }), {
      name: 'a',
      stop: 40,
      target: 105,
    });
    const bars = [flat(100), flat(100), flat(110)];
    const portfolio = createPortfolio([anyAmount()], freeRules());
    bars.forEach((_, row) => {
      advance(portfolio, marketOf(bars), row);
      if (row === 0) placeOrders(portfolio, never);
    });
    expect(portfolio.orders).toEqual([]);
  });
});

test('one of a group ends the others (OCO), and cancelling ends all', () => {
  const way = (kind: OrderKind): OrderRequest => order('sell', 10, kind, { group: 'out' });
  const bars: Bar[] = [flat(100), flat(100), [100, 106, 100, 100], flat(80)];
  expect(play(bars, { 0: [order('buy', 10, market)], 1: [way(stop(95)), way(limit(105))] })).toEqual([
    '1 buy 10 @ 100',
    '2 sell 10 @ 105',
  ]);
  const portfolio = createPortfolio([anyAmount()], freeRules());
  placeOrders(portfolio, [order('buy', 1, limit(1))]);
  cancelOrders(portfolio);
  expect(portfolio.orders).toEqual([]);
});

test('orders that rested pay the fee of makers, others of takers, by the turnover of the 30 days before', () => {
  const feeTiers = [
    { fromQuote: 0, makerBps: 10, takerBps: 20 },
    { fromQuote: 1500, makerBps: 0, takerBps: 5 },
  ];
  const day = 24;
  const bars: Bar[] = Array.from({ length: 33 * day }, () => [100, 101, 99, 100]);
  const portfolio = createPortfolio([anyAmount()], freeRules({ feeTiers, feeBps: 20 }));
  const fees: number[] = [];
  const at: Record<number, OrderRequest> = {
    0: order('buy', 10, market),
    1: order('sell', 10, limit(100.5)),
    [day]: order('buy', 10, market),
    [32 * day]: order('sell', 10, market),
  };
  bars.forEach((_, row) => {
    for (const event of advance(portfolio, marketOf(bars), row))
      if (event.kind === 'fill') fees.push(event.feeQuote);
    if (at[row]) placeOrders(portfolio, [at[row]]);
  });
  // 1 000 x 20 bp; 1 005 x 10 bp; a day later 2 005 lie behind: 5 bp; 31 days later nothing does.
  expect(fees.map((fee) => +fee.toFixed(6))).toEqual([2, 1.005, 0.5, 2]);
});

test('an order of less than a step does not stay', () => {
  const portfolio = createPortfolio([{ ...anyAmount(), amountStep: 1 }], freeRules());
  placeOrders(portfolio, [order('buy', 0.5, market)]);
  expect(portfolio.orders).toEqual([]);
});

test('an order beside a position of another symbol counts that at the open of the bar', () => {
  const instruments = [anyAmount(), anyAmount('ETH/USDT')];
  const bars = marketOf([flat(100), flat(100), flat(120)], [flat(100), flat(100), flat(100)]);
  const portfolio = createPortfolio(instruments, freeRules({ maxExposurePct: 50, allowShort: true }));
  advance(portfolio, bars, 0);
  placeOrders(portfolio, [order('sell', 25, market)]);
  advance(portfolio, bars, 1);
  placeOrders(portfolio, [order('sell', 50, market, { s: 1 })]);
  advance(portfolio, bars, 2);
  // 10 000 less 25 x 20 lost are 9 500: half of them, less the 3 000 that are short already, at 100.
  expect(Array.from(portfolio.columns.amount)).toEqual([-25, -17.5]);
});

test('an order beside a position that began in the very first bar of its symbol fills as if that were worth what was paid', () => {
  const instruments = [anyAmount(), anyAmount('ETH/USDT')];
  const bars = marketOf([flat(10), flat(10)], [NO_BAR, flat(5)]);
  const portfolio = createPortfolio(instruments, freeRules({ maxPositionPct: 20, maxExposurePct: 50 }));
  advance(portfolio, bars, 0);
  setTarget(portfolio, 1, 1);
  placeOrders(portfolio, [order('buy', 1000, market)]);
  advance(portfolio, bars, 1);
  // A fifth of 10 000 in ETH, so that 3 000 of the allowed half are left for BTC.
  expect(Array.from(portfolio.columns.amount)).toEqual([300, 400]);
  expect(portfolio.cash).toBe(5000);
});
