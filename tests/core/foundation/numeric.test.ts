import fc from 'fast-check';
import { expect, it } from 'vitest';
import { dot, invert, leastSquares } from '../../../src/core/foundation/linear-algebra.ts';
import { finish } from '../../../src/core/foundation/steps.ts';
import { minimise } from '../../../src/core/foundation/optimise.ts';
import { digamma, erfc, lnGamma, normalCdf } from '../../../src/core/foundation/special-functions.ts';

// Abramowitz and Stegun, tables 26.1, 6.1 and 6.3.
// erfc to 16 digits (NIST DLMF 7.2.2, by mpmath): one argument of each approximation, and far in the tail.
it.each([
  [0.25, 0.7236736098317631],
  [1, 0.15729920705028513],
  [-1, 1.8427007929497148],
  [3, 2.209049699858544e-5],
  [5, 1.5374597944280349e-12],
  [10, 2.088487583762545e-45],
])('erfc of %d', (x, expected) => {
  expect(erfc(x) / expected).toBeCloseTo(1, 14);
});

it('agrees with published tables of the normal distribution, ln Gamma and digamma', () => {
  expect(normalCdf(0)).toBe(0.5);
  expect(normalCdf(1)).toBeCloseTo(0.841344746068543, 14);
  expect(normalCdf(-2)).toBeCloseTo(0.022750131948179, 14);
  expect(normalCdf(-5) / 2.866515718791939e-7).toBeCloseTo(1, 10);
  expect(normalCdf(3) + normalCdf(-3)).toBeCloseTo(1, 14);
  expect(lnGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 13);
  expect(lnGamma(11)).toBeCloseTo(Math.log(3_628_800), 12);
  expect(digamma(1)).toBeCloseTo(-0.577215664901533, 13);
  expect(digamma(0.5)).toBeCloseTo(-1.963510026021423, 13);
});

it('minimises the Rosenbrock function', () => {
  const { x, converged } = finish(
    minimise(
      ([a, b], gradient) => {
        gradient[0] = -2 * (1 - a) - 400 * a * (b - a * a);
        gradient[1] = 200 * (b - a * a);
        return (1 - a) ** 2 + 100 * (b - a * a) ** 2;
      },
      Float64Array.of(-1.2, 1),
    ),
  );
  expect(converged).toBe(true);
  expect(x[0]).toBeCloseTo(1, 6);
  expect(x[1]).toBeCloseTo(1, 6);
});

it('stops where rounding hides what a step gains, instead of repeating it to the last iteration', () => {
  let evaluations = 0;
  const { converged } = finish(
    minimise((_, gradient) => {
      evaluations++;
      gradient[0] = 1e-6;
      return 1;
    }, Float64Array.of(0)),
  );
  expect(converged).toBe(false);
  expect(evaluations).toBeLessThan(5);
});

it('leaves residuals orthogonal to the regressors', () => {
  const cell = fc.integer({ min: -900, max: 900 }).map((hundredths) => hundredths / 100);
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 8, maxLength: 30 }), (rows) => {
      const one = new Float64Array(rows.length).fill(1);
      const [x, y] = [0, 1].map((column) => Float64Array.from(rows, (row) => row[column]));
      const fit = leastSquares(y, [x, one]);
      if (fit === undefined) return;
      expect(Math.abs(dot(fit.residuals, one))).toBeLessThan(1e-6);
      expect(Math.abs(dot(fit.residuals, x))).toBeLessThan(1e-5);
    }),
  );
});

it('has no inverse for dependent columns', () => {
  expect(invert([Float64Array.of(1, 1), Float64Array.of(1, 1)])).toBeUndefined();
  expect(
    leastSquares(new Float64Array(5), [new Float64Array(5).fill(1), new Float64Array(5).fill(2)]),
  ).toBeUndefined();
});
