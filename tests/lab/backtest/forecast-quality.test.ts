import { describe, expect, test } from 'vitest';
import { forwardReturns } from '../../../src/core/dataset/labels.ts';
import { dieboldMariano } from '../../../src/core/evaluation/forecast-comparison.ts';
import { finish } from '../../../src/core/foundation/steps.ts';
import { createRandom } from '../../../src/core/foundation/random.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { backtest } from '../../../src/lab/backtest/backtest.ts';
import { forecastQualitySteps } from '../../../src/lab/backtest/forecast-quality.ts';
import {
  COVERAGE_HEAD,
  coverageRows,
  forecastLines,
  forecastRow,
} from '../../../src/lab/backtest/forecast-text.ts';
import { verdicts } from '../../../src/lab/backtest/verdicts.ts';
import { forecastsOf, HOUR_MS, randomPanel } from './panel-of.ts';

const quality = (...given: Parameters<typeof forecastQualitySteps>) => finish(forecastQualitySteps(...given));
const BARS = 1500;
const panel = randomPanel(BARS, 31);
const range = { fromMs: 0, untilMs: BARS * HOUR_MS };
const labels = panel.series.map(({ candles }) => forwardReturns(candles, '1h', 1));
const random = createRandom(5);
/** Right 80 % of the time, and says so. */
const seer = panel.series.map(({ symbol }, s) => {
  const probabilityUp = labels[s].map((outcome) => ((random() < 0.8 ? outcome : -outcome) > 0 ? 0.8 : 0.2));
  const position = probabilityUp.map((p) => Math.sign(p - 0.5));
  return { symbol, horizonBars: 1, position, confidence: position.map(Math.abs), probabilityUp };
});
/** Knows nothing, and claims to be nearly sure. */
const boaster = panel.series.map(({ symbol }) => {
  const probabilityUp = Float64Array.from({ length: BARS }, () => (random() < 0.5 ? 0.95 : 0.05));
  const position = probabilityUp.map((p) => Math.sign(p - 0.5));
  const expectedReturn = probabilityUp.map((p) => 0.001 * Math.sign(p - 0.5));
  return {
    symbol,
    horizonBars: 1,
    position,
    confidence: position.map(Math.abs),
    probabilityUp,
    expectedReturn,
  };
});

