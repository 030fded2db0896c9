import { describe, expect, it } from 'vitest';
import { baumWelch, filteredStates, fitHmm } from '../../../src/core/evaluation/hidden-markov.ts';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';
import golden from '../../golden/adapt/hmm.json' with { type: 'json' };

/** By the rule of the golden file. */
const observations = Float64Array.from({ length: 600 }, (_, i) => {
  const k = Math.floor(i / 2);
  const value = Math.sin(12.9898 * (k + 1)) * 43758.5453;
  const u = value - Math.floor(value) - 0.5;
  const wild = Math.floor(k / 50) % 2 === 1;
  if (i % 2 === 1) return Math.abs(u) * (wild ? 2 : 1);
  return wild ? 3 * u - 0.4 : 0.5 * u + 0.2;
});
const begin = {
  states: 2,
  width: 2,
  start: [0.6, 0.4],
  transitions: [
    [0.9, 0.1],
    [0.2, 0.8],
  ],
  means: [
    [0.1, 0.2],
    [-0.3, 0.6],
  ],
  variances: [
    [0.2, 0.1],
    [0.8, 0.4],
  ],
};

it("ten rounds of Baum-Welch end where hmmlearn's do", () => {
  const { model, logLikelihood, bic } = baumWelch(observations, begin, {
    iterations: 10,
    tolerance: -Infinity,
  });
  expect(logLikelihood).toBeCloseTo(golden.logLikelihood, 6);
  expect(bic).toBeCloseTo(golden.bic, 6);
  for (const key of ['transitions', 'means', 'variances'] as const)
    model[key].forEach((row, i) =>
      row.forEach((value, j) => expect(value).toBeCloseTo(golden[key][i][j], 8)),
    );
});

describe('the number of states', () => {
  const random = createRandom(5);
  const drawn = (of: (row: number) => number): Float64Array =>
    Float64Array.from({ length: 600 }, (_, row) => of(row) * normal(random));

  it('is one for values of one distribution, and two for calm and wild spells', () => {
    expect(fitHmm(drawn(() => 1), 1, { most: 3, seed: 1 }).model.states).toBe(1); // prettier-ignore
    const spells = drawn((row) => (Math.floor(row / 100) % 2 === 0 ? 1 : 5));
    const { model } = fitHmm(spells, 1, { most: 3, seed: 1 });
    expect(model.states).toBe(2);
    const deviations = model.variances.map(([variance]) => Math.sqrt(variance)).sort((a, b) => a - b);
    expect(deviations[0]).toBeCloseTo(1, 0);
    expect(Math.abs(deviations[1] - 5)).toBeLessThan(1);

    // What a state is taken for at a row hangs on nothing behind it.
    const whole = filteredStates(spells, model);
    const cut = filteredStates(spells.subarray(0, 250), model);
    expect([...whole.subarray(0, 500)]).toEqual([...cut]);
    const wild = model.variances[0][0] > model.variances[1][0] ? 0 : 1;
    const rightly = Array.from({ length: 600 }, (_, row) => whole[row * 2 + wild] > 0.5 === (Math.floor(row / 100) % 2 === 1)); // prettier-ignore
    expect(rightly.filter(Boolean).length).toBeGreaterThan(540);
  });
});
