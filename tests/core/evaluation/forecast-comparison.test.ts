import { describe, expect, it } from 'vitest';
import {
  benjaminiHochberg,
  dieboldMariano,
  pesaranTimmermann,
  losesMore,
} from '../../../src/core/evaluation/forecast-comparison.ts';
import { studentCdf } from '../../../src/core/evaluation/statistics.ts';

describe('Diebold and Mariano', () => {
  // Differences 1, 3, -1, 1: mean 1, squared deviations 0, 4, 4, 0.
  const [first, second] = [Float64Array.of(2, 5, 1, 3), Float64Array.of(1, 2, 2, 2)];

  it('by hand for one bar ahead', () => {
    const { uncorrected, statistic, pValue } = dieboldMariano(first, second) ?? {
      uncorrected: NaN,
      statistic: NaN,
      pValue: NaN,
    };
    expect(uncorrected).toBeCloseTo(1 / Math.sqrt(2 / 4), 12);
    // Harvey's factor for h = 1: sqrt((n - 1) / n).
    expect(statistic).toBeCloseTo(Math.SQRT2 * Math.sqrt(3 / 4), 12);
    expect(pValue).toBeCloseTo(2 * (1 - studentCdf(statistic, 3)), 12);
  });

  it('has the published relation of corrected to uncorrected for 40 losses', () => {
    const a = Float64Array.from({ length: 40 }, (_, i) => Math.sin(i) ** 2);
    const b = Float64Array.from({ length: 40 }, (_, i) => Math.cos(1.3 * i) ** 2);
    const found = dieboldMariano(a, b);
    // The same ratio as 0.011899891107863313 to 0.012051488188942045 of the reference values.
    expect((found?.statistic ?? NaN) / (found?.uncorrected ?? NaN)).toBeCloseTo(
      0.011899891107863313 / 0.012051488188942045,
      10,
    );
  });

  it('is not defined for equal losses', () => {
    expect(dieboldMariano(first, first)).toBeUndefined();
  });
});

it('Pesaran and Timmermann: the reference value', () => {
  const y = [1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1];
  const p = [1, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0, 0];
  expect(pesaranTimmermann(p, y)?.statistic).toBeCloseTo(1.8347298891754518, 9);
  expect(pesaranTimmermann([1, 1, 1], [1, 0, 1])).toBeUndefined();
});

describe("Student's distribution", () => {
  it.each([
    // Tables: the 97.5th percentiles.
    [12.706204736432095, 1, 0.975],
    [4.302652729911275, 2, 0.975],
    [2.2281388519649385, 10, 0.975],
    [-2.0422724563012373, 30, 0.025],
    [0, 7, 0.5],
  ])('at %d with %d degrees is %d', (t, degrees, probability) => {
    expect(studentCdf(t, degrees)).toBeCloseTo(probability, 10);
  });
});

it('Benjamini and Hochberg: the fifteen p-values of their paper, of which they reject the first four at 5 %', () => {
  const p = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528,
    0.759, 1,
  ];
  const adjusted = benjaminiHochberg(p);
  expect(adjusted.map((value) => value <= 0.05)).toEqual(p.map((_, i) => i < 4));
  expect(adjusted[3]).toBeCloseTo((0.0095 * 15) / 4, 12);
  expect(benjaminiHochberg([...p].reverse())).toEqual([...adjusted].reverse());
  expect(benjaminiHochberg([])).toEqual([]);
});

it.each([
  ['they do not differ', undefined, false],
  ['it loses less', { statistic: -3, pValue: 0.003 }, false],
  ['it loses more, as luck does one time in ten', { statistic: 1.3, pValue: 0.2 }, false],
  ['it loses more, as luck does one time in fifty', { statistic: 2.1, pValue: 0.04 }, true],
] as const)('the first counts as worse only beyond luck: %s', (_, result, expected) => {
  expect(losesMore(result, 0.05)).toBe(expected);
});
