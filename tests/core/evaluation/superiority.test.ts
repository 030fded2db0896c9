import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { optimalBlockLength } from '../../../src/core/evaluation/block-length.ts';
import { modelConfidenceSet } from '../../../src/core/evaluation/confidence-set.ts';
import {
  realityCheck,
  stepwiseSuperior,
  superiorPredictiveAbility,
} from '../../../src/core/evaluation/superiority.ts';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';

const Elimination = z.object({
  pvalues_in_elimination_order: z.array(z.tuple([z.number(), z.number()])),
  included_90: z.array(z.number()),
});
/** Computed with arch 8.0.0. */
const { arch } = z
  .object({
    arch: z.object({
      loss_diff_variance_stationary_kernel_block10: z.array(z.number()),
      t_stat: z.array(z.number()),
      mean_diff: z.array(z.number()),
      StepM_superior: z.array(z.number()),
      MCS_R: Elimination,
      MCS_max: Elimination,
      optimal_block_length: z.record(z.string(), z.tuple([z.number(), z.number()])),
    }),
  })
  .parse(JSON.parse(readFileSync(new URL('../../golden/evaluation.json', import.meta.url), 'utf8')));

const round = (value: number): number => Number(value.toFixed(6));
const losses = Array.from({ length: 6 }, (_, m) =>
  Float64Array.from({ length: 200 }, (__, k) =>
    round(1 + 0.075 * m + 0.8 * Math.sin(1 + 0.37 * (6 * k + m)) ** 2 + 0.3 * Math.cos(0.05 * k * (m + 1))),
  ),
);
const benchmark = Float64Array.from({ length: 200 }, (_, k) =>
  round(1.28 + 0.8 * Math.sin(2 + 0.53 * k) ** 2 + 0.2 * Math.cos(0.07 * k)),
);
const options = { blockBars: 10, resamples: 4000, random: createRandom(3) };

describe("Hansen's and White's tests equal arch's", () => {
  const spa = superiorPredictiveAbility(benchmark, losses, options);

  it('in means, variances and statistics', () => {
    arch.mean_diff.forEach((value, m) => expect(spa.meanAdvantage[m]).toBeCloseTo(value, 12));
    arch.loss_diff_variance_stationary_kernel_block10.forEach((value, m) =>
      expect(Math.abs(spa.variances[m] - value)).toBeLessThan(1e-9),
    );
    arch.t_stat.forEach((value, m) => expect(Math.abs(spa.statistics[m] - value)).toBeLessThan(1e-9));
  });

  it('in p-values and in who is superior', () => {
    const check = realityCheck(benchmark, losses, options);
    for (const p of [...Object.values(spa.pValues), ...Object.values(check.pValues)])
      expect(p).toBeLessThan(0.02);
    expect(stepwiseSuperior(benchmark, losses, options)).toEqual(arch.StepM_superior);
  });

  it('say that luck does as well every time where no model is better than the benchmark', () => {
    const random = createRandom(5);
    const worse = Float64Array.from({ length: 400 }, () => 0.4 + normal(random));
    for (const test of [superiorPredictiveAbility, realityCheck])
      expect(Object.values(test(new Float64Array(400), [worse], options).pValues)).toEqual([1, 1, 1]);
  });

  it('find nothing among models without an advantage, and all when all are better', () => {
    const random = createRandom(9);
    const noise = () => Float64Array.from({ length: 400 }, () => normal(random));
    const flat = new Float64Array(400);
    const none = superiorPredictiveAbility(flat, Array.from({ length: 10 }, noise), options);
    expect(none.pValues.consistent).toBeGreaterThan(0.1);
    expect(none.pValues.lower).toBeLessThanOrEqual(none.pValues.consistent);
    expect(none.pValues.consistent).toBeLessThanOrEqual(none.pValues.upper);
    const better = [noise(), noise(), noise()].map((column) => column.map((value) => value - 1));
    expect(stepwiseSuperior(flat, better, options)).toEqual([0, 1, 2]);
    expect(stepwiseSuperior(flat, [flat, flat], options)).toEqual([]);
  });
});

describe("the model confidence set equals arch's", () => {
  it.each([
    ['range', arch.MCS_R],
    ['maximum', arch.MCS_max],
  ] as const)('by the %s', (method, golden) => {
    const { eliminated, included } = modelConfidenceSet(losses, { ...options, method });
    expect(eliminated.map(({ model }) => model)).toEqual(
      golden.pvalues_in_elimination_order.map(([model]) => model),
    );
    golden.pvalues_in_elimination_order.forEach(([, p], i) =>
      expect(Math.abs(eliminated[i].pValue - p)).toBeLessThan(0.02),
    );
    expect(included).toEqual(golden.included_90);
  });

  it('keeps models that are the same', () => {
    const copies = [losses[0], losses[0], losses[5]];
    expect(modelConfidenceSet(copies, options).included).toEqual([0, 1]);
  });
});

it("block lengths equal arch's", () => {
  for (const [m, [stationary, circular]] of Object.entries(arch.optimal_block_length)) {
    const found = optimalBlockLength(losses[Number(m)]);
    expect(found?.stationary).toBeCloseTo(stationary, 8);
    expect(found?.circular).toBeCloseTo(circular, 8);
  }
});
