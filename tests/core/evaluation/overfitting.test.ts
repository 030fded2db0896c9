import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { backtestOverfitting } from '../../../src/core/evaluation/overfitting.ts';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';

const golden = new URL('../../golden/stats/misc.json', import.meta.url);

it('has the published closed-form value', () => {
  const { pbo } = z
    .object({ pbo: z.object({ pbo: z.number(), mean_logit: z.number() }) })
    .parse(JSON.parse(readFileSync(golden, 'utf8')));
  const returns = Array.from({ length: 6 }, (_, n) =>
    Float64Array.from(
      { length: 160 },
      (__, t) => 0.01 * Math.sin(1 + 0.37 * t * (n + 1)) + 0.0008 * (n - 2) * Math.cos(0.05 * t),
    ),
  );
  const result = backtestOverfitting(returns, 8);
  expect(result?.probability).toBeCloseTo(pbo.pbo, 9);
  expect(result?.meanLogit).toBeCloseTo(pbo.mean_logit, 9);
  expect(result?.splits).toBe(70);
});

const noise = (seed: number, drift = 0): Float64Array => {
  const random = createRandom(seed);
  return Float64Array.from({ length: 1600 }, () => drift + normal(random));
};

it('calls luck luck, and skill skill', () => {
  const luck = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => noise(seed));
  expect(backtestOverfitting(luck)?.probability).toBeGreaterThan(0.25);
  expect(backtestOverfitting([...luck, noise(9, 0.3)])?.probability).toBe(0);
});

it('counts a strategy that did nothing as neither good nor bad', () => {
  const result = backtestOverfitting([new Float64Array(1600), noise(1, -0.3)]);
  expect(result?.probability).toBe(0);
});

it('is not defined for one strategy or a handful of bars', () => {
  expect(backtestOverfitting([noise(1)])).toBeUndefined();
  expect(backtestOverfitting([noise(1).subarray(0, 150), noise(2).subarray(0, 150)])).toBeUndefined();
});
