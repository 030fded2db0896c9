import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TradingEvent } from '../../../src/core/trading/events.ts';
import { createPortfolio, equity, type Portfolio } from '../../../src/core/trading/portfolio.ts';
import type { ExecutionRules } from '../../../src/core/trading/rules.ts';
import { runBacktest } from '../../../src/core/trading/run.ts';
import { restore, snapshot } from '../../../src/core/trading/snapshot.ts';
import { setTarget, stepBar } from '../../../src/core/trading/step.ts';
import { anyAmount, type Bar, freeRules, HOUR_MS, marketOf } from './market-of.ts';

/** Short with all of 10 000 at 100: 100 units, 20 000 in cash, nothing left at 200. */
const shortAll = freeRules({ allowShort: true });

function play(bars: readonly Bar[], targets: readonly number[], rules: ExecutionRules = shortAll) {
  return runBacktest({
    market: marketOf(bars),
    targets: [Float64Array.from(bars, (_, row) => targets[row] ?? NaN)],
    instruments: [anyAmount()],
    rules,
  });
}

const flat = (price: number): Bar => [price, price, price, price];

describe('an account that loses everything', () => {
  test('is closed inside the bar where nothing is left, at the price where that is so', () => {
    const run = play([flat(100), flat(100), [100, 260, 90, 95], flat(95)], [-1]);
    expect(run.fills.map(({ cause, price }) => [cause, price])).toEqual([
      ['target', 100],
      ['liquidation', 200],
    ]);
    expect(run.trades).toMatchObject([{ exit: 'liquidation', profitQuote: -10_000, profitPct: -100 }]);
    expect(run.ruin).toEqual({ kind: 'ruin', time: 2 * HOUR_MS, shortfallQuote: 0 });
    expect(Array.from(run.equity)).toEqual([10_000, 10_000, 0, 0]);
  });

  test('owes nothing when the bar opens beyond that price: the rest is written off', () => {
    const run = play([flat(100), flat(100), flat(700), flat(50)], [-1, NaN, -1, 1]);
    // 20 000 in cash less 100 units bought back at 700.
    expect(run.ruin?.shortfallQuote).toBe(50_000);
    expect(Array.from(run.equity)).toEqual([10_000, 10_000, 0, 0]);
    expect(run.fills).toHaveLength(2);
    expect(run.rejections).toEqual([]);
  });

  test('is ruined by a stop that fills beyond that price, too', () => {
    const run = play([flat(100), flat(100), flat(700), flat(50)], [-1], { ...shortAll, stopLossPct: 10 });
    expect(run.fills.map(({ cause }) => cause)).toEqual(['target', 'stop-loss']);
    expect(run.ruin).toMatchObject({ time: 2 * HOUR_MS, shortfallQuote: 50_000 });
    expect(run.equity[3]).toBe(0);
  });

  test('is saved by a stop that fills before it', () => {
    const run = play([flat(100), flat(100), [100, 260, 90, 95]], [-1], { ...shortAll, stopLossPct: 10 });
    expect(run.ruin).toBeUndefined();
    expect(run.equity[2]).toBeCloseTo(9_000, 8);
  });

  test('takes no decision afterwards, not even after a restart', () => {
    const market = marketOf([flat(100), flat(100), flat(700)]);
    const portfolio = createPortfolio([anyAmount()], shortAll);
    const target = Float64Array.of(-1, NaN, NaN);
    for (let row = 0; row < 3; row++) stepBar(portfolio, market, row, [target]);
    const back = restore(snapshot(portfolio), [anyAmount()], shortAll);
    setTarget(back, 0, 1);
    expect(back.ruinedAt).toBe(2 * HOUR_MS);
    expect(back.columns.target[0]).toBeNaN();
  });
});

test('an account that is worth nothing is exposed to nothing: no share of zero', () => {
  // With orders, so that every bar is stepped. Half of 10 000 short, then nothing.
  const bars = [flat(100), flat(100), flat(700), flat(700)];
  const run = runBacktest({
    market: marketOf(bars),
    targets: [Float64Array.of(-0.5, NaN, NaN, NaN)],
    instruments: [anyAmount()],
    rules: shortAll,
    orders: () => [],
  });
  expect(run.ruin?.time).toBe(2 * HOUR_MS);
  expect(Array.from(run.exposure)).toEqual([0, 0.5, 0, 0]);
});

test('long without debt, no fall ruins: a price above zero leaves something', () => {
  const run = play([flat(100), flat(100), [100, 100, 1e-9, 1e-9]], [1]);
  expect(run.ruin).toBeUndefined();
  expect(run.equity[2]).toBeGreaterThan(0);
});

describe('whatever the prices do', () => {
  const bar = fc.tuple(
    fc.double({ min: 0.05, max: 12, noNaN: true }),
    fc.double({ min: 1, max: 9, noNaN: true }),
    fc.double({ min: 0.1, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
  );
  const bars = fc.array(bar, { minLength: 4, maxLength: 20 }).map((steps) => {
    let last = 100;
    return steps.map(([gap, up, down, at]): Bar => {
      const open = last * gap;
      const [high, low] = [open * up, open * down];
      last = low + (high - low) * at;
      return [open, high, low, last];
    });
  });
  const targets = fc.array(fc.constantFrom(NaN, -1, -0.5, 0, 1), { minLength: 20, maxLength: 20 });
  const squeeze = fc.tuple(bars, bars, targets, targets).map(([a, b, first, second]) => {
    const length = Math.min(a.length, b.length);
    return { bars: [a.slice(0, length), b.slice(0, length)], targets: [first, second] };
  });

  test('equity is never below zero, nothing happens after ruin, and the books balance', () => {
    let ruins = 0;
    fc.assert(
      fc.property(squeeze, (given) => {
        const market = marketOf(...given.bars);
        const rules = { ...shortAll, feeBps: 10, slippageBps: 5 };
        const portfolio: Portfolio = createPortfolio([anyAmount('A/USDT'), anyAmount('B/USDT')], rules);
        const events: TradingEvent[] = [];
        const columns = given.targets.map((column) => Float64Array.from(column));
        for (let row = 0; row < market.time.length; row++) {
          const ended = !Number.isNaN(portfolio.ruinedAt);
          const now = stepBar(portfolio, market, row, columns);
          if (ended) expect(now).toEqual([]);
          events.push(...now);
          expect(equity(portfolio)).toBeGreaterThanOrEqual(0);
        }
        const cash = events.reduce((sum, event) => {
          if (event.kind === 'ruin') return sum + event.shortfallQuote;
          if (event.kind !== 'fill') return sum;
          const paid = event.baseAmount * event.price;
          return sum + (event.side === 'buy' ? -paid : paid) - event.feeQuote;
        }, rules.initialBalance);
        if (!Number.isNaN(portfolio.ruinedAt)) ruins++;
        expect(Math.abs(portfolio.cash - cash)).toBeLessThan(1e-6 * (1 + portfolio.turnoverQuote));
      }),
      { numRuns: 300, seed: 7 },
    );
    expect(ruins).toBeGreaterThan(50);
  });
});
