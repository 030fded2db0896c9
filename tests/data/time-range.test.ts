import fc from 'fast-check';
import { expect, test } from 'vitest';
import { subtractRanges, unionRanges, type TimeRange } from '../../src/data/time-range.ts';

const range = fc
  .tuple(fc.nat(30), fc.nat(10))
  .map(([fromMs, length]): TimeRange => ({ fromMs, untilMs: fromMs + length }));
const holds = (ranges: readonly TimeRange[], t: number): boolean =>
  ranges.some(({ fromMs, untilMs }) => fromMs <= t && t < untilMs);
const times = Array.from({ length: 45 }, (_, i) => i);

test('a union covers exactly the times of its parts, in sorted pieces that do not touch', () => {
  fc.assert(
    fc.property(fc.array(range), (ranges) => {
      const union = unionRanges(ranges);
      for (const t of times) expect(holds(union, t)).toBe(holds(ranges, t));
      for (let i = 1; i < union.length; i++) expect(union[i].fromMs).toBeGreaterThan(union[i - 1].untilMs);
    }),
  );
});

test('what is subtracted is gone and nothing else', () => {
  fc.assert(
    fc.property(range, fc.array(range), (from, taken) => {
      const left = subtractRanges(from, taken);
      for (const t of times) expect(holds(left, t)).toBe(holds([from], t) && !holds(taken, t));
    }),
  );
});
