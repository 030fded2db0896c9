import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { describe, expect, test } from 'vitest';
import type { ExitRules } from '../../../src/core/trading/exit-rules.ts';
import { createPortfolio } from '../../../src/core/trading/portfolio.ts';
import type { ExecutionRules } from '../../../src/core/trading/rules.ts';
import { advance, stepBar } from '../../../src/core/trading/step.ts';
import { anyAmount, type Bar, exitsOf, freeRules, HOUR_MS, marketOf } from './market-of.ts';

const flat = (price: number): Bar => [price, price, price, price];
const hold = NaN;

interface Played {
  /** `bar cause amount @ price` of each fill. */
  readonly fills: readonly string[];
  readonly portfolio: ReturnType<typeof createPortfolio>;
}

/** Every case starts with 10 000 and mostly buys 100 at 100 at the open of bar 1. */
function play(
  bars: readonly Bar[],
  targets: readonly number[],
  exits: Partial<ExitRules>,
  rules: Partial<ExecutionRules> = {},
): Played {
  const market = marketOf(bars);
  const portfolio = createPortfolio([anyAmount()], freeRules({ exits: exitsOf(exits), ...rules }));
  const column = Float64Array.from({ length: bars.length }, (_, row) => targets[row] ?? hold);
  const fills = bars.flatMap((_, row) =>
    stepBar(portfolio, market, row, [column]).flatMap((event) =>
      event.kind === 'fill'
        ? [`${row} ${event.cause} ${+event.baseAmount.toFixed(6)} @ ${+event.price.toFixed(6)}`]
        : [],
    ),
  );
  return { fills, portfolio };
}

describe('a stop and a target by the average true range', () => {
  // True ranges 4 and 4: ATR(2) is 4 at the close of bar 2.
  const before: Bar[] = [flat(100), [100, 102, 98, 100], [100, 103, 99, 100]];

  test('lie so many ATR of the close before the entry away', () => {
    const stopped = play([...before, [100, 105, 91, 104]], [hold, hold, 1], { atrBars: 2, stopLossAtr: 2 });
    expect(stopped.fills).toEqual(['3 target 100 @ 100', '3 stop-loss 100 @ 92']);
    const taken = play([...before, [100, 107, 99, 104]], [hold, hold, 1], { atrBars: 2, takeProfitAtr: 1.5 });
    expect(taken.fills).toEqual(['3 target 100 @ 100', '3 take-profit 100 @ 106']);
  });

  test('wait for the first ATR when a position is older than it', () => {
    // Bought at bar 1 with one true range known of two; after bar 2 the ATR is 4, and the stop 100 - 1 x 4.
    const { fills } = play([...before, [100, 105, 95, 104]], [1], { atrBars: 2, stopLossAtr: 1 });
    expect(fills).toEqual(['1 target 100 @ 100', '3 stop-loss 100 @ 96']);
  });

  test('and the nearer of percent and ATR holds', () => {
    const bars = [...before, [100, 105, 91, 104] as const];
    const { fills } = play(bars, [hold, hold, 1], { atrBars: 2, stopLossAtr: 2 }, { stopLossPct: 3 });
    expect(fills.at(-1)).toBe('3 stop-loss 100 @ 97');
  });

  test('mirror for shorts', () => {
    const bars = [...before, [100, 109, 99, 104] as const];
    const { fills } = play(bars, [hold, hold, -1], { atrBars: 2, stopLossAtr: 2 }, { allowShort: true });
    expect(fills.at(-1)).toBe('3 stop-loss 100 @ 108');
  });
});

test('a trailing stop by ATR uses the range as of the last close, and never moves back', () => {
  // ATR(1) is the last true range: 2 at the entry (stop 97), 12 a bar later (110 - 18 = 92: stays at 97).
  const bars: Bar[] = [flat(100), [100, 102, 100, 101], [100, 110, 98, 108], [108, 109, 96, 100]];
  const { fills } = play(bars, [hold, 1], { atrBars: 1, trailingStopAtr: 1.5 });
  expect(fills).toEqual(['2 target 100 @ 100', '3 trailing-stop 100 @ 97']);
});

