import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';
import { bootstrapIntervals } from '../../../src/core/evaluation/bootstrap.ts';
import { drawdowns, underwater } from '../../../src/core/evaluation/drawdown.ts';
import { CONVENTIONS, measure } from '../../../src/core/evaluation/metrics.ts';
import {
  annualGrowth,
  barReturns,
  downsideRisk,
  regressOn,
  sharpe,
  sortino,
  volatility,
} from '../../../src/core/evaluation/returns.ts';
import {
  deflatedSharpe,
  expectedBestSharpe,
  minimumTrackRecord,
  probabilisticSharpe,
  sharpeSample,
} from '../../../src/core/evaluation/sharpe-test.ts';
import { normalCdf, normalQuantile, shape } from '../../../src/core/evaluation/statistics.ts';
import { tradeMetrics } from '../../../src/core/evaluation/trade-metrics.ts';
import type { Trade } from '../../../src/core/trading/events.ts';

/** empyrical's `mixed_returns` in its test suite; its published values leave the leading NaN out of the mean. */
const mixed = Float64Array.from([1, 10, -4, 2, 3, 2, 1, -10], (percent) => percent / 100);
const TRADING_DAYS = 252;

describe('return statistics equal those published with empyrical', () => {
  test('Sharpe, Sortino, volatility and downside risk', () => {
    expect(sharpe(mixed, TRADING_DAYS)).toBeCloseTo(1.7238613961706866, 12);
    expect(sortino(mixed, TRADING_DAYS)).toBeCloseTo(2.605531251673693, 12);
    expect(volatility(mixed, TRADING_DAYS)).toBeCloseTo(0.9136465399704637, 12);
    expect(downsideRisk(mixed, TRADING_DAYS)).toBeCloseTo(0.6044832503882965, 12);
  });

  test('annual return, drawdown and Calmar, where the leading NaN counts as a period', () => {
    const growth = mixed.reduce((product, r) => product * (1 + r), 1);
    const annual = annualGrowth(growth, 9, TRADING_DAYS);
    expect(annual).toBeCloseTo(1.9135925373194231, 12);
    let worth = 1;
    const equity = mixed.map((r) => (worth *= 1 + r));
    const [first, second] = drawdowns(equity, 1);
    expect(first.depth).toBeCloseTo(-0.04, 12);
    expect(second.depth).toBeCloseTo(-0.1, 12);
    expect((annual ?? NaN) / 0.1).toBeCloseTo(19.135925373194233, 11);
  });
});

describe('tests of a Sharpe ratio equal the values of their papers', () => {
  test('probabilistic: hedge fund of Bailey & Lopez de Prado 2012', () => {
    const sample = { sharpe: 1.585 / Math.sqrt(12), bars: 24, skew: -2.448, kurtosis: 10.164 };
    expect(probabilisticSharpe(sample)).toBeCloseTo(0.913234307, 9);
  });

  test('deflated: 46 and 100 trials of Bailey & Lopez de Prado 2014', () => {
    const sample = { sharpe: 2.5 / Math.sqrt(250), bars: 1250, skew: -3, kurtosis: 10 };
    const variance = 0.5 / 250;
    expect(deflatedSharpe(sample, { count: 46, variance })).toBeCloseTo(0.950501707, 8);
    expect(deflatedSharpe(sample, { count: 100, variance })).toBeCloseTo(0.900396834, 8);
  });

  test('after the minimum track record the probabilistic Sharpe ratio is exactly the confidence', () => {
    const sample = { sharpe: 0.05, bars: 400, skew: -0.5, kurtosis: 6 };
    const bars = minimumTrackRecord(sample, 0.95);
    expect(probabilisticSharpe({ ...sample, bars: bars ?? NaN })).toBeCloseTo(0.95, 10);
    expect(minimumTrackRecord({ ...sample, sharpe: -0.01 })).toBeUndefined();
  });

  test('one trial is not deflated', () => {
    expect(expectedBestSharpe(1, 0.1)).toBe(0);
  });
});

test.each([
  // Abramowitz & Stegun, table 26.1.
  [0, 0.5],
  [1, 0.841344746068543],
  [1.96, 0.97500210485178],
  [3.5, 0.999767370920964],
  [-5, 2.86651571879194e-7],
])('the normal distribution function at %d is %d', (x, probability) => {
  expect(normalCdf(x)).toBeCloseTo(probability, 14);
});

test('the normal quantile undoes the distribution function', () => {
  fc.assert(
    fc.property(fc.double({ min: -7, max: 5, noNaN: true }), (x) => {
      expect(normalQuantile(normalCdf(x))).toBeCloseTo(x, 8);
    }),
  );
});

