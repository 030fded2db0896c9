import { describe, expect, it } from 'vitest';
import { fitScaler, scaleColumn } from '../../../src/core/dataset/scaler.ts';

describe('the scaler', () => {
  const rows = Int32Array.of(0, 1, 2, 3);

  it('learns mean and sample deviation of the training rows', () => {
    const scaler = fitScaler([Float64Array.of(2, 4, 4, 6)], rows);
    expect(scaler.means).toEqual([4]);
    expect(scaler.deviations[0]).toBeCloseTo(Math.sqrt(8 / 3), 15);
    const scaled = scaleColumn(scaler, 0, Float64Array.of(4, 4 + Math.sqrt(8 / 3)));
    expect(scaled[0]).toBe(0);
    expect(scaled[1]).toBeCloseTo(1, 15);
  });

  it('never looks at rows outside the training rows', () => {
    const before = fitScaler([Float64Array.of(1, 2, 3, 4, 5)], rows);
    const after = fitScaler([Float64Array.of(1, 2, 3, 4, 1e9)], rows);
    expect(after).toEqual(before);
  });

  it('skips cells without a value, and leaves a constant column at zero', () => {
    const scaler = fitScaler([Float64Array.of(NaN, 1, NaN, 3), Float64Array.of(7, 7, 7, 7)], rows);
    expect(scaler.means).toEqual([2, 7]);
    expect([...scaleColumn(scaler, 1, Float64Array.of(7, NaN))]).toEqual([0, NaN]);
  });

  it('limits outliers to the clip', () => {
    const scaler = fitScaler([Float64Array.of(-1, 1, -1, 1)], rows);
    expect([...scaleColumn(scaler, 0, Float64Array.of(1e9, -1e9), 3)]).toEqual([3, -3]);
  });
});
