import { expect, test } from 'vitest';
import type { Instrument } from '../../../src/core/trading/instrument.ts';
import { createPortfolio, equity } from '../../../src/core/trading/portfolio.ts';
import type { ExecutionRules } from '../../../src/core/trading/rules.ts';
import { runBacktest } from '../../../src/core/trading/run.ts';
import { restore, snapshot } from '../../../src/core/trading/snapshot.ts';
import { stepBar } from '../../../src/core/trading/step.ts';
import { anyAmount, type Bar, freeRules, HOUR_MS, marketOf, NO_BAR } from './market-of.ts';

const flat = (price: number): Bar => [price, price, price, price];
const instruments: readonly Instrument[] = [anyAmount('DEAD/USDT'), anyAmount('LIVE/USDT')];

/** DEAD has three bars, LIVE nine: bought at the open of bar 1, at 100, with half of 10 000. */
const market = marketOf(
  [flat(100), flat(100), flat(80), ...Array.from({ length: 6 }, () => NO_BAR)],
  Array.from({ length: 9 }, () => flat(10)),
);
const targets = [Float64Array.from({ length: 9 }, () => NaN), Float64Array.from({ length: 9 }, () => NaN)];
targets[0][0] = 1;

const run = (rules: Partial<ExecutionRules>) =>
  runBacktest({ market, targets, instruments, rules: freeRules({ maxPositionPct: 50, ...rules }) });

test('a position whose bars ended is sold at its last close once its market was silent for longer than the rule', () => {
  const { fills, trades, portfolio } = run({ delistedAfterMs: 3 * HOUR_MS, feeBps: 10, slippageBps: 5 });
  // The last bar opened at hour 2; at hour 5 it was silent for three hours, at hour 6 for longer.
  expect(fills.at(-1)).toMatchObject({
    symbol: 'DEAD/USDT',
    side: 'sell',
    cause: 'delisted',
    time: 6 * HOUR_MS,
  });
  expect(fills.at(-1)?.price).toBeCloseTo(80 * 0.9995, 12);
  expect(fills.at(-1)?.feeQuote).toBeCloseTo(50 * 0.999 * 80 * 0.9995 * 0.001, 1);
  expect(trades).toMatchObject([{ symbol: 'DEAD/USDT', exit: 'delisted', exitTime: 6 * HOUR_MS }]);
  expect(portfolio.columns.amount[0]).toBe(0);
});

test('a haircut takes so much off that close, and adds it where a short is bought back', () => {
  const rules = { delistedAfterMs: 3 * HOUR_MS, delistingHaircutPct: 40, feeBps: 0, slippageBps: 0 };
  // 80 less 40 %; the other way round 80 and 40 %.
  expect(run(rules).fills.at(-1)).toMatchObject({ cause: 'delisted', price: 48 });
  const short = [targets[0].map((value) => -value), targets[1]];
  const sold = runBacktest({
    market,
    targets: short,
    instruments,
    rules: freeRules({ maxPositionPct: 50, allowShort: true, ...rules }),
  });
  expect(sold.fills.at(-1)).toMatchObject({ cause: 'delisted', side: 'buy', price: 112 });
});

test.each([1, 2])('so is one of exactly %d coin', (coins) => {
  const rules = { delistedAfterMs: 3 * HOUR_MS, initialBalance: 200 * coins };
  expect(run(rules).fills.map(({ cause, baseAmount, time }) => [cause, baseAmount, time])).toEqual([
    ['target', coins, HOUR_MS],
    ['delisted', coins, 6 * HOUR_MS],
  ]);
});

test('until then it is kept and marked at that close; without the rule for ever', () => {
  const { equity: curve } = run({ delistedAfterMs: 3 * HOUR_MS });
  expect([...curve]).toEqual([10_000, 10_000, ...Array.from({ length: 7 }, () => 9_000)]);
  const kept = run({ delistedAfterMs: undefined });
  expect(kept.fills).toHaveLength(1);
  expect(kept.portfolio.columns.amount[0]).toBe(50);
});

test('a hole in its bars shorter than the rule changes nothing, and the money of a sold one trades on', () => {
  const holes = marketOf(
    [flat(100), flat(100), NO_BAR, NO_BAR, flat(90), flat(90)],
    Array.from({ length: 6 }, () => flat(10)),
  );
  const rules = freeRules({ delistedAfterMs: 3 * HOUR_MS, maxPositionPct: 50 });
  const held = runBacktest({
    market: holes,
    targets: targets.map((column) => column.slice(0, 6)),
    instruments,
    rules,
  });
  expect(held.fills).toHaveLength(1);
  const later = targets.map((column) => column.slice());
  later[1][7] = 1;
  const sold = runBacktest({
    market,
    targets: later,
    instruments,
    rules: { ...rules, maxPositionPct: 100 },
  });
  expect(sold.fills.map(({ cause, symbol }) => `${symbol} ${cause}`)).toEqual([
    'DEAD/USDT target',
    'DEAD/USDT delisted',
    'LIVE/USDT target',
  ]);
});

test('a short is bought back the same way', () => {
  const short = targets.map((column) => column.slice());
  short[0][0] = -1;
  const rules = freeRules({ delistedAfterMs: HOUR_MS, maxPositionPct: 50, allowShort: true });
  const { fills, portfolio } = runBacktest({ market, targets: short, instruments, rules });
  expect(fills.at(-1)).toMatchObject({ side: 'buy', cause: 'delisted', price: 80, time: 4 * HOUR_MS });
  expect(equity(portfolio)).toBe(11_000);
});

test('bars one at a time, with a restart between any two, do what a whole run does', () => {
  const rules = freeRules({ delistedAfterMs: 3 * HOUR_MS, maxPositionPct: 50 });
  let portfolio = createPortfolio(instruments, rules);
  const events = [...market.time].flatMap((_, row) => {
    portfolio = restore(snapshot(portfolio), instruments, rules);
    return [...stepBar(portfolio, market, row, targets)];
  });
  const whole = run({ delistedAfterMs: 3 * HOUR_MS });
  expect(events.filter(({ kind }) => kind === 'fill')).toEqual(whole.fills);
  expect(snapshot(portfolio)).toEqual(snapshot(whole.portfolio));
});
