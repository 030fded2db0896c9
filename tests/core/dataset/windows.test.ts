import { describe, expect, it } from 'vitest';
import { windowEnds } from '../../../src/core/dataset/windows.ts';
import { HOUR } from './series.ts';

describe('windows', () => {
  const hours = (...list: number[]) => Float64Array.from(list, (hour) => hour * HOUR);

  it('end where the whole look-back is there, without a missing bar or value', () => {
    const complete = [Float64Array.of(1, 2, 3, 4, 5, 6)];
    expect([...windowEnds(hours(0, 1, 2, 3, 4, 5), complete, '1h', { lookBack: 3 })]).toEqual([2, 3, 4, 5]);
    expect([...windowEnds(hours(0, 1, 2, 4, 5, 6), complete, '1h', { lookBack: 3 })]).toEqual([2, 5]);
    expect([
      ...windowEnds(hours(0, 1, 2, 3, 4, 5), [Float64Array.of(1, NaN, 3, 4, 5, 6)], '1h', { lookBack: 3 }),
    ]).toEqual([4, 5]);
    expect([...windowEnds(hours(0, 1, 2, 3, 4, 5), complete, '1h', { lookBack: 3, from: 1 })]).toEqual([
      3, 4, 5,
    ]);
  });
});
