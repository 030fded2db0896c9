import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AccountRules } from '../../../src/core/trading/accounts/account-rules.ts';
import { createPortfolio } from '../../../src/core/trading/portfolio.ts';
import type { EntryRules, ExecutionRules } from '../../../src/core/trading/rules.ts';
import { restore, snapshot } from '../../../src/core/trading/snapshot.ts';
import { stepBar } from '../../../src/core/trading/step.ts';
import { anyAmount, type Bar, freeRules, marketOf } from './market-of.ts';

const flat = (price: number): Bar => [price, price, price, price];
const hold = NaN;
const coin = { ...anyAmount(), amountStep: 1e-6 };
const limit = (changes: Partial<EntryRules> = {}): EntryRules => ({
  kind: 'limit',
  offsetPct: 2,
  parts: 1,
  bars: 3,
  postOnly: false,
  ...changes,
});

const perpetual = (kind: 'linear' | 'inverse'): AccountRules => ({
  kind,
  marginMode: 'cross',
  leverage: 1,
  tiers: [],
  liquidationFeeBps: 0,
  funding: 'waived',
});

/** `bar cause side amount @ price` of each fill and `bar reason` of each rejection; what stands after every bar is restored. */
function play(
  bars: readonly Bar[],
  targets: readonly number[],
  entry: EntryRules,
  rules: Partial<ExecutionRules> = {},
): readonly string[] {
  const given = freeRules({ entry, ...rules });
  const market = marketOf(bars);
  const column = Float64Array.from(bars, (_, row) => targets[row] ?? hold);
  let portfolio = createPortfolio([coin], given);
  return bars.flatMap((_, row) => {
    const events = stepBar(portfolio, market, row, [column]);
    const saved = JSON.parse(JSON.stringify(snapshot(portfolio))) as ReturnType<typeof snapshot>;
    portfolio = restore(saved, [coin], given);
    return events.flatMap((event) => {
      if (event.kind === 'fill')
        return [
          `${row} ${event.cause} ${event.side} ${+event.baseAmount.toFixed(3)} @ ${+event.price.toFixed(6)}`,
        ];
      return event.kind === 'rejected' ? [`${row} ${event.reason}`] : [];
    });
  });
}

describe('an entry by limit order', () => {
  test('waits for its price below the close, and slips nothing', () => {
    // 10 000 less the .5 % that a market order could slip, at 98.
    const bars = [flat(100), [100, 101, 99, 100] as const, [100, 100, 97, 99] as const];
    expect(play(bars, [1], limit(), { slippageBps: 50 })).toEqual(['2 order buy 101.533 @ 98']);
  });

  test('is given up after its bars', () => {
    const bars = [flat(100), flat(100), flat(100), flat(100), flat(90)];
    expect(play(bars, [1], limit({ bars: 2 }))).toEqual(['3 expired']);
    expect(play(bars, [1], limit({ bars: 4 }))).toEqual(['4 order buy 102.041 @ 90']);
  });

  test('is replaced by the next decision, and taken back when that is flat', () => {
    // At 110 the second is placed at 107.8, for 10 000.
    const bars = [flat(100), flat(110), [110, 110, 105, 110] as const, flat(90)];
    expect(play(bars, [1, 1], limit())).toEqual(['2 order buy 92.764 @ 107.8']);
    expect(play(bars, [1, 0], limit())).toEqual([]);
  });

  test('comes in equal parts from the close to its distance', () => {
    const bars = [flat(100), [101, 101, 98.5, 100] as const, [100, 100, 95, 95] as const];
    expect(play(bars, [1], limit({ parts: 3 })).map((line) => line.replace(/ \d+\.\d+ /, ' '))).toEqual([
      '1 order buy @ 100',
      '1 order buy @ 99',
      '2 order buy @ 98',
    ]);
  });

  test('adds to what is held; what is left or made smaller goes at the next open', () => {
    const bars = [flat(100), flat(98), flat(96), flat(96), flat(97)];
    // Half at 98 (100 x .98, met at the open), then no more below 98 x .98; half of it sold at the market, the rest too.
    const fills = play(bars, [0.5, 1, 0.1, 0], limit({ bars: 1 }));
    expect(fills.map((line) => line.split(' @ ')[0].replace(/ [\d.]+$/, ''))).toEqual([
      '1 order buy',
      '2 order buy',
      '3 target sell',
      '4 target sell',
    ]);
  });

  test('that would fill at once is not placed where it is post-only', () => {
    expect(play([flat(100), flat(97)], [1], limit({ postOnly: true }))).toEqual(['1 post-only']);
  });

  test('shorts above the close', () => {
    const bars = [flat(100), [100, 103, 100, 100] as const];
    expect(play(bars, [-1], limit(), { allowShort: true })).toEqual(['1 order sell 98.039 @ 102']);
  });

  test('does not buy back what a stop has sold', () => {
    // One part at 100, stopped at 95 in the same order of things; the part at 90 must not follow.
    const parts = limit({ offsetPct: 10, parts: 2, bars: 5 });
    const bars = [flat(100), [101, 101, 99, 100] as const, [100, 100, 94, 94] as const, flat(85)];
    const fills = play(bars, [1], parts, { stopLossPct: 5 });
    expect(fills).toEqual(['1 order buy 50 @ 100', '2 stop-loss sell 50 @ 95']);
  });
});

