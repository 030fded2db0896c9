import { describe, expect, it } from 'vitest';
import { spread, spreadText } from '../../../src/core/evaluation/spread.ts';

describe('figures of several seeds', () => {
  it.each([
    [[1, 2, 6], { mean: 3, deviation: Math.sqrt(7) }, '3.0 +- 2.6'],
    [[5], { mean: 5 }, '5.0'],
    [[5, undefined], undefined, '-'],
    [[], undefined, '-'],
  ])('%j', (values, expected, text) => {
    expect(spread(values)).toEqual(expected);
    expect(spreadText(spread(values), 1)).toBe(text);
  });
});
