import { describe, expect, it } from 'vitest';
import { forecastEnsemble } from '../../../src/learning/ensemble/equal-weight.ts';
import type { Forecast } from '../../../src/core/forecast/model.ts';

const forecast = (position: number[], confidence: number[], more: Partial<Forecast> = {}): Forecast => ({
  symbol: 'BTC/USDT',
  horizonBars: 1,
  position: Float64Array.from(position),
  confidence: Float64Array.from(confidence),
  ...more,
});

describe('the equal-weight ensemble', () => {
  it('takes the mean position of the members that have an opinion', () => {
    const combined = forecastEnsemble([
      forecast([1, 1, NaN, NaN], [0.5, 0.5, NaN, NaN]),
      forecast([-0.5, NaN, 0.25, NaN], [0.5, NaN, 0.5, NaN]),
    ]);
    expect([...combined.position]).toEqual([0.25, 1, 0.25, NaN]);
    expect([...combined.confidence]).toEqual([0, 0.5, 0.5, NaN]);
  });

  it('states an expected return only when its members mean the same horizon', () => {
    const stated = (value: number) => ({ expectedReturn: Float64Array.of(value) });
    const alike = [forecast([1], [1], stated(0.02)), forecast([1], [1]), forecast([1], [1], stated(0.04))];
    expect(forecastEnsemble(alike).expectedReturn?.[0]).toBeCloseTo(0.03, 15);
    const silent = forecast([1], [1], { horizonBars: 24 });
    expect(forecastEnsemble([...alike, silent]).expectedReturn?.[0]).toBeCloseTo(0.03, 15);
    expect(forecastEnsemble([...alike, silent]).horizonBars).toBe(1);
    const unlike = [...alike, forecast([1], [1], { ...stated(0.1), horizonBars: 24 })];
    expect(forecastEnsemble(unlike).expectedReturn).toBeUndefined();
    expect(forecastEnsemble([...unlike, silent, silent]).horizonBars).toBe(1);
    expect(forecastEnsemble([...unlike, silent, silent, silent]).horizonBars).toBe(24);
  });

  it('refuses members of different symbols', () => {
    const other = forecast([1], [1], { symbol: 'ETH/USDT' });
    expect(() => forecastEnsemble([forecast([1], [1]), other])).toThrow(/same bars of the same symbol/);
  });
});