test('three parts at one price are entered at that price to the last bit, and trail from there', () => {
  // Summed up and divided, three times 6.629524399082475e-7 at 1e9 came to 999 999 999.9999999: sold before it rose, nothing trailed.
  const trailingStop = { distancePct: 1, activationPct: 0, from: 'extreme', ratchet: 'next-bar' } as const;
  const accounts = [undefined, perpetual('linear'), perpetual('inverse')];
  const price = fc.double({ min: 1e-3, max: 1e6, noNaN: true });
  const balance = fc.double({ min: 1e-3, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(fc.constantFrom(...accounts), price, balance, (account, at, initialBalance) => {
      const entry = limit({ offsetPct: 0, parts: 3 });
      const rules = freeRules({ account, initialBalance, entry, trailingStop, allowShort: true });
      const portfolio = createPortfolio([anyAmount()], rules);
      const market = marketOf([flat(at), flat(at)]);
      const side = account === undefined ? 1 : -1;
      for (let row = 0; row < 2; row++) stepBar(portfolio, market, row, [Float64Array.of(side, hold)]);
      const { amount, entryPrice, stopPrice } = portfolio.columns;
      expect(Math.sign(amount[0])).toBe(side);
      expect(entryPrice[0]).toBe(at);
      expect(stopPrice[0]).toBe(at * (1 - side / 100));
    }),
    { numRuns: 300, seed: 20260213 },
  );
});

test('an entry by stop order buys at the market once the price has risen that far', () => {
  const bars = [flat(100), [100, 101, 99, 101] as const, [101, 104, 101, 103] as const];
  expect(play(bars, [1], limit({ kind: 'stop' }), { slippageBps: 100 })).toEqual([
    '2 order buy 97.069 @ 103.02',
  ]);
});

describe('symbols that want more than there is', () => {
  const market = marketOf([flat(100), flat(100)], [flat(10), flat(10)], [flat(1), flat(1)]);
  const instruments = [anyAmount('A/USDT'), anyAmount('B/USDT'), anyAmount('C/USDT')];
  const amounts = (
    priority: ExecutionRules['priority'],
    maxPositionPct = 60,
    side = 1,
  ): readonly number[] => {
    const portfolio = createPortfolio(instruments, freeRules({ maxPositionPct, priority, allowShort: true }));
    const targets = instruments.map(() => Float64Array.of(side, hold));
    for (let row = 0; row < 2; row++) stepBar(portfolio, market, row, targets);
    return Array.from(portfolio.columns.amount, (amount) => +amount.toFixed(6));
  };

  test('get less alike, without a priority: a third of 10 000 each', () => {
    expect(amounts(undefined)).toEqual([33.333333, 333.333333, 3333.333333]);
  });

  test('are served in its order: 60 % to the first, what is left to the next, nothing to the last', () => {
    expect(amounts(['C/USDT', 'A/USDT'])).toEqual([40, 0, 6000]);
    expect(amounts(['B/USDT'])).toEqual([40, 600, 0]);
    // Shorts are bounded by the exposure, not by cash.
    expect(amounts(['B/USDT'], 60, -1)).toEqual([-40, -600, 0]);
  });

  test('all get what they want where there is enough', () => {
    expect(amounts(['C/USDT'], 20)).toEqual([20, 200, 2000]);
  });
});
