import { describe, expect, test } from 'vitest';
import type { Forecast } from '../../../src/core/forecast/model.ts';
import { balanceWarning } from '../../../src/core/trading/balance-warning.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { type Backtest, backtest } from '../../../src/lab/backtest/backtest.ts';
import { outcomeLines, verdicts } from '../../../src/lab/backtest/verdicts.ts';
import { forecastsOf, HOUR_MS, randomPanel } from './panel-of.ts';

const panel = randomPanel(600, 3);
const instruments = (minNotional: number) =>
  panel.series.map(({ symbol }) => ({ symbol, amountStep: 0, priceTick: 0, minNotional }));
const long = forecastsOf(panel, () => 1);
const short = forecastsOf(panel, () => -1);
const flat = forecastsOf(panel, () => 0);
const reversal = forecastsOf(panel, (close, row) => (row > 0 && close[row] < close[row - 1] ? 1 : 0));
const momentum = forecastsOf(panel, (close, row) => (row > 0 && close[row] > close[row - 1] ? 1 : 0));

interface Case {
  readonly ensemble?: Forecast[];
  readonly members?: readonly Forecast[][];
  readonly panel?: typeof panel;
  readonly rules?: Partial<typeof SPOT_RULES>;
  readonly minNotional?: number;
  readonly bars?: number;
}

const run = (given: Case): Backtest =>
  backtest({
    panel: given.panel ?? panel,
    range: { fromMs: 0, untilMs: (given.bars ?? 600) * HOUR_MS },
    ensemble: given.ensemble ?? long,
    members: (given.members ?? []).map((forecasts, i) => ({ id: `m${i}`, kind: 'model', forecasts })),
    instruments: instruments(given.minNotional ?? 0),
    rules: { ...SPOT_RULES, ...given.rules },
    seed: 1,
  });

const text = (result: Backtest): string => [...outcomeLines(result), ...verdicts(result)].join('\n');

describe('a backtest in which nothing traded passes no judgement', () => {
  test.each<[string, Case, RegExp]>([
    [
      'orders below the least value',
      { minNotional: 5, rules: { initialBalance: 1 } },
      /trading\.minNotional is 5 USDT and trading\.initialBalance 1/,
    ],
    ['shorts on a spot market', { ensemble: short }, /trading\.allowShort is false/],
    ['no position ever wanted', { ensemble: flat }, /no position was ever wanted/],
    ['one bar', { bars: 1 }, /one bar is not enough.*--since/],
    ['changes within the band', { rules: { rebalanceBandPct: 100 } }, /trading\.rebalanceBandPct \(100 %/],
    ['a volume limit of nothing', { rules: { maxVolumeSharePct: 0 } }, /trading\.maxVolumeSharePct/],
  ])('%s', (_, given, why) => {
    const result = run(given);
    expect(result.ensemble.outcome.kind).toBe('never-traded');
    expect(text(result)).toMatch(why);
    expect(text(result)).toContain('Never traded');
    expect(text(result)).not.toMatch(/for free|PBO|Timing/);
    expect(result.costs).toBeUndefined();
    expect(result.ensemble.metrics.sharpe).toBeUndefined();
  });
});

test('an account that cannot pay for the smallest order is warned of before anything runs', () => {
  expect(balanceWarning(instruments(5), 1)).toMatch(/BTC\/USDT, ETH\/USDT cannot trade.*1 USDT.*5 USDT/);
  expect(balanceWarning(instruments(5), 5)).toBeUndefined();
});

describe('bars that say nothing give no ratio and no test', () => {
  test('fewer than twenty', () => {
    const result = run({ bars: 19, ensemble: reversal, members: [momentum] });
    expect(result.ensemble.outcome).toMatchObject({ kind: 'no-evidence' });
    expect(text(result)).toContain('19 bars are too few');
    expect(result.ensemble.metrics.sharpe).toBeUndefined();
    expect(result.overfitting).toBeUndefined();
  });

  test('prices that never change', () => {
    const still = {
      ...panel,
      series: panel.series.map((one) => {
        const constant = one.candles.close.map(() => 100);
        const { time, volume } = one.candles;
        const candles = { time, open: constant, high: constant, low: constant, close: constant, volume };
        return { ...one, candles };
      }),
    };
    const result = run({ panel: still, ensemble: reversal, members: [long] });
    expect(text(result)).toMatch(/no price of this range ever changed/);
    expect(text(result)).not.toMatch(/PBO|loses even/);
    expect(result.members[0].metrics.sharpe).toBeUndefined();
    expect(result.members[0].intervals).toBeUndefined();
  });
});

describe('ruin', () => {
  const squeezed = {
    ...panel,
    series: panel.series.map((one) => {
      const scale = (column: Float64Array) => column.map((price, row) => (row > 300 ? 9 * price : price));
      const { time, open, high, low, close, volume } = one.candles;
      const candles = {
        time,
        open: scale(open),
        high: scale(high),
        low: scale(low),
        close: scale(close),
        volume,
      };
      return { ...one, candles };
    }),
  };
  const result = run({
    panel: squeezed,
    ensemble: forecastsOf(squeezed, () => -1),
    rules: { allowShort: true, maxPositionPct: 50 },
  });

  test('is said with its time, returns -100 % and leaves no ratio, interval or test', () => {
    expect(text(result)).toContain('RUINED: ensemble lost all of the account in the bar of 1970-01-13 13:00');
    const { metrics, intervals, sample } = result.ensemble;
    expect(metrics).toMatchObject({ totalReturnPct: -100, maxDrawdownPct: -100 });
    expect([metrics.sharpe, metrics.cagrPct, metrics.turnoverPerYear, intervals, sample]).toEqual(
      Array.from({ length: 5 }, () => undefined),
    );
    expect(result.timing).toBeUndefined();
    const { years, months, regimes, hours } = result.breakdowns ?? expect.fail('no parts');
    for (const part of [...years, ...months, ...regimes, ...hours]) expect(part.sharpe).toBeUndefined();
    expect(Math.min(...result.ensemble.run.equity)).toBe(0);
  });
});

describe('choosing among strategies', () => {
  test('leaves out what never traded and what is the same twice, and says so', () => {
    const result = run({
      ensemble: reversal,
      members: [reversal, momentum, flat],
      rules: { feeBps: 0, slippageBps: 0 },
    });
    expect(result.overfitting).toMatchObject({ strategies: 2, neverTraded: 1, identical: 1 });
    const alone = run({ ensemble: reversal, members: [momentum], rules: { feeBps: 0, slippageBps: 0 } });
    expect(result.overfitting?.probability).toBe(alone.overfitting?.probability);
    expect(text(result)).toMatch(/without 1 that never traded and 1 identical/);
  });

  test('says nothing reassuring when every candidate loses', () => {
    const dear = { feeBps: 100 };
    const result = run({ ensemble: reversal, members: [momentum], rules: dear });
    expect(result.overfitting?.everyCandidateLost).toBe(true);
    expect(text(result)).toContain('All 2 strategies lost money');
    expect(text(result)).not.toMatch(/below-average/);
  });
});
