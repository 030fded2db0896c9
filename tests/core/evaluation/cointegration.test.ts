import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';
import { dickeyFuller, engleGranger, halfLife, holm } from '../../../src/core/evaluation/cointegration.ts';
import { mackinnonP } from '../../../src/core/evaluation/mackinnon.ts';
import { walk } from '../../learning/models/panels.ts';

const golden = new URL('../../golden/stats/coint_200x4.csv', import.meta.url);

describe('Engle-Granger on 200 x 4', () => {
  const table = (): number[][] =>
    readFileSync(golden, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(',').map(Number));

  // statsmodels and Stata: column 0 on column 1, 4 lags.
  it.each([
    ['c', -5.760696844656],
    ['ct', -5.615251442239],
    ['ctt', -5.644431269946],
  ] as const)('with trend %s gives the published statistic', (trend, statistic) => {
    const [y, x] = [0, 1].map((column) => Float64Array.from(table(), (row) => row[column]));
    const result = engleGranger(y, x, { trend, lags: 4 });
    expect(result?.test.statistic).toBeCloseTo(statistic, 6);
    if (trend === 'c') expect((result?.pValue ?? NaN) / 5.233e-6).toBeCloseTo(1, 3);
  });
});

// US CPI inflation of statsmodels' macrodata has this statistic, one lag and a constant.
it("gives MacKinnon's p-value", () => {
  expect(mackinnonP(-4.334699, 'c', 1)).toBeCloseTo(0.00038661, 7);
  expect(mackinnonP(5, 'c', 2)).toBe(1);
  expect(mackinnonP(-50, 'c', 2)).toBe(0);
});

it('rejects the unit root of a walk about as often as it claims', () => {
  let rejected = 0;
  for (let seed = 0; seed < 200; seed++) {
    const test = dickeyFuller(Float64Array.from(walk(250, seed)), { trend: 'c', lags: 1 });
    if (mackinnonP(test?.statistic ?? 0, 'c', 1) < 0.05) rejected++;
  }
  // 200 draws at 5 %: 10 expected, standard deviation 3.1.
  expect(rejected).toBeGreaterThan(0);
  expect(rejected).toBeLessThan(22);
});

it('recovers the half-life of an autoregression and has none for an explosive series', () => {
  const random = createRandom(1);
  let level = 0;
  const series = Float64Array.from({ length: 20_000 }, () => (level = 0.97 * level + normal(random)));
  expect(halfLife(series)).toBeGreaterThan(0.85 * (Math.LN2 / -Math.log(0.97)));
  expect(halfLife(series)).toBeLessThan(1.15 * (Math.LN2 / -Math.log(0.97)));
  expect(halfLife(Float64Array.from({ length: 50 }, (_, i) => 1.1 ** i))).toBeUndefined();
});

it("corrects p-values by Holm's steps", () => {
  // By hand: 3 x .01, then max(.03, 2 x .02), then max(.04, .04).
  const [a, b, c] = holm([0.04, 0.01, 0.02]);
  expect([a, b, c].map((p) => Math.round(1000 * p) / 1000)).toEqual([0.04, 0.03, 0.04]);
  expect(holm([0.6, 0.7])).toEqual([1, 1]);
});

it('has no answer for series that do not vary', () => {
  expect(engleGranger(new Float64Array(50), new Float64Array(50), { trend: 'c', lags: 1 })).toBeUndefined();
});
