import fc from 'fast-check';
import { expect, test } from 'vitest';
import { liquiditySeries } from '../../../src/core/trading/liquidity.ts';
import { createPortfolio, equity, grossExposure } from '../../../src/core/trading/portfolio.ts';
import { runBacktest } from '../../../src/core/trading/run.ts';
import { snapshot } from '../../../src/core/trading/snapshot.ts';
import { stepBar } from '../../../src/core/trading/step.ts';
import { anyAmount, type Bar, freeRules, HOUR_MS, marketOf } from './market-of.ts';
import { type Scenario, scenario } from './random-market.ts';

/** The general loop, bar by bar. */
function general({ bars, targets, instruments, rules }: Scenario) {
  const market = marketOf(...bars);
  const portfolio = createPortfolio(instruments, rules);
  const curve: number[] = [];
  const exposure: number[] = [];
  const events = Array.from(market.time, (_, row) => {
    const seen = stepBar(portfolio, market, row, targets);
    const worth = equity(portfolio);
    curve.push(worth);
    exposure.push(worth > 0 ? grossExposure(portfolio) / worth : 0);
    return seen;
  });
  return { portfolio, curve, exposure, events: events.flat() };
}

const runs = { numRuns: Number(process.env.LAW_RUNS ?? 3000), seed: 20261129 };
const bare = { exits: undefined, account: undefined, entry: undefined, priority: undefined };
const each = (targets: readonly Float64Array[], value: (row: number) => number): readonly Float64Array[] =>
  targets.map((column) => column.map((_, row) => value(row)));

test.each([
  ['decisions now and then', (given: Scenario) => given.targets],
  ['a decision at every close', ({ targets }: Scenario) => each(targets, (row) => (row % 13 < 8 ? 1 : 0))],
  ['a target that stays', ({ targets }: Scenario) => each(targets, () => 0.7)],
])('the specialised run equals the general one bit for bit: %s', (_, targetsOf) => {
  fc.assert(
    fc.property(scenario, (drawn) => {
      const given = { ...drawn, rules: { ...drawn.rules, ...bare }, targets: targetsOf(drawn) };
      const expected = general(given);
      const market = marketOf(...given.bars);
      const { impact } = given.rules;
      // Every other run is told what trailing bars say of costs, the others find out.
      const told = impact !== undefined && market.time.length % 2 === 0;
      const liquidity = told ? market.candles.map((one) => liquiditySeries(one, impact)) : undefined;
      const run = runBacktest({
        ...given,
        market: { ...market, ...(liquidity && { liquidity }) },
        orders: undefined,
      });
      expect(Array.from(run.equity)).toEqual(expected.curve);
      expect(Array.from(run.exposure)).toEqual(expected.exposure);
      const byKind = (kind: string) => expected.events.filter((event) => event.kind === kind);
      expect(run.fills).toEqual(byKind('fill'));
      expect(run.trades).toEqual(byKind('trade'));
      expect(run.rejections).toEqual(byKind('rejected'));
      expect(JSON.stringify(snapshot(run.portfolio))).toBe(JSON.stringify(snapshot(expected.portfolio)));
      expect(run.portfolio.events).toEqual(expected.portfolio.events);
    }),
    runs,
  );
});

test('an account of less than one unit of money is sized by what it has', () => {
  const bars = Array.from({ length: 4 }, (): Bar => [100, 100, 100, 100]);
  const { fills } = runBacktest({
    market: marketOf(bars),
    targets: [Float64Array.of(1, NaN, 0.5, NaN)],
    instruments: [anyAmount()],
    rules: freeRules({ initialBalance: 0.5 }),
  });
  expect(fills.map(({ side, baseAmount, time }) => [side, baseAmount, time / HOUR_MS])).toEqual([
    ['buy', 0.005, 1],
    ['sell', 0.0025, 3],
  ]);
});
