import { expect, it } from 'vitest';
import { computeFeatures } from '../../../src/core/features/catalogue.ts';
import { emptyCandles } from '../../../src/core/market/candles.ts';

/** Bars that go in straight lines from one price to the next, eight bars each, with a range of .2. */
function zigzag(prices: readonly number[]) {
  const path = prices
    .slice(1)
    .flatMap((to, i) => Array.from({ length: 8 }, (_, k) => prices[i] + ((to - prices[i]) * (k + 1)) / 8));
  const all = [prices[0], ...path];
  const candles = emptyCandles(all.length);
  candles.time.set(all.map((_, i) => i * 36e5));
  candles.open.set(all);
  candles.close.set(all);
  candles.high.set(all.map((price) => price + 0.1));
  candles.low.set(all.map((price) => price - 0.1));
  return candles;
}

/** What is said once the turning point `prices[turn]` is confirmed, five bars after it. */
function after(prices: readonly number[], turn: number): readonly [count: number, phase: number] {
  const [count, phase] = computeFeatures(['elliott_count', 'elliott_phase'], zigzag(prices), '1h').columns;
  return [count[8 * turn + 5], phase[8 * turn + 5]];
}

/** Down to the origin at 100, then five waves up, and down again. */
const RISE = [110, 100, 110, 104, 122, 114, 126, 110];

it('counts the waves of an impulse as their ends are confirmed, by hand', () => {
  // The fall before is a first wave of its own; then the origin and five ends follow each other.
  expect([2, 3, 4, 5, 6].map((turn) => after(RISE, turn))).toEqual([
    [1, 0],
    [2, 1],
    [3, 1],
    [4, 1],
    [5, 0],
  ]);
  const [count] = computeFeatures(['elliott_count'], zigzag(RISE), '1h').columns;
  // The end of wave 3, at bar 32, is not known before its fifth bar has closed.
  expect([count[36], count[37]]).toEqual([2, 3]);
});

it('counts a falling impulse with a negative sign', () => {
  const fall = RISE.map((price) => 220 - price);
  expect(after(fall, 5)).toEqual([-4, -1]);
  expect(after(fall, 6)).toEqual([-5, 0]);
});

it.each([
  // A wave 2 below the origin: 110 to 98 is the first wave of a fall.
  ['wave 2 beyond the origin', [110, 100, 110, 98, 105], 3, -1],
  // A wave 3 that ends inside wave 1: what remains is the fall from 110 and its retracement.
  ['wave 3 inside wave 1', [105, 100, 110, 104, 108, 103], 4, -2],
  // A wave 4 in the territory of wave 1: from 104 up to 122 and back to 109 is two waves.
  ['wave 4 inside wave 1', [110, 100, 110, 104, 122, 109, 126, 120], 5, 2],
  // Waves of 10, 7 and 14: the third is the shortest, so the newest three points count, 104 to 111 and back, and up.
  ['wave 3 the shortest', [110, 100, 110, 104, 111, 110.5, 124.5, 120], 6, 3],
] as const)('does not count on over a broken rule: %s', (_, prices, turn, expected) => {
  expect(after(prices, turn)[0]).toBe(expected);
});
