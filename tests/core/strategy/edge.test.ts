import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/core/foundation/random.ts';
import { measureEdge, shrinkage } from '../../../src/core/strategy/edge.ts';

const HOUR = 3_600_000;
const random = createRandom(7);
const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const times = (bars: number): Float64Array => Float64Array.from({ length: bars }, (_, i) => i * HOUR);

describe('the slope of what happened on what was said', () => {
  it('is least squares through the origin', () => {
    // Two points repeated: sum xy / sum x^2 = (1*2 + 2*3) / (1 + 4) = 1.6 for every pair.
    const bars = 120;
    const stated = Float64Array.from({ length: bars }, (_, i) => (i % 2 === 0 ? 0.01 : 0.02));
    const realised = Float64Array.from({ length: bars }, (_, i) => (i % 2 === 0 ? 0.02 : 0.03));
    const edge = measureEdge([{ time: times(bars), stated, realised }], { horizonBars: 1, barMs: HOUR });
    expect(edge?.slope).toBeCloseTo(1.6, 12);
    expect(edge?.samples).toBe(120);
    expect(edge?.deviation).toBeCloseTo(Math.sqrt(0.5 * (1e-4 + 4e-4)), 12);
  });

  it('finds nothing in noise in about 199 of 200 worlds: only the upper tail counts', () => {
    let skilled = 0;
    for (let world = 0; world < 300; world++) {
      const one = {
        time: times(500),
        stated: Float64Array.from({ length: 500 }, normal),
        realised: Float64Array.from({ length: 500 }, normal),
      };
      const edge = measureEdge([one], { horizonBars: 1, barMs: HOUR });
      if (edge !== undefined && shrinkage(edge) > 0) skilled++;
    }
    // .5 % of 300 is 1.5, its deviation 1.2.
    expect(skilled).toBeLessThanOrEqual(6);
  });

  it('overlapping horizons and twin symbols do not pass for more evidence', () => {
    let skilled = 0;
    for (let world = 0; world < 200; world++) {
      const steps = Float64Array.from({ length: 600 }, normal);
      const sum = (from: number): number => steps.subarray(from, from + 24).reduce((a, b) => a + b, 0);
      // Both move slowly: the realised return of 24 bars, and a statement that drifts as slowly.
      const drift = Float64Array.from({ length: 600 }, normal);
      const slow = (from: number): number => drift.subarray(from, from + 24).reduce((a, b) => a + b, 0);
      const one = {
        time: times(570),
        stated: Float64Array.from({ length: 570 }, (_, i) => slow(i)),
        realised: Float64Array.from({ length: 570 }, (_, i) => sum(i)),
      };
      const edge = measureEdge([one, one, one], { horizonBars: 24, barMs: HOUR });
      if (edge !== undefined && shrinkage(edge) > 0) skilled++;
    }
    // An error that took every bar of every symbol for new would call about a third of these skilled.
    expect(skilled).toBeLessThan(40);
  });

  it('an honest forecaster keeps most of what it says', () => {
    const stated = Float64Array.from({ length: 2000 }, () => 0.01 * normal());
    const realised = stated.map((value) => value + 0.02 * normal());
    const edge = measureEdge([{ time: times(2000), stated, realised }], { horizonBars: 1, barMs: HOUR });
    if (edge === undefined) throw new Error('unmeasured');
    expect(edge.slope).toBeGreaterThan(0.85);
    expect(shrinkage(edge)).toBeLessThanOrEqual(1);
    expect(shrinkage(edge)).toBeGreaterThan(0.85);
  });

  it('below 100 bars, or with nothing ever stated, there is no edge to speak of', () => {
    const few = {
      time: times(99),
      stated: new Float64Array(99).fill(1),
      realised: new Float64Array(99).fill(1),
    };
    expect(measureEdge([few], { horizonBars: 1, barMs: HOUR })).toBeUndefined();
    const mute = { time: times(200), stated: new Float64Array(200), realised: new Float64Array(200).fill(1) };
    expect(measureEdge([mute], { horizonBars: 1, barMs: HOUR })).toBeUndefined();
  });
});
