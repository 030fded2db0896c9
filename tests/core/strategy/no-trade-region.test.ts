import { describe, expect, it } from 'vitest';
import { noTradeRegion } from '../../../src/core/strategy/no-trade-region.ts';

/**
 * The whole problem at once, by value iteration over positions and signals, nothing decomposed: at each bar choose the
 * position that maximises `x f - theta x^2 / 2 - cost |x - held| + E V(x, f')`. Signals in deviations.
 */
function dynamicProgramme(persistence: number, cost: number, theta: number) {
  const xs = Float64Array.from({ length: 11 }, (_, i) => i / 10);
  const signals = Float64Array.from({ length: 121 }, (_, i) => -6 + (12 * i) / 120);
  const spread = Math.sqrt(1 - persistence ** 2);
  const density = Array.from(signals, (f) => {
    const row = signals.map((next) => Math.exp(-(((next - persistence * f) / spread) ** 2) / 2));
    const total = row.reduce((sum, one) => sum + one, 0);
    return row.map((one) => one / total);
  });
  let value = Array.from(xs, () => new Float64Array(signals.length));
  let staying = value;
  for (let bar = 0; bar < 200; bar++) {
    staying = Array.from(xs, (x, k) =>
      signals.map((f, i) => {
        let next = 0;
        for (let j = 0; j < signals.length; j++) next += density[i][j] * value[k][j];
        return x * f - (theta * x * x) / 2 + next;
      }),
    );
    value = Array.from(xs, (held) =>
      signals.map((_, i) => {
        let best = -Infinity;
        for (let k = 0; k < xs.length; k++)
          best = Math.max(best, staying[k][i] - cost * Math.abs(xs[k] - held));
        return best;
      }),
    );
  }
  const crossing = (k: number, bound: number): number => {
    const marginal = (i: number) => (staying[k + 1][i] - staying[k][i]) / (xs[k + 1] - xs[k]);
    for (let i = 1; i < signals.length; i++) {
      const [from, to] = [marginal(i - 1), marginal(i)];
      if (to >= bound) return signals[i - 1] + ((signals[i] - signals[i - 1]) * (bound - from)) / (to - from);
    }
    return Infinity;
  };
  return {
    /** Level of the slice between two positions, and the signals at which it is bought and sold. */
    slice: (k: number) => ({
      level: (theta * (xs[k] + xs[k + 1])) / 2,
      enter: crossing(k, cost),
      leave: crossing(k, -cost),
    }),
  };
}

describe('the region of no trade', () => {
  it.each([
    { persistence: 0.9, cost: 3, theta: 1 },
    { persistence: 0.7, cost: 1, theta: 2 },
    { persistence: 0.95, cost: 8, theta: 0.5 },
  ])('agrees with a dynamic programme over positions and signals: %o', ({ persistence, cost, theta }) => {
    const deviation = 2e-4;
    const programme = dynamicProgramme(persistence, cost, theta);
    const region = noTradeRegion({ persistence, deviation }, cost * deviation);
    for (const k of [0, 4, 9]) {
      const { level, enter, leave } = programme.slice(k);
      const width = enter - leave;
      // The signal at which the region buys up to this level, found by bisection.
      const found = (reach: (f: number) => number) => {
        let [low, high] = [-6, 6];
        for (let i = 0; i < 60; i++) {
          const middle = (low + high) / 2;
          if (reach(middle * deviation) / deviation >= level) high = middle;
          else low = middle;
        }
        return high;
      };
      expect(Math.abs(found(region.buyUpTo) - enter) / width).toBeLessThan(0.02);
      expect(Math.abs(found(region.sellDownTo) - leave) / width).toBeLessThan(0.02);
    }
  });

  it('without costs is the frictionless position', () => {
    const region = noTradeRegion({ persistence: 0.8, deviation: 1e-3 }, 0);
    expect(region.buyUpTo(7e-4)).toBeCloseTo(7e-4, 10);
    expect(region.sellDownTo(7e-4)).toBeCloseTo(7e-4, 10);
  });

  it('a signal that never moves is never traded', () => {
    const region = noTradeRegion({ persistence: 0.8, deviation: 0 }, 1e-3);
    expect(region.buyUpTo(1)).toBe(-Infinity);
    expect(region.sellDownTo(1)).toBe(Infinity);
  });

  it('a cost that no signal pays leaves every position as it is', () => {
    const region = noTradeRegion({ persistence: 0.1, deviation: 1e-5 }, 1.5e-3);
    // A long slice is never bought; a deep short may still be reduced.
    expect(region.buyUpTo(6e-5)).toBeLessThan(0);
    expect(region.sellDownTo(-6e-5)).toBeGreaterThan(0);
  });

  it.each([
    { persistence: 0, cost: 8, opensAt: 8 },
    { persistence: 0.2, cost: 7, opensAt: 5.6 },
    { persistence: 0.2, cost: 20, opensAt: Infinity },
    { persistence: 0, cost: 20, opensAt: Infinity },
  ])('a slice that will all but never be sold opens at its cost over its life: %o', (one) => {
    // D(f) = f + persistence f + persistence^2 f + ..., bought where that reaches the cost; a table ends at 10 deviations.
    const { persistence, cost } = one;
    const region = noTradeRegion({ persistence, deviation: 1 }, cost);
    if (one.opensAt === Infinity) expect(region.opensAt).toBe(Infinity);
    else expect(region.opensAt).toBeCloseTo(cost * (1 - persistence), 5);
  });
});
