import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { hedgeStep } from '../../../src/learning/ensemble/hedge.ts';
import {
  batesGranger,
  caruana,
  inverseSquaredError,
  ridgeStack,
  simplexLeastSquares,
  squaredError,
} from '../../../src/learning/ensemble/weights.ts';

const numbers = z.array(z.number());
const Hedge = z.object({ w_at_10: numbers, w_at_59: numbers, w_final: numbers, regret: z.number() });
const golden = z
  .object({
    hedge: z.object({
      'eta.5_share0': Hedge,
      'eta.5_share0.05': Hedge,
      'bma_logscore_-0.5*loss': z.object({ w_final: numbers }),
    }),
    stacking: z.object({
      simplex_ls: numbers,
      caruana_greedy_12: numbers,
      caruana_mse: z.number(),
      equal_mse: z.number(),
      inverse_mse_weights: numbers,
      bates_granger_full_cov: numbers,
      mse: numbers,
    }),
  })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '../../golden/ensemble.json'), 'utf8')));

const expectClose = (found: ArrayLike<number>, wanted: readonly number[], tolerance: number): void => {
  expect(found.length).toBe(wanted.length);
  wanted.forEach((value, i) => expect(Math.abs(found[i] - value)).toBeLessThanOrEqual(tolerance));
};

describe('weights that follow losses', () => {
  const losses = Array.from({ length: 60 }, (_, k) =>
    Float64Array.from({ length: 4 }, (__, m) =>
      Number(
        (
          1 +
          0.075 * m +
          0.8 * Math.sin(1 + 0.37 * (6 * k + m)) ** 2 +
          0.3 * Math.cos(0.05 * k * (m + 1))
        ).toFixed(6),
      ),
    ),
  );

  it.each([
    [0, golden.hedge['eta.5_share0']],
    [0.05, golden.hedge['eta.5_share0.05']],
  ] as const)('are the published ones with a share of %f', (share, wanted) => {
    const weights = new Float64Array(4).fill(0.25);
    let learner = 0;
    const sums = new Float64Array(4);
    losses.forEach((loss, k) => {
      if (k === 10) expectClose(weights, wanted.w_at_10, 1e-12);
      if (k === 59) expectClose(weights, wanted.w_at_59, 1e-12);
      learner += loss.reduce((sum, value, m) => sum + weights[m] * value, 0);
      loss.forEach((value, m) => (sums[m] += value));
      hedgeStep(weights, loss, { rate: 0.5, share });
    });
    expectClose(weights, wanted.w_final, 1e-12);
    expect(Math.abs(learner - Math.min(...sums) - wanted.regret)).toBeLessThan(1e-10);
  });

  it('are those of Bayesian averaging when the loss is minus twice the log likelihood', () => {
    const weights = new Float64Array(4).fill(0.25);
    for (const loss of losses) hedgeStep(weights, loss, { rate: 0.5 });
    expectClose(weights, golden.hedge['bma_logscore_-0.5*loss'].w_final, 1e-12);
  });

  /** The most that Hedge can lose beyond the best of `n` after `steps` losses in [0, 1] (Freund & Schapire 1997). */
  const regretBound = (n: number, steps: number, rate: number): number =>
    Math.log(n) / rate + (rate * steps) / 8;
  /** The rate with the least bound for a known number of steps. */
  const bestRate = (n: number, steps: number): number => Math.sqrt((8 * Math.log(n)) / steps);

  it('never lose more beyond the best than the bound says, whatever comes', () => {
    const sequence = fc.array(
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }),
      { minLength: 1, maxLength: 80 },
    );
    fc.assert(
      fc.property(sequence, (steps) => {
        const rate = bestRate(3, steps.length);
        const weights = new Float64Array(3).fill(1 / 3);
        let learner = 0;
        const sums = new Float64Array(3);
        for (const loss of steps) {
          loss.forEach((value, m) => {
            learner += weights[m] * value;
            sums[m] += value;
          });
          hedgeStep(weights, Float64Array.from(loss), { rate });
        }
        return learner - Math.min(...sums) <= regretBound(3, steps.length, rate) + 1e-9;
      }),
    );
  });
});

describe('weights from what was stated and came true', () => {
  const t = Array.from({ length: 80 }, (_, i) => i);
  const y = Float64Array.from(t, (i) => Math.sin(0.2 * i) + 0.3 * Math.cos(0.53 * i));
  const stated = [
    Float64Array.from(t, (i) => y[i] + 0.5 * Math.sin(1 + 0.37 * i)),
    Float64Array.from(t, (i) => 0.8 * y[i] + 0.3 * Math.cos(0.9 * i)),
    Float64Array.from(t, (i) => y[i] + 0.4 * Math.sin(2.1 * i) + 0.2),
    Float64Array.from(t, (i) => 0.1 * Math.sin(i)),
  ];
  const { stacking } = golden;

  it('blending: least squares on the simplex', () => {
    expectClose(simplexLeastSquares(stated, y), stacking.simplex_ls, 1e-6);
  });

  it('Caruana: the same picks in the same order', () => {
    const { weights, taken } = caruana(stated, y, 12);
    expect(taken).toEqual(stacking.caruana_greedy_12);
    const mixed = y.map((_, i) => stated.reduce((sum, column, m) => sum + weights[m] * column[i], 0));
    expect(squaredError(mixed, y)).toBeCloseTo(stacking.caruana_mse, 9);
  });

  it('Bates and Granger: with the full covariance, and with errors alone', () => {
    expectClose(batesGranger(stated, y, { constrained: false }), stacking.bates_granger_full_cov, 1e-6);
    expectClose(inverseSquaredError(stated, y), stacking.inverse_mse_weights, 1e-9);
    const constrained = batesGranger(stated, y, { constrained: true });
    expect(constrained.every((weight) => weight >= 0)).toBe(true);
    expect(constrained.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
  });

  it('on the simplex no other weights are better, and two that say the same share evenly', () => {
    const column = fc.float64Array({ minLength: 12, maxLength: 12, min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(column, column, column, column, (a, b, c, realised) => {
        const columns = [a, b, c];
        const best = simplexLeastSquares(columns, realised);
        const error = (weights: ArrayLike<number>): number =>
          squaredError(
            realised.map((_, i) => columns.reduce((sum, one, m) => sum + weights[m] * one[i], 0)),
            realised,
          );
        const others = [
          [1, 0, 0],
          [0, 1, 0],
          [0, 0, 1],
          [0.5, 0.5, 0],
          [0.2, 0.3, 0.5],
        ];
        return others.every((weights) => error(best) <= error(weights) + 1e-9);
      }),
    );
    const twins = simplexLeastSquares([stated[0], stated[0]], y);
    expect(twins[0]).toBeCloseTo(0.5, 3);
  });

  it('ridge stacking lies between least squares and equal weights', () => {
    // y itself and noise: no penalty finds it, a large one leaves both alike.
    const columns = [y, stated[3]];
    expectClose(ridgeStack(columns, y, 1e-9), [1, 0], 1e-6);
    expectClose(ridgeStack(columns, y, 1e9), [0.5, 0.5], 1e-6);
  });
});
