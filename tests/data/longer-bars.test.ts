import { expect, it } from 'vitest';
import { parseBarLength } from '../../src/core/market/bar-length.ts';
import { longerBars } from '../../src/data/export.ts';
import { walk } from '../support/candles.ts';

const MONDAY = Date.UTC(2024, 0, 1);
const days = walk(20, { startMs: MONDAY, timeframe: '1d' });

it('are exported closed only: two of the weeks of twenty days', () => {
  expect([...longerBars(days, '1d', '1w').time]).toEqual([MONDAY, Date.UTC(2024, 0, 8)]);
});

it('that the stored ones do not make up are refused', () => {
  expect(() => longerBars(days, '1d', '4h')).toThrow('Bars of 4h are not made of whole 1d bars.');
});

it('of which none is complete are refused, not written as an empty file', () => {
  expect(() => longerBars(days, '1d', '1M')).toThrow('No bar of 1M is complete in the stored 1d bars');
});

it('of an unknown length are answered with those there are', () => {
  expect(() => parseBarLength('1m ')).toThrow('Unknown bar length "1m ".');
  expect(parseBarLength('1M')).toBe('1M');
});
