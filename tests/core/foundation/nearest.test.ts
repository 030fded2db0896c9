import { expect, it } from 'vitest';
import { nearest, suggest } from '../../../src/core/foundation/nearest.ts';

it.each([
  ['binanc', ['kraken', 'binance'], 'binance'],
  // Neither side's case counts.
  ['CRYPTO_TRADER_FEEBPS', ['CRYPTO_TRADER_SEED', 'CRYPTO_TRADER_FEE_BPS'], 'CRYPTO_TRADER_FEE_BPS'],
  ['btc/usd', ['ETH/BTC', 'BTC/USDT'], 'BTC/USDT'],
  ['zzzzzz', ['kraken', 'binance'], undefined],
  ['x', [], undefined],
])('%s is nearest to ...', (text, known, expected) => {
  expect(nearest(text, known)).toBe(expected);
});

it('lists what is known, unless that is too much to read and one is near', () => {
  expect(suggest('lin', ['line', 'bar'])).toBe('Did you mean "line"? Known: line, bar.');
  expect(suggest('zzzzzz', ['line', 'bar'])).toBe('Known: line, bar.');
  const many = Array.from({ length: 40 }, (_, i) => `exchange${i}`);
  expect(suggest('exchnge7', many)).toBe('Did you mean "exchange7"?');
});
