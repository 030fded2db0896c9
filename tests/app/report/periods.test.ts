import { expect, test } from 'vitest';
import { periodReturns, startOfDay, startOfMonth } from '../../../src/app/report/periods.ts';
import { rollingMean, rollingSharpe } from '../../../src/app/report/rolling.ts';
import { ticks } from '../../../src/app/report/plot.ts';
import { sharpe } from '../../../src/core/evaluation/returns.ts';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';

test('returns of months chain from the start to the end', () => {
  const time = Float64Array.of(
    Date.UTC(2025, 0, 30),
    Date.UTC(2025, 0, 31, 23),
    Date.UTC(2025, 1, 1),
    Date.UTC(2025, 3, 5),
  );
  const found = periodReturns(time, Float64Array.of(110, 120, 90, 99), 100, startOfMonth);
  expect(found.map(({ startMs }) => new Date(startMs).getUTCMonth())).toEqual([0, 1, 3]);
  // 100 -> 120 -> 90 -> 99
  [20, -25, 10].forEach((value, i) => expect(found[i].returnPct).toBeCloseTo(value, 12));
});

test('a day begins at midnight UTC, and after ruin there are no returns', () => {
  const time = Float64Array.from({ length: 72 }, (_, hour) => hour * 3_600_000);
  const equity = time.map((_, row) => (row < 30 ? 100 + row : 0));
  const found = periodReturns(time, equity, 100, startOfDay);
  expect(found.map(({ returnPct }) => returnPct)).toEqual([23, -100]);
});

test('a rolling Sharpe ratio is that of its window, far into a long history too', () => {
  const random = createRandom(5);
  const returns = Float64Array.from({ length: 5000 }, () => 1e-4 + 0.01 * normal(random));
  const found = rollingSharpe(returns, 50, 8760);
  expect(found.subarray(0, 49).every(Number.isNaN)).toBe(true);
  for (const row of [49, 50, 399, 400, 401, 4999])
    expect(found[row]).toBeCloseTo(sharpe(returns.slice(row - 49, row + 1), 8760) ?? NaN, 8);
});

test('where returns never vary there is no ratio', () => {
  expect([...rollingSharpe(new Float64Array(5).fill(0.001), 3, 8760)].every(Number.isNaN)).toBe(true);
  expect([...rollingSharpe(new Float64Array(5), 3, 8760)].every(Number.isNaN)).toBe(true);
});

test('a rolling mean is over what there is, then over its window', () => {
  expect([...rollingMean(Float64Array.of(2, 4, 6, 8), 2)]).toEqual([2, 3, 5, 7]);
});

test.each([
  [0, 10, [0, 2, 4, 6, 8, 10]],
  [-0.3, 0.35, [-0.2, 0, 0.2]],
  [3, 3, [3]],
])('the axis from %d to %d is marked at %j', (low, high, marks) =>
  expect(ticks(low, high, 5)).toEqual(marks),
);