describe('what is not defined is undefined, never zero', () => {
  const flat = new Float64Array(50);
  const run = {
    initialBalance: 1,
    equity: flat.map(() => 1),
    exposure: flat,
    trades: [],
    turnoverQuote: 0,
    ruined: false,
    hasEvidence: true,
  };
  const metrics = measure(run, 8760, undefined);

  test('ratios of a curve that never moves', () => {
    expect(metrics.sharpe).toBeUndefined();
    expect(metrics.sortino).toBeUndefined();
    expect(metrics.calmar).toBeUndefined();
    expect(metrics.skew).toBeUndefined();
    expect(metrics.totalReturnPct).toBe(0);
    expect(sharpeSample(flat)).toBeUndefined();
    expect(drawdowns(Float64Array.of(1, 2, 2, 3), 1)).toEqual([]);
  });

  test('the sample behind a Sharpe ratio of 1 % and 3 %, by hand', () => {
    // Mean 2 %, sample deviation sqrt(2) %; standardised by the population both are one: skew 0, kurtosis 1.
    const sample = sharpeSample(Float64Array.of(0.01, 0.03));
    expect(sample?.sharpe).toBeCloseTo(Math.SQRT2, 12);
    expect(sample?.bars).toBe(2);
    expect(sample?.skew).toBeCloseTo(0, 12);
    expect(sample?.kurtosis).toBeCloseTo(1, 12);
  });

  test('all ratios after ruin, and on bars that say nothing', () => {
    const moving = { ...run, equity: Float64Array.from(flat, (_, i) => 1 + 0.1 * Math.sin(i)) };
    expect(measure(moving, 8760, undefined).sharpe).toBeDefined();
    const ended = { ...moving, equity: moving.equity.map((worth, i) => (i < 40 ? worth : 0)), ruined: true };
    const none = [
      measure(ended, 8760, undefined),
      measure({ ...moving, hasEvidence: false }, 8760, undefined),
    ];
    for (const { sharpe, sortino, calmar, omega, cagrPct, turnoverPerYear, skew, kellyPct } of none)
      expect([sharpe, sortino, calmar, omega, cagrPct, turnoverPerYear, skew, kellyPct]).toEqual(
        Array.from({ length: 8 }, () => undefined),
      );
    expect(none[0].totalReturnPct).toBe(-100);
    expect(none[0].maxDrawdownPct).toBe(-100);
  });

  test('figures of trades without a trade', () => {
    const { tradeCount, longestWinStreak, longestLossStreak, ...others } = tradeMetrics([]);
    expect([tradeCount, longestWinStreak, longestLossStreak]).toEqual([0, 0, 0]);
    for (const value of Object.values(others)) expect(value).toBeUndefined();
  });

  test('every figure has its convention', () => {
    expect(Object.keys(CONVENTIONS).sort()).toEqual(Object.keys(metrics).sort());
  });
});

describe('trades of +30, -10, +20, -20, -5', () => {
  const trade = (profitQuote: number, i: number): Trade => ({
    kind: 'trade',
    symbol: 'BTC/USDT',
    side: 'long',
    entryTime: i * 3_600_000,
    exitTime: (i + 2) * 3_600_000,
    barsHeld: 2,
    entryPrice: 100,
    exitPrice: 100 + profitQuote,
    baseAmount: 1,
    feeQuote: 0,
    profitQuote,
    profitPct: profitQuote,
    exit: 'target',
  });
  const metrics = tradeMetrics([30, -10, 20, -20, -5].map(trade));

  test('by hand', () => {
    expect(metrics.winRatePct).toBe(40);
    expect(metrics.profitFactor).toBeCloseTo(50 / 35, 12);
    expect(metrics.expectancyQuote).toBe(3);
    expect(metrics.payoffRatio).toBeCloseTo(25 / (35 / 3), 12);
    // Deviations 27, -13, 17, -23, -8 of the mean 3: sum of squares 1780.
    expect(metrics.systemQualityNumber).toBeCloseTo((Math.sqrt(5) * 3) / Math.sqrt(1780 / 4), 12);
    expect(metrics.kellyPct).toBeCloseTo(100 * (0.4 - 0.6 / (75 / 35)), 12);
    expect([metrics.bestTradePct, metrics.worstTradePct]).toEqual([30, -20]);
    expect([metrics.longestWinStreak, metrics.longestLossStreak]).toEqual([1, 2]);
    expect(metrics.averageTradeHours).toBe(2);
  });

  test('the only trade is the best and the worst', () => {
    const { bestTradePct, worstTradePct, systemQualityNumber } = tradeMetrics([trade(-10, 0)]);
    expect([bestTradePct, worstTradePct, systemQualityNumber]).toEqual([-10, -10, undefined]);
  });
});

