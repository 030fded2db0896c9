import { expect, test } from 'vitest';
import { keyWords, settingWords, valueWords } from '../../../src/app/report/words.ts';

test.each([
  ['maxDrawdownPct', 'Max drawdown, %'],
  ['cagrPct', 'CAGR, %'],
  ['feeBps', 'Fee, bp'],
  ['sharpe', 'Sharpe'],
  ['valueAtRisk95Pct', 'Value at risk 95, %'],
  ['averageTradeHours', 'Average trade, hours'],
  ['expectancyQuote', 'Expectancy, quote currency'],
])('the key %s is said "%s"', (key, words) => expect(keyWords(key)).toBe(words));

test.each([
  [undefined, 'none'],
  [null, 'none'],
  [true, 'yes'],
  [1e-5, '0.00001'],
  [100 / 3, '33.3333'],
  [[], 'none'],
  [['a', 2], 'a, 2'],
  [{ distancePct: 2, from: 'close' }, 'Distance, %: 2; From: close'],
])('the value %j is said "%s"', (value, words) => expect(valueWords(value)).toBe(words));

test('a span of time is said in hours', () => {
  expect(settingWords('delistedAfterMs', 172_800_000)).toEqual(['Delisted after, hours', '48']);
  expect(settingWords('feeBps', 100 / 3)).toEqual(['Fee, bp', '33.3333']);
});
