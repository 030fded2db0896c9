import { expect, it } from 'vitest';
import { log, log1p, plus } from '../../../src/core/features/columns/arithmetic.ts';
import { highest } from '../../../src/core/features/columns/extremes.ts';
import { type Column, compute, derive, Plan } from '../../../src/core/features/columns/plan.ts';
import { mean } from '../../../src/core/features/columns/windows.ts';
import { createRandom } from '../../../src/core/foundation/random.ts';

/** All values of the columns, from blocks of at most `capacity` rows. */
function valuesOf(
  input: readonly number[],
  { capacity, make }: { capacity: number; make: (x: Column) => readonly Column[] },
): number[][] {
  const plan = new Plan();
  const x = plan.source();
  const columns = make(x);
  plan.begin(columns, capacity);
  const values = columns.map((): number[] => []);
  for (let from = 0; from < input.length; from += capacity) {
    const block = input.slice(from, from + capacity);
    plan.advance(block.length);
    plan.data.set(block, x.at);
    plan.compute(block.length);
    columns.forEach(({ data, at }, k) => values[k].push(...data.subarray(at, at + block.length)));
  }
  return values;
}

it('takes logarithms as the language does, to the last digit or one beside it', () => {
  const random = createRandom(7);
  const edges = [0, -0, -1, NaN, Infinity, 1, 1 + 2 ** -52, 1 - 2 ** -53, 2, 0.5, Math.SQRT2, Math.SQRT1_2];
  const tiny = [Number.MIN_VALUE, 3e-320, 2 ** -1022, Number.MAX_VALUE];
  const near = Array.from({ length: 20_000 }, () => 1 + 0.01 * (random() - 0.5));
  const wide = Array.from({ length: 20_000 }, () => Math.exp(1400 * (random() - 0.5)));
  const signed = wide.map((x) => (random() < 0.5 ? x : -x));
  const input = [...edges, ...tiny, ...near, ...wide, ...near.map((x) => x - 1), ...signed];
  const make = (x: Column): readonly Column[] => [log(x), log1p(x)];
  const blocks = valuesOf(input, { capacity: 64, make });
  for (const [k, told] of [Math.log, Math.log1p].entries()) {
    const wrong = input.filter((x, i) => {
      const [value, expected] = [blocks[k][i], told(x)];
      return !Object.is(value, expected) && !(Math.abs(value - expected) <= 2 ** -52 * Math.abs(expected));
    });
    expect(wrong).toEqual([]);
  }
  // Two at a time, and one beside whatever stands behind it.
  const some = input.slice(0, 500);
  const alone = valuesOf(some, { capacity: 1, make });
  expect(alone).toEqual(blocks.map((values) => values.slice(0, some.length)));
});

it('shares room between columns without one writing over another that is still read', () => {
  const input = Array.from({ length: 50 }, (_, i) => i);
  const make = (x: Column): readonly Column[] => {
    const twice = plus(x, x);
    const four = plus(twice, twice);
    // Written here between compiled ones, and read long after it was written.
    const squared = derive('squared', [four], (out) => (rows) => {
      for (let i = 0; i < rows; i++) out.data[out.at + i] = four.data[four.at + i] ** 2;
    });
    return [plus(plus(squared, twice), plus(four, twice)), mean(plus(twice, squared), 3)];
  };
  for (const capacity of [1, 7, 50]) {
    const [sums, means] = valuesOf(input, { capacity, make });
    expect(sums).toEqual(input.map((x) => 16 * x * x + 8 * x));
    const each = input.map((x) => 2 * x + 16 * x * x);
    expect(means.slice(2)).toEqual(each.slice(2).map((x, i) => (each[i] + each[i + 1] + x) / 3));
    expect(means.slice(0, 2)).toEqual([NaN, NaN]);
  }
});

it('remembers more values than a block has rows', () => {
  const input = Array.from({ length: 500 }, (_, i) => ((i * 37) % 101) - 50);
  const expected = input.map((_, i) => (i < 119 ? NaN : Math.max(...input.slice(i - 119, i + 1))));
  for (const capacity of [1, 64, 500])
    expect(valuesOf(input, { capacity, make: (x) => [highest(x, 120)] })[0]).toEqual(expected);
});

it('names a formula that nobody compiled', () => {
  expect(() => valuesOf([1], { capacity: 1, make: (x) => [compute('guess', [x])] })).toThrow(
    'kernels/features.ts has the formula "guess"',
  );
});