const quotes = new URL('../../golden/indicators/quotes.csv', import.meta.url);
test("the range is Wilder's: ATR(14) of 502 published daily bars", () => {
  const rows = readFileSync(quotes, 'utf8').trim().split('\n').slice(1);
  const bars = rows.map((line): Bar => {
    const [, open, high, low, close] = line.split(',').map(Number);
    return [open, high, low, close];
  });
  const { atr } = z
    .looseObject({ atr: z.array(z.number().nullable()) })
    .parse(JSON.parse(readFileSync(new URL('indicators.json', quotes), 'utf8')));
  const market = marketOf(bars);
  const portfolio = createPortfolio([anyAmount()], freeRules({ exits: exitsOf({}) }));
  let compared = 0;
  bars.forEach((_, row) => {
    advance(portfolio, market, row);
    const expected = atr[row];
    if (expected === null) return;
    expect(portfolio.columns.rangeBars[0]).toBe(14);
    expect(portfolio.columns.trueRange[0]).toBeCloseTo(expected, 8);
    compared++;
  });
  expect(compared).toBe(488);
});

test('from 5 % of profit on, a break-even stop lies 1 % beyond the entry, from the next bar on', () => {
  const bars: Bar[] = [flat(100), [100, 106, 100, 105], [105, 105, 100, 102], flat(102)];
  const { fills } = play(bars, [1], { breakEven: { triggerPct: 5, lockPct: 1 } });
  expect(fills).toEqual(['1 target 100 @ 100', '2 break-even 100 @ 101']);
});

test('what a partial target sold is not bought back, however small the position is', () => {
  const bars: Bar[] = [flat(100), flat(100), [100, 106, 100, 105], flat(105), flat(105)];
  const partialTargets = [{ atPct: 5, sharePct: 50 }];
  const { fills } = play(bars, [1, hold, 1, 1], { partialTargets }, { initialBalance: 50 });
  expect(fills).toEqual(['1 target 0.5 @ 100', '2 take-profit 0.25 @ 105']);
});

describe('a position that has been held for its time', () => {
  const bars = [flat(100), flat(100), flat(101), flat(102), flat(103), flat(104)];

  test('is left at the open, so many bars after the one of its entry', () => {
    const { fills } = play(bars, [1], { maxBars: 2 });
    expect(fills).toEqual(['1 target 100 @ 100', '3 time-exit 100 @ 102']);
  });

  test('or at the first open that is so many minutes later', () => {
    const { fills } = play(bars, [1], { maxHeldMs: 15 * 60_000 });
    expect(fills).toEqual(['1 target 100 @ 100', '2 time-exit 100 @ 101']);
    expect(play(bars, [1], { maxHeldMs: 2 * HOUR_MS }).fills.at(-1)).toBe('3 time-exit 100 @ 102');
  });

  test('stays closed while its target stands, and is entered again after it was flat', () => {
    expect(play(bars, [1, 1, 1, 1, 1, 1], { maxBars: 1 }).fills).toHaveLength(2);
    expect(play(bars, [1, 1, 0, 1, 1, 1], { maxBars: 1 }).fills).toHaveLength(4);
  });

  test('is a market order: it slips', () => {
    const { fills } = play(bars, [1], { maxBars: 1 }, { slippageBps: 100 });
    expect(fills.at(-1)).toMatch(/@ 99\.99$/);
  });
});

