import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { directionHead } from '../../../../src/learning/learners/deep/direction-head.ts';
import { fitPlatt, plattProbability } from '../../../../src/learning/learners/deep/platt.ts';
import { quantileHead } from '../../../../src/learning/learners/deep/quantile-head.ts';

/** `count` equal logits, of which `positives` were followed by a rise. */
const group = (logit: number, count: number, positives: number) =>
  Array.from({ length: count }, (_, i) => ({ logit, positive: i < positives }));

const fitted = (sample: readonly { readonly logit: number; readonly positive: boolean }[]) =>
  fitPlatt(
    Float32Array.from(sample, ({ logit }) => logit),
    sample.map(({ positive }) => positive),
  );

describe("Platt's scaling", () => {
  it('states the smoothed frequency of each of two logits', () => {
    const scaling = fitted([...group(1, 10, 8), ...group(-1, 10, 3)]);
    // 11 rises and 9 falls: targets 12/13 and 1/11 (Platt 1999).
    expect(plattProbability(scaling, 1)).toBeCloseTo((8 * (12 / 13) + 2 / 11) / 10, 6);
    expect(plattProbability(scaling, -1)).toBeCloseTo((3 * (12 / 13) + 7 / 11) / 10, 6);
  });

  it('falls back to the base rate when the logits point the wrong way', () => {
    const scaling = fitted([...group(1, 10, 2), ...group(-1, 10, 8)]);
    expect(scaling.slope).toBe(0);
    expect(plattProbability(scaling, 5)).toBeCloseTo(0.5, 12);
  });
});

describe('the direction head', () => {
  const head = directionHead({ horizonBars: 4, buyAbove: 0.65, sellBelow: 0.35, minimumConfidence: 0.7 });
  const logit = (p: number): number => Math.log(p / (1 - p));

  it.each([
    [0.69, 0],
    [0.71, 1],
    [0.36, 0],
    [0.34, -1],
    [NaN, NaN],
  ])('at probability %d takes position %d', (probability, position) => {
    const volatility = Float64Array.of(0.01);
    const calibration = { slope: 1, offset: 0 };
    const forecast = head.forecast(Float64Array.of(logit(probability)), volatility, calibration);
    expect(forecast.position).toEqual(Float64Array.of(position));
    const rounded = (value: number): number => Math.round(value * 1e9) / 1e9;
    expect(rounded(forecast.confidence[0])).toBe(rounded(Math.abs(2 * probability - 1)));
  });
});

describe('the quantile head', () => {
  const rule = { horizonsBars: [4], decisionBars: 4, thresholdPct: 2, minimumConfidence: 0.6 };
  const head = quantileHead(rule);
  /** What softplus turns into the 90 % quantile of the standard normal distribution. */
  const NORMAL = Math.log(Math.expm1(1.2815515655446004));

  it('reads a normal distribution off its quantiles', () => {
    const outputs = Float64Array.of(NORMAL, 0.5, NORMAL);
    const { probabilityUp, expectedReturn, quantiles } = head.forecast(outputs, Float64Array.of(0.01), {});
    // P(N(0.5, 1) > 0) = 0.69146; over 4 bars a scaled return counts 0.01 x 2.
    expect(probabilityUp?.[0]).toBeCloseTo(0.6914624612740131, 10);
    expect(expectedReturn?.[0]).toBeCloseTo(0.01, 12);
    expect(quantiles?.columns[0][0]).toBeCloseTo((0.5 - 1.2815515655446004) * 0.02, 12);
  });

  it.each([
    ['a median above the threshold that is likely to be right', 0.5, 0.05, 1],
    ['the same for a fall', -0.5, 0.05, -1],
    ['a median below the threshold', 0.5, 0.01, 0],
    ['a median that is hardly more likely right than wrong', 0.2, 0.2, 0],
    ['missing inputs', NaN, 0.05, NaN],
  ])('answers %s with a position', (_, median, volatility, position) => {
    const forecast = head.forecast(Float64Array.of(NORMAL, median, NORMAL), Float64Array.of(volatility), {});
    expect(forecast.position).toEqual(Float64Array.of(position));
  });

  it('never crosses quantiles, whatever the network says', () => {
    const output = fc.double({ min: -50, max: 50, noNaN: true });
    fc.assert(
      fc.property(output, output, output, (low, median, high) => {
        const { quantiles } = head.forecast(Float64Array.of(low, median, high), Float64Array.of(0.01), {});
        const [below, middle, above] = quantiles?.columns ?? [];
        expect(below[0]).toBeLessThanOrEqual(middle[0]);
        expect(middle[0]).toBeLessThanOrEqual(above[0]);
      }),
    );
  });
});
