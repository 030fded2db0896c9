import { describe, expect, it } from 'vitest';
import {
  bootstrapIntervals,
  bootstrapMean,
  bootstrapSharpe,
} from '../../../src/core/evaluation/bootstrap.ts';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';

describe('a strategy that hardly ever traded', () => {
  const returns = new Float64Array(500);
  returns[100] = 0.01;
  returns[300] = -0.004;

  it('has no interval: most resamples never saw it trade', () => {
    const found = bootstrapIntervals(returns, createRandom(1));
    expect(found?.barSharpe).toBeUndefined();
    expect(found?.totalReturn).toBeUndefined();
    expect(bootstrapSharpe(returns, createRandom(1))).toBeUndefined();
    expect(bootstrapMean(returns, createRandom(1))).toBeUndefined();
  });

  it('has no endless interval either, wherever its one trade lies', () => {
    const random = createRandom(5);
    for (let k = 0; k < 40; k++) {
      const once = new Float64Array(1500);
      const at = Math.floor(1400 * random());
      for (let i = at; i < at + 1 + 60 * random(); i++) once[i] = 0.01 * (random() - 0.5);
      const found = bootstrapIntervals(once, createRandom(k))?.totalReturn ?? { low: 0, high: 0 };
      expect(found.high - found.low, `trade ${k} at ${at}`).toBeLessThan(10);
    }
  });

  it('unlike one that always does, or a series that never varies', () => {
    const random = createRandom(2);
    const busy = returns.map(() => 0.01 * normal(random));
    const { low, high } = bootstrapSharpe(busy, createRandom(1)) ?? { low: NaN, high: NaN };
    expect(low).toBeLessThan(high);
    expect(bootstrapMean(new Float64Array(50).fill(2), createRandom(1))).toEqual({ low: 2, high: 2 });
  });
});