describe('equity 100, 120, 90, 110, 130, 117 from 100', () => {
  const equity = Float64Array.of(100, 120, 90, 110, 130, 117);

  test('falls 25 % over three bars and 10 % to the end', () => {
    expect(drawdowns(equity, 100)).toEqual([
      { depth: 90 / 120 - 1, bars: 3 },
      { depth: 117 / 130 - 1, bars: 1 },
    ]);
    expect(Array.from(underwater(equity, 100))).toEqual([0, 0, -0.25, 110 / 120 - 1, 0, 117 / 130 - 1]);
  });

  test('its returns start from the capital', () => {
    expect(Array.from(barReturns(equity, 80))[0]).toBe(0.25);
  });

  test('twice the benchmark has beta 2 and no alpha', () => {
    const benchmark = barReturns(equity, 100);
    const fit = regressOn(
      benchmark,
      benchmark.map((r) => 2 * r),
      365,
    );
    expect(fit?.beta).toBeCloseTo(2, 12);
    expect(fit?.alpha).toBeCloseTo(0, 10);
  });
});

test('the moments of 1, 2, 3, 10 by hand', () => {
  // Mean 4, deviations -3, -2, -1, 6: powers sum to 50, 180, 1394.
  const moments = shape(Float64Array.of(1, 2, 3, 10));
  expect(moments?.skew).toBeCloseTo(45 / 12.5 ** 1.5, 12);
  expect(moments?.kurtosis).toBeCloseTo(348.5 / 12.5 ** 2, 12);
});

describe('the stationary bootstrap', () => {
  const returns = (drift: number): Float64Array => {
    const random = createRandom(5);
    return Float64Array.from({ length: 2000 }, () => drift + 0.01 * normal(random));
  };

  test('draws the same interval from the same seed', () => {
    const draw = (seed: number) => bootstrapIntervals(returns(0), createRandom(seed), { resamples: 200 });
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  test('puts zero outside only when there is an edge', () => {
    const edge = bootstrapIntervals(returns(0.002), createRandom(1));
    const none = bootstrapIntervals(returns(0), createRandom(1));
    expect(edge?.barSharpe?.low).toBeGreaterThan(0);
    expect(none?.barSharpe?.low).toBeLessThan(0);
    expect(none?.barSharpe?.high).toBeGreaterThan(0);
  });

  test('is as wide as theory says for independent returns: 2 x 1.96 / sqrt(n)', () => {
    const { barSharpe } = bootstrapIntervals(returns(0), createRandom(3), { resamples: 4000 }) ?? {};
    const width = (barSharpe?.high ?? NaN) - (barSharpe?.low ?? NaN);
    expect(width / (3.92 / Math.sqrt(2000))).toBeGreaterThan(0.85);
    expect(width / (3.92 / Math.sqrt(2000))).toBeLessThan(1.15);
  });

  test('says nothing about fewer than 20 returns', () => {
    expect(bootstrapIntervals(new Float64Array(19), createRandom(1))).toBeUndefined();
  });
});

test('equals QuantStats 0.0.86 on returns by a formula', () => {
  const bars = 400;
  const formula = (of: (i: number) => number): Float64Array =>
    Float64Array.from({ length: bars }, (_, i) => of(i));
  const returns = formula((i) => 0.01 * Math.sin(1 + 0.37 * i) + 0.003 * Math.cos(2.1 * i) + 0.0004);
  const benchmark = formula((i) => 0.012 * Math.sin(0.9 + 0.41 * i) + 0.0002);
  let worth = 1000;
  const run = {
    initialBalance: 1000,
    equity: returns.map((value) => (worth *= 1 + value)),
    exposure: returns.map(() => 1),
    trades: [],
    turnoverQuote: 0,
    ruined: false,
    hasEvidence: true,
  };
  const found = measure(run, 365, benchmark);
  expect(found.ulcerIndexPct).toBeCloseTo(3.0135242727566035, 9);
  expect(found.ulcerPerformance).toBeCloseTo(6.53588815605855, 9);
  expect(found.recoveryFactor).toBeCloseTo(3.6268977382817207, 9);
  expect(found.gainToPain).toBeCloseTo(0.15771233995537257, 9);
  expect(found.smartSharpe).toBeCloseTo(0.3972175458238621, 9);
  expect(found.informationRatio).toBeCloseTo(0.02110989300330924 * Math.sqrt(365), 9);
  expect(found.expectedShortfall95Pct).toBeCloseTo(-1.1738350318999186, 9);
  expect(found.serenityIndex).toBeCloseTo(0.7571128897488383, 9);
  expect(found.treynor).toBeCloseTo(102.56664160704148, 7);
  // empyrical-reloaded 0.7.1 (up_capture, down_capture) and pandas have years of 252 bars.
  const shorter = measure(run, 252, benchmark);
  expect(shorter.upCapturePct).toBeCloseTo(1.7648678286042142, 9);
  expect(shorter.downCapturePct).toBeCloseTo(-15.8989201808723, 9);
  expect(shorter.trackingErrorPct).toBeCloseTo(17.87365727640154, 9);
});
