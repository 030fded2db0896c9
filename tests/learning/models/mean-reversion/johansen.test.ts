import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { johansen } from '../../../../src/learning/models/mean-reversion/johansen.ts';
import { walk } from '../panels.ts';

const golden = new URL('../../../golden/stats/coint_200x4.csv', import.meta.url);

describe("Johansen's tests on 200 x 4", () => {
  const series = (): Float64Array[] => {
    const rows = readFileSync(golden, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(',').map(Number));
    return rows[0].map((_, column) => Float64Array.from(rows, (row) => row[column]));
  };

  // coint_johansen(..., det_order=0, k_ar_diff) of statsmodels 0.15.0. (With k_ar_diff=0 that regresses on the
  // level of the same bar, so there is nothing to compare.)
  it.each([
    [
      1,
      [270.6120915048122, 165.35753478868526, 74.92689553257608, 5.520900729204205],
      [105.25455671612696, 90.43063925610919, 69.40599480337188, 5.520900729204205],
    ],
    [
      4,
      [134.06295964744947, 80.84973001002676, 39.313054011524045, 6.3707832920454495],
      [53.21322963742274, 41.53667599850271, 32.94227071947859, 6.3707832920454495],
    ],
  ])('with %i lags has the statistics of statsmodels', (lags, trace, largest) => {
    const { steps } = johansen(series(), lags) ?? { steps: [] };
    expect(steps.length).toBe(4);
    steps.forEach((step, r) => {
      expect(step.trace).toBeCloseTo(trace[r], 7);
      expect(step.maxEigenvalue).toBeCloseTo(largest[r], 7);
    });
    expect(steps[2].traceCritical).toEqual([13.4294, 15.4943, 19.9349]);
    expect(steps[2].maxEigenvalueCritical).toEqual([12.2971, 14.2639, 18.52]);
  });

  it('gives the same answer in any order', () => {
    const [a, b, c, d] = series();
    const [one, other] = [johansen([a, b, c, d], 2), johansen([d, b, a, c], 2)];
    one?.steps.forEach(({ trace }, r) => expect(other?.steps[r].trace).toBeCloseTo(trace, 7));
  });
});

it('finds no relation between walks about as often as it claims', () => {
  let found = 0;
  for (let seed = 0; seed < 200; seed++) {
    // The critical values are those of series that drift.
    const drifting = walk(300, seed).map((value, i) => value + 0.01 * i);
    const result = johansen([Float64Array.from(drifting), Float64Array.from(walk(300, 1000 + seed))], 1);
    if ((result?.rank ?? 0) > 0) found++;
  }
  // 200 draws at 5 %: 10 expected, standard deviation 3.1.
  expect(found).toBeGreaterThan(0);
  expect(found).toBeLessThan(22);
});

it('finds one relation where there is one, at any level and in any scale', () => {
  const x = Float64Array.from(walk(2000, 1));
  const noise = Float64Array.from(walk(2000, 2)).map((value, i, all) => (i === 0 ? 0 : value - all[i - 1]));
  const y = x.map((value, i) => 2 * value + noise[i]);
  expect(johansen([y, x, Float64Array.from(walk(2000, 3))], 1)?.rank).toBe(1);
  const far = [y.map((value) => 1e6 + 1000 * value), x];
  const [near, moved] = [johansen([y, x], 1), johansen(far, 1)];
  expect((moved?.steps[0].trace ?? NaN) / (near?.steps[0].trace ?? NaN)).toBeCloseTo(1, 5);
});

it('has no answer for series that do not vary, that are the same, or that are short', () => {
  const x = Float64Array.from(walk(100, 1));
  expect(johansen([x, new Float64Array(100)], 1)).toBeUndefined();
  expect(johansen([x, x.map((value) => 2 * value)], 1)).toBeUndefined();
  expect(johansen([x.subarray(0, 5), x.subarray(5, 10)], 1)).toBeUndefined();
  expect(johansen([], 1)).toBeUndefined();
});
