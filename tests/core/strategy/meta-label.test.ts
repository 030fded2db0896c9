import { expect, it } from 'vitest';
import { createRandom } from '../../../src/core/foundation/random.ts';
import type { Edge } from '../../../src/core/strategy/edge.ts';
import { fitLabels, type Labelled, probabilityRight } from '../../../src/core/strategy/labels.ts';
import { chooseStrategy } from '../../../src/core/strategy/registry.ts';
import type { Situation } from '../../../src/core/strategy/strategy.ts';

const HOUR = 3_600_000;

/** Right in `sure` of the bars where it says it is sure, and in half of the others; a bar moves 1 %. */
function rows(count: number, sure: number, seed: number): Labelled[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, i) => {
    const confidence = i % 2;
    const side = random() < 0.5 ? 1 : -1;
    const right = random() < (confidence === 1 ? sure : 0.5);
    const inputs = [1 + random(), confidence, -5 + 0.1 * random(), side];
    return { time: i * HOUR, s: 0, inputs, realised: (right ? 0.01 : -0.01) * side, side };
  });
}
const options = { horizonBars: 1, barMs: HOUR };

it('finds when the side is right', () => {
  const labels = fitLabels(rows(8000, 0.8, 1), options);
  if (labels === undefined) throw new Error('there are enough rows');
  expect(labels.base).toBeCloseTo(0.65, 1);
  expect(labels.meanMove).toBeCloseTo(0.01, 12);
  // The penalty takes a little of .8 and .5.
  expect(probabilityRight(labels, [1.5, 1, -4.95, 1])).toBeGreaterThan(0.74);
  expect(probabilityRight(labels, [1.5, 1, -4.95, 1])).toBeLessThan(0.82);
  expect(probabilityRight(labels, [1.5, 0, -4.95, 1])).toBeLessThan(0.56);
  expect(labels.edge.low).toBeGreaterThan(0.5);
});

it('has no skill where there is nothing to find, nor on few bars', () => {
  const found = Array.from({ length: 40 }, (_, seed) => fitLabels(rows(1500, 0.5, seed), options));
  expect(found.filter((labels) => (labels?.edge.low ?? 0) > 0).length).toBeLessThanOrEqual(2);
  expect(fitLabels(rows(300, 0.9, 1), options)).toBeUndefined();
});

it('takes the side in the size of the probability, where it pays, and leaves when it no longer is likelier', () => {
  const labels = fitLabels(rows(8000, 0.8, 1), options);
  const edge: Edge = {
    slope: 1,
    error: 0.1,
    low: 0.7,
    high: 1.3,
    samples: 8000,
    persistence: 0.9,
    deviation: 0.01,
    horizonBars: 1,
    labels,
  };
  const { strategy, params } = chooseStrategy('meta-label', {});
  const decide = strategy.prepare(params, { cost: 0.0015, allowShort: true, edge });
  const seen: Situation = {
    held: 0,
    horizonBars: 1,
    position: NaN,
    confidence: 1,
    probabilityUp: NaN,
    expectedReturn: 1.5 * Math.exp(-4.95),
    lowQuantile: NaN,
    medianQuantile: NaN,
    highQuantile: NaN,
    volatility: Math.exp(-4.95),
    calmest: Math.exp(-4.95),
  };
  // p near .78: 2 Phi(.28 / sqrt(.78 x .22)) - 1 = 2 Phi(.676) - 1 = .5.
  const { target } = decide(seen);
  expect(target).toBeGreaterThan(0.42);
  expect(target).toBeLessThan(0.58);
  expect(decide({ ...seen, expectedReturn: -seen.expectedReturn }).target).toBeLessThan(-0.4);
  // It pays from p = .5 + 2 x 15 bp / 1 % / 2 = .65 on; what is held stays above .5, on its side.
  expect(decide({ ...seen, confidence: 0.3 }).target).toBe(0);
  expect(decide({ ...seen, confidence: 0.3, held: 0.4 }).target).toBe(0.4);
  expect(decide({ ...seen, confidence: 0.3, held: -0.4 }).target).toBe(0);
  // The same probability on a market that costs more than it moves.
  const dear = strategy.prepare(params, { cost: 0.01, allowShort: true, edge });
  expect(dear(seen).target).toBe(0);
  const blind = strategy.prepare(params, {
    cost: 0.0015,
    allowShort: true,
    edge: { ...edge, labels: undefined },
  });
  expect(blind(seen)).toEqual({ target: 0, reason: { kind: 'unmeasured' } });
});
