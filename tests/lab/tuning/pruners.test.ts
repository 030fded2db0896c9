import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  createHalvingPruner,
  createHyperbandPruner,
  createPatientPruner,
  createPercentilePruner,
  createThresholdPruner,
  createWilcoxonPruner,
  type Pruner,
  signedRankP,
} from '../../../src/lab/tuning/pruners.ts';
import type { Trial } from '../../../src/lab/tuning/trial.ts';

// Made with Optuna 5.0.0.
const golden = (
  JSON.parse(readFileSync(new URL('../../golden/tuning/tpe-optuna-5.json', import.meta.url), 'utf8')) as {
    pruners: Record<string, { pruned_at: number | null; last: number }[]>;
  }
).pruners;

/** What trial i reports at step s: the closed form that the reference was run on. */
const report = (i: number, s: number): number =>
  Number((1 + 0.5 * Math.sin(1 + 1.7 * i) + (0.6 + 0.3 * Math.cos(2.3 * i)) * Math.exp(-0.4 * s)).toFixed(6));

function run(pruner: Pruner, trials = 12, steps = 9): { pruned_at: number | null; last: number }[] {
  const done: Trial[] = [];
  const blank = { params: {}, values: [], violation: 0 };
  for (let number = 0; number < trials; number++) {
    const intermediate: [number, number][] = [];
    let prunedAt: number | null = null;
    for (let step = 0; step < steps && prunedAt === null; step++) {
      intermediate.push([step, report(number, step)]);
      if (pruner({ ...blank, number, state: 'running', intermediate }, done)) prunedAt = step;
    }
    const last = intermediate[intermediate.length - 1][1];
    const state = prunedAt === null ? 'complete' : 'pruned';
    done.push({ ...blank, number, state, intermediate, values: prunedAt === null ? [last] : [] });
  }
  return done.map(({ state, intermediate }) => {
    const [step, last] = intermediate[intermediate.length - 1];
    return { pruned_at: state === 'pruned' ? step : null, last };
  });
}

describe('prunes where Optuna prunes', () => {
  it.each([
    ['median_startup5_warmup0', createPercentilePruner()],
    [
      'median_startup2_warmup2_interval3',
      createPercentilePruner({ startupTrials: 2, warmupSteps: 2, interval: 3 }),
    ],
    ['percentile25_startup2', createPercentilePruner({ percentile: 25, startupTrials: 2 })],
    ['successive_halving_min1_rf3', createHalvingPruner({ minResource: 1, reductionFactor: 3 })],
    ['threshold_upper1.4', createThresholdPruner({ upper: 1.4 })],
    ['patient_median_patience2', createPatientPruner(createPercentilePruner(), { patience: 2 })],
  ] as const)('%s', (name, pruner) => {
    expect(run(pruner)).toEqual(golden[name]);
  });
});

it('spreads trials over the brackets of hyperband, some of which let a trial live longer', () => {
  const ends = run(createHyperbandPruner({ minResource: 1, maxResource: 9, reductionFactor: 3 }), 60, 10);
  const prunedAt = new Set(ends.map(({ pruned_at }) => pruned_at));
  // Rungs 1, 3 and 9 steps; the last bracket looks at 9 only.
  for (const step of prunedAt) expect([null, 1, 3, 9]).toContain(step);
  expect(prunedAt.size).toBeGreaterThanOrEqual(3);
});

it('computes the p-values of the signed-rank test that scipy computes', () => {
  // scipy.stats.wilcoxon(x, alternative='greater', zero_method='zsplit'), exact, then by the normal approximation.
  expect(signedRankP([1.2, -0.3, 0.8, 0.5, 2.1, -0.1])).toBeCloseTo(0.078125, 12);
  expect(signedRankP([0, 0, 1, 2, -1, 3, 1, 0.5])).toBeCloseTo(0.0525859756543302, 8);
  const waves = Array.from({ length: 60 }, (_, k) => Math.sin(k * 1.7) + 0.2);
  expect(signedRankP(waves)).toBeCloseTo(0.017950061607939057, 8);
});

it('prunes by folds what is worse than the best, fold by fold', () => {
  const folds = [1, 5, 2, 8, 3, 6];
  const trial = (number: number, shift: number, state: Trial['state'] = 'complete'): Trial => ({
    number,
    state,
    params: {},
    values: state === 'complete' ? [folds.reduce((sum, fold) => sum + fold, 0) / 6 + shift] : [],
    intermediate: folds.map((fold, step) => [step, fold + shift * (1 + step / 10)]),
    violation: 0,
  });
  const pruner = createWilcoxonPruner();
  expect(pruner(trial(1, 0.5, 'running'), [trial(0, 0)])).toBe(true);
  expect(pruner(trial(1, -0.5, 'running'), [trial(0, 0)])).toBe(false);
  expect(pruner(trial(1, 0.5, 'running'), [])).toBe(false);
});