describe('partial targets', () => {
  const targets = [
    { atPct: 5, sharePct: 50 },
    { atPct: 10, sharePct: 25 },
  ];

  test('sell their share of what was opened, one after the other, and it is not bought back', () => {
    const bars: Bar[] = [flat(100), [100, 106, 100, 105], [105, 112, 104, 110], flat(110), flat(120)];
    const { fills, portfolio } = play(bars, [1, 1, 1, 0, 1], { partialTargets: targets });
    expect(fills).toEqual([
      '1 target 100 @ 100',
      '1 take-profit 50 @ 105',
      '2 take-profit 25 @ 110',
      '4 target 25 @ 120',
    ]);
    expect(portfolio.cash).toBeCloseTo(10_000 - 10_000 + 5_250 + 2_750 + 3_000, 8);
  });

  test.each([
    ['a step of 60', { amountStep: 60 }, 'below-amount-step'],
    ['a least value of 6 000', { minNotional: 6000 }, 'below-min-notional'],
  ])('are refused by name under %s, and nothing is sold', (_, terms, reason) => {
    const market = marketOf([flat(100), [100, 106, 100, 105]]);
    const rules = freeRules({ exits: exitsOf({ partialTargets: targets }) });
    const portfolio = createPortfolio([{ ...anyAmount(), ...terms }], rules);
    const column = Float64Array.of(1, hold);
    const events = [0, 1].flatMap((row) => [...stepBar(portfolio, market, row, [column])]);
    expect(events).toMatchObject([
      { kind: 'fill', cause: 'target' },
      { kind: 'rejected', reason },
    ]);
  });

  test('fill nothing on a bar without volume, and say so', () => {
    const market = marketOf([flat(100), flat(100), [100, 106, 100, 105, 0]]);
    const rules = freeRules({ exits: exitsOf({ partialTargets: targets }), maxVolumeSharePct: 50 });
    const portfolio = createPortfolio([anyAmount()], rules);
    const column = Float64Array.of(1, hold, hold);
    const events = [0, 1, 2].flatMap((row) => [...stepBar(portfolio, market, row, [column])]);
    expect(events).toMatchObject([
      { kind: 'fill', cause: 'target', baseAmount: 100 },
      { kind: 'rejected', reason: 'volume-share', side: 'sell', baseAmount: 50 },
    ]);
  });

  test('of one bar fill both', () => {
    const { fills } = play([flat(100), [100, 111, 100, 105]], [1], { partialTargets: targets });
    expect(fills.slice(1)).toEqual(['1 take-profit 50 @ 105', '1 take-profit 25 @ 110']);
  });

  test('come after a stop in the same bar, unless the rules say otherwise', () => {
    const bars: Bar[] = [flat(100), [100, 106, 94, 100]];
    const exits = { partialTargets: targets };
    expect(play(bars, [1], exits, { stopLossPct: 5 }).fills.slice(1)).toEqual(['1 stop-loss 100 @ 95']);
    const lucky = play(bars, [1], exits, { stopLossPct: 5, intrabarOrder: 'target-first' });
    expect(lucky.fills.slice(1)).toEqual(['1 take-profit 50 @ 105', '1 stop-loss 50 @ 95']);
  });
});

describe('a target that changes with age', () => {
  const timedTargets = [
    { afterMs: 0, pct: 10 },
    { afterMs: HOUR_MS, pct: 2 },
    { afterMs: 3 * HOUR_MS, pct: -100 },
  ];

  test('fills at the level of the age', () => {
    const { fills } = play([flat(100), [100, 105, 99, 100], [100, 103, 99, 100]], [1], { timedTargets });
    expect(fills.at(-1)).toBe('2 take-profit 100 @ 102');
  });

  test('that the open lies beyond when it comes into force is a market order there', () => {
    // Bought at 101: 2 % of profit is 103.02, and 105 less 1 % is 103.95.
    const { fills } = play([flat(100), flat(100), flat(105)], [1], { timedTargets }, { slippageBps: 100 });
    expect(fills.at(-1)).toMatch(/^2 take-profit .* @ 103\.95$/);
    const forced = play([...Array<Bar>(5).fill(flat(100))], [1], { timedTargets }, { slippageBps: 100 });
    expect(forced.fills.at(-1)).toMatch(/^4 take-profit .* @ 99$/);
  });
});
