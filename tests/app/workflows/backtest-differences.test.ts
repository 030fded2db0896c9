import { expect, test } from 'vitest';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';
import {
  differences,
  earningDifference,
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

test('what one backtest earned more than another has an interval, and none where the bars differ', () => {
  const random = createRandom(3);
  const curve = (drift: number, from = 0): string => {
    let equity = 100;
    const rows = Array.from({ length: 800 }, (_, t) => {
      equity *= 1 + (t === 0 ? 0 : drift + 0.001 * normal(random));
      return `${from + t},${equity},1,0`;
    });
    return ['time,ensemble,benchmark,exposure', ...rows].join('\n');
  };
  const [flat, rising] = [curve(0), curve(0.002)];
  // 0.002 a bar, 8760 hours a year.
  const more = earningDifference([flat, rising], '1h');
  expect(more?.bars).toBe(799);
  expect(more?.returnPctPerYear).toBeCloseTo(1752, -2);
  expect(more?.returnInterval?.low).toBeGreaterThan(1600);
  expect(more?.returnInterval?.high).toBeLessThan(1900);
  expect(more?.sharpeInterval?.low).toBeGreaterThan(0);
  expect(earningDifference([rising, flat], '1h')?.returnPctPerYear).toBe(-(more?.returnPctPerYear ?? 0));
  const same = earningDifference([flat, curve(0)], '1h');
  expect(same?.returnInterval?.low).toBeLessThan(0);
  expect(same?.returnInterval?.high).toBeGreaterThan(0);
  expect(earningDifference([flat, curve(0, 1)], '1h')).toBeUndefined();
});
