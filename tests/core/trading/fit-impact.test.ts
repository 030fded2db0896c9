import { expect, test } from 'vitest';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';
import { fitImpact } from '../../../src/core/trading/fit-impact.ts';

/** Snapshots a minute apart whose middle follows the square-root law of the flow with `factor`, and noise beside it. */
function recorded(rows: number, factor: number) {
  const random = createRandom(3);
  const time = Float64Array.from({ length: rows }, (_, i) => i * 60_000);
  const columns = Object.fromEntries(
    ['bid', 'ask', 'bought', 'sold'].map((name) => [name, new Float64Array(rows)] as const),
  );
  let middle = 100;
  for (let i = 0; i < rows; i++) {
    const flow = 8 * normal(random);
    // 10 traded in an interval; a move deviates by 1e-3, of which factor x sqrt(|Q| / 10) is the flow's.
    const explained = factor * Math.sign(flow) * Math.sqrt(Math.abs(flow) / 10);
    // Of a normal Q the mean of |Q| is .8 deviations: the flow's share of the variance is factor^2 x .64.
    middle *= Math.exp(1e-3 * (explained + Math.sqrt(1 - 0.64 * factor ** 2) * normal(random)));
    columns['bid'][i] = middle * (1 - 2e-4);
    columns['ask'][i] = middle * (1 + 2e-4);
    columns['bought'][i] = 5 + flow / 2;
    columns['sold'][i] = 5 - flow / 2;
  }
  return { time, known: time, columns };
}

test.each([0, 0.4, 0.8])('a factor of %d that was put into recorded books is found again', (factor) => {
  const fitted = fitImpact(recorded(20_000, factor));
  expect(fitted.halfSpreadBps).toBeCloseTo(2, 9);
  expect(fitted.intervals).toBe(19_999);
  // x has a variance of .64: 1 / sqrt(20 000 x .64) is its standard error.
  expect(fitted.factorError).toBeGreaterThan(0.004);
  expect(fitted.factorError).toBeLessThan(0.012);
  expect(Math.abs(fitted.factor - factor)).toBeLessThan(4 * fitted.factorError);
});

test('a move over a pause, and a row without all its trades, count for nothing', () => {
  const books = recorded(400, 0.5);
  const plain = fitImpact(books);
  const { bid, ask, sold } = books.columns;
  const time = books.time.map((at, i) => at + (i < 200 ? 0 : 3_600_000));
  const moved = (column: Float64Array): Float64Array =>
    column.map((price, i) => (i < 200 ? price : 2 * price));
  const broken = { ...books, time, columns: { ...books.columns, bid: moved(bid), ask: moved(ask), sold } };
  expect(Math.abs(fitImpact(broken).factor - plain.factor)).toBeLessThan(0.02);
  sold[100] = NaN;
  expect(fitImpact(books).intervals).toBe(398);
});

test('too few are refused', () => {
  expect(() => fitImpact(recorded(60, 0.5))).toThrow('59 intervals with known trades: expected 100 or more');
});
