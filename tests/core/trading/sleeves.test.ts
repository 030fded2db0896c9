import fc from 'fast-check';
import { expect, it } from 'vitest';
import { equity } from '../../../src/core/trading/portfolio.ts';
import { runBacktest } from '../../../src/core/trading/run.ts';
import { attribute, walletTarget } from '../../../src/core/trading/sleeves.ts';
import { anyAmount, type Bar, freeRules, marketOf } from './market-of.ts';
import { scenario } from './random-market.ts';

it('a wallet wants the sum of its sleeves by share, each by its last opinion', () => {
  const target = walletTarget(
    [Float64Array.from([1, NaN, NaN, 0, NaN]), Float64Array.from([NaN, -1, NaN, NaN, 0.5])],
    [0.6, 0.4],
  );
  expect(Array.from(target)).toEqual([0.6, 0.6 - 0.4, NaN, -0.4, 0.2]);
});

it('sleeves cannot share more than there is', () => {
  expect(() => walletTarget([new Float64Array(1), new Float64Array(1)], [0.6, 0.5])).toThrow('one capital');
});

it('each sleeve is given what prices did to its own wants, by hand', () => {
  const bars: readonly Bar[] = [
    [100, 100, 100, 100],
    [100, 110, 100, 110],
    [110, 121, 110, 121],
    [121, 121, 121, 121],
  ];
  const market = marketOf(bars);
  const early = [Float64Array.from([1, 0, NaN, NaN])];
  const late = [Float64Array.from([NaN, 1, 0, NaN])];
  const targets = [walletTarget([early[0], late[0]], [0.5, 0.25])];
  const rules = freeRules({ rebalanceBandPct: 0 });
  const run = runBacktest({ market, targets, instruments: [anyAmount()], rules });
  // Half of 10 000 gains 10 % on the second bar, a quarter of 10 500 gains 10 % on the third.
  expect(run.equity[3]).toBeCloseTo(10_762.5, 6);
  const { sleeves, otherQuote } = attribute(run, market, [
    { name: 'early', share: 0.5, targets: early },
    { name: 'late', share: 0.25, targets: late },
  ]);
  expect(sleeves[0].grossQuote).toBeCloseTo(500, 6);
  expect(sleeves[1].grossQuote).toBeCloseTo(262.5, 6);
  expect(otherQuote).toBeCloseTo(0, 6);
});

it('costs go by what each sleeve turned over, and the parts add up to the profit of the wallet whatever happens', () => {
  fc.assert(
    fc.property(scenario, (drawn) => {
      const given = { ...drawn, rules: { ...drawn.rules, account: undefined } };
      const market = marketOf(...given.bars);
      const other = given.targets.map((column) => column.toReversed());
      const targets = given.targets.map((column, s) => walletTarget([column, other[s]], [0.7, 0.3]));
      const run = runBacktest({ ...given, market, targets, orders: undefined });
      const { sleeves, otherQuote } = attribute(run, market, [
        { name: 'a', share: 0.7, targets: given.targets },
        { name: 'b', share: 0.3, targets: other },
      ]);
      const { portfolio } = run;
      const profit = equity(portfolio) - given.rules.initialBalance;
      const parts = sleeves.reduce((sum, one) => sum + one.grossQuote - one.costQuote, otherQuote);
      const size = sleeves.reduce(
        (sum, one) => sum + Math.abs(one.grossQuote) + one.costQuote,
        10_000 + portfolio.turnoverQuote,
      );
      expect(Math.abs(parts - profit)).toBeLessThanOrEqual(1e-9 * size);
      const costs = portfolio.feesQuote + portfolio.slippageQuote;
      const split = sleeves.reduce((sum, one) => sum + one.costQuote, 0);
      if (split !== 0) expect(Math.abs(split - costs)).toBeLessThanOrEqual(1e-9 * size);
    }),
    { numRuns: 300, seed: 15 },
  );
});
