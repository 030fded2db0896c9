import { expect, test } from 'vitest';
import {
  differences,
  resultDifferences,
  tradeDifferences,
} from '../../../src/app/workflows/backtest-differences.ts';

test('two values differ at their leaves, to the last digit', () => {
  const a = { fee: 10, rules: { stop: null, list: [1, 2] }, gone: true };
  const b = { fee: 10.000000000000002, rules: { stop: null, list: [1, 3, 4] }, come: 'x' };
  expect(differences(a, b)).toEqual([
    { path: 'fee', a: 10, b: 10.000000000000002 },
    { path: 'rules.list[1]', a: 2, b: 3 },
    { path: 'rules.list[2]', a: undefined, b: 4 },
    { path: 'gone', a: true, b: undefined },
    { path: 'come', a: undefined, b: 'x' },
  ]);
  expect(differences(a, structuredClone(a))).toEqual([]);
});

test('when and where it ran is no part of a result', () => {
  const result = { id: 'a', time: '1', barsPerSecond: 3, machine: { cpu: 'x' }, metrics: { sharpe: 1 } };
  expect(resultDifferences(result, { ...result, id: 'b', barsPerSecond: 4, machine: { cpu: 'y' } })).toEqual(
    [],
  );
  expect(resultDifferences(result, { ...result, metrics: { sharpe: 1.0000000000000002 } })).toHaveLength(1);
});

const trade = (symbol: string, entryTime: string, profitPct: number) => ({
  symbol,
  side: 'long',
  entryTime,
  exitTime: '9',
  profitQuote: 1,
  profitPct,
});

test('trades are the same, changed after a shared entry, or of one side only', () => {
  const found = tradeDifferences(
    [trade('A', '1', 1), trade('A', '2', 2), trade('B', '1', 3)],
    [trade('A', '1', 1), trade('A', '2', 2.5), trade('C', '1', 4)],
  );
  expect(found.same).toBe(1);
  expect(found.changed).toEqual([{ a: trade('A', '2', 2), b: trade('A', '2', 2.5) }]);
  expect(found.onlyA).toEqual([trade('B', '1', 3)]);
  expect(found.onlyB).toEqual([trade('C', '1', 4)]);
});