describe('the quality of forecasts', () => {
  const [good, bad] = quality(panel, range, [
    { id: 'seer', forecasts: seer },
    { id: 'boaster', forecasts: boaster },
  ]);

  test('tells one who knows from one who claims to', () => {
    expect(good.hitRatePct).toBeGreaterThan(77);
    expect(good.hitRatePct).toBeLessThan(83);
    expect(good.hitRatePct95?.[0]).toBeGreaterThan(70);
    expect(good.timing?.adjustedPValue).toBeLessThan(1e-6);
    expect(good.calibration?.brier.skill).toBeGreaterThan(0.3);
    expect(good.calibration?.ece).toBeLessThan(good.calibration?.eceWhenCalibrated ?? 0);
    expect(bad.timing?.adjustedPValue).toBeGreaterThan(0.01);
    expect(bad.calibration?.brier.skill).toBeLessThan(-0.5);
    expect(bad.calibration?.ece).toBeGreaterThan(0.4);
    expect(bad.expectedReturn?.rootMeanSquare).toBeGreaterThan(
      bad.expectedReturn?.rootMeanSquareOfZero ?? NaN,
    );
    expect(forecastLines([good, bad])[0]).toMatch(/^1 of 2 that state probabilities are worse/);
    expect(forecastLines([good, bad])[1]).toMatch(/5 %\): seer\.$/);
    expect(forecastRow(good)[0]).toBe('seer');
  });

  test('has conformal intervals that hold what they promise', () => {
    expect(bad.conformal?.coverage).toBeGreaterThan(0.87);
    expect(bad.conformal?.coverage).toBeLessThan(0.93);
    expect(good.conformal).toBeUndefined();
  });

  test('has them by the regime of the bar', () => {
    const late = (time: number) => (time < 1000 * HOUR_MS ? ('bull' as const) : ('bear' as const));
    const [one] = quality(panel, range, [{ id: 'boaster', forecasts: boaster }], late);
    const regimes = one.conformal?.regimes ?? [];
    expect(regimes.map(({ regime }) => regime)).toEqual(['bull', 'bear']);
    const intervals = regimes.reduce((sum, { intervals: count }) => sum + count, 0);
    expect(intervals).toBe(one.conformal?.intervals);
    const covered = regimes.reduce((sum, { intervals: count, coverage }) => sum + count * coverage, 0);
    expect(covered / intervals).toBeCloseTo(one.conformal?.coverage ?? NaN, 12);
    expect(coverageRows([one])[0]).toHaveLength(COVERAGE_HEAD.length);
  });

  test('tests the errors against those of stating nothing (Diebold-Mariano)', () => {
    // The seer states probabilities of .8 and is right 80 % of the time: loss .16 against .25.
    expect(good.accuracy?.of).toBe('probabilities');
    expect(good.accuracy?.statistic).toBeGreaterThan(5);
    // 10 bp in a random direction adds 1e-6 to the squared error of every bar.
    expect(bad.accuracy?.of).toBe('returns');
    expect(bad.accuracy?.statistic).toBeLessThan(0);
    const own = boaster.map(({ expectedReturn }, s) =>
      expectedReturn.map((stated, row) => (labels[s][row] - stated) ** 2),
    );
    const mean = (columns: readonly Float64Array[]) =>
      columns[0]
        .slice(0, -2)
        .map((_, row) => columns.reduce((sum, one) => sum + one[row], 0) / columns.length);
    const naive = labels.map((column) => column.map((outcome) => outcome ** 2));
    expect(bad.accuracy?.statistic).toBeCloseTo(dieboldMariano(mean(naive), mean(own))?.statistic ?? NaN, 9);
    expect(forecastLines([good, bad])[2]).toMatch(/smaller seer; larger (none|boaster)\.$/);
  });

  test('looks at no bar whose outcome lies after the range', () => {
    const early = { fromMs: 0, untilMs: 700 * HOUR_MS };
    const cut = (column: Float64Array) => column.map((value, row) => (row < 699 ? value : -value));
    const changed = seer.map((one) => ({
      ...one,
      position: cut(one.position),
      probabilityUp: one.probabilityUp.map((p, row) => (row < 699 ? p : 1 - p)),
    }));
    const [a] = quality(panel, early, [{ id: 'seer', forecasts: seer }]);
    const [b] = quality(panel, early, [{ id: 'seer', forecasts: changed }]);
    expect(b).toEqual(a);
  });
});

test('a backtest says who is better than buy and hold, and whom it cannot tell from the best', () => {
  const run = (ensemble: typeof seer) =>
    backtest({
      panel,
      range,
      ensemble,
      members: [
        { id: 'boaster', kind: 'model', forecasts: boaster },
        { id: 'held', kind: 'model', forecasts: forecastsOf(panel, () => 1) },
      ],
      instruments: panel.series.map(({ symbol }) => ({
        symbol,
        amountStep: 0,
        priceTick: 0,
        minNotional: 0,
      })),
      rules: { ...SPOT_RULES, feeBps: 1, slippageBps: 0 },
      seed: 1,
    });
  const found = run(seer);
  expect(found.superiority?.superior).toEqual(['ensemble']);
  expect(found.superiority?.confidenceSet).toEqual(['ensemble']);
  expect(found.superiority?.spaPValue).toBeLessThan(0.01);
  expect(found.superiority?.realityCheckPValue).toBeLessThan(0.01);
  const none = run(boaster.map((one) => one));
  expect(none.superiority?.superior).toEqual([]);
  expect(verdicts(none).join('\n')).toMatch(/\(StepM\): none/);
});
