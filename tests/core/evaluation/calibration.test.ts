import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { adaptiveConformal, conformalWidth } from '../../../src/core/evaluation/adaptive-conformal.ts';
import { calibration, logLoss } from '../../../src/core/evaluation/calibration.ts';
import { normalCrps, pinball, quantileScores } from '../../../src/core/evaluation/quantile-scores.ts';
import { normalQuantile } from '../../../src/core/evaluation/statistics.ts';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';

const random = createRandom(11);
const draw = (count: number, truth: (p: number) => number) => {
  const p = Float64Array.from({ length: count }, () => 0.2 + 0.6 * random());
  return { p, y: p.map((stated) => (random() < truth(stated) ? 1 : 0)) };
};

describe('the Brier score', () => {
  it('is the sum of its parts, and by hand for two groups', () => {
    // Ten rows at .25 with three ups, ten at .75 with six: squared errors by hand.
    const p = Float64Array.from({ length: 20 }, (_, i) => (i < 10 ? 0.25 : 0.75));
    const y = Float64Array.from({ length: 20 }, (_, i) => (i < 10 ? (i < 3 ? 1 : 0) : i < 16 ? 1 : 0));
    const { brier } = calibration(p, y) ?? { brier: undefined };
    expect(brier?.score).toBeCloseTo((3 * 0.5625 + 7 * 0.0625 + 6 * 0.0625 + 4 * 0.5625) / 20, 12);
    expect(brier?.uncertainty).toBeCloseTo(0.45 * 0.55, 12);
    expect(brier?.reliability).toBeCloseTo((0.05 ** 2 + 0.15 ** 2) / 2, 12);
    expect(brier?.resolution).toBeCloseTo(0.15 ** 2, 12);
    expect(brier?.within).toBeCloseTo(0, 12);
  });

  it('has no skill below the base rate', () => {
    const { p, y } = draw(4000, () => 0.5);
    expect(calibration(p, y)?.brier.skill).toBeLessThan(0);
    expect(calibration(p, y)?.logLoss).toBeGreaterThan(calibration(p, y)?.baseRateLogLoss ?? NaN);
  });
});

describe('the calibration error', () => {
  it('of true probabilities stays within what chance explains, of others not', () => {
    const honest = draw(5000, (p) => p);
    const boasting = draw(5000, (p) => 0.5 + 0.5 * (p - 0.5));
    const [right, wrong] = [calibration(honest.p, honest.y), calibration(boasting.p, boasting.y)];
    expect(right?.ece).toBeLessThan(right?.eceWhenCalibrated ?? 0);
    expect(wrong?.ece).toBeGreaterThan(2 * (wrong?.eceWhenCalibrated ?? Infinity));
    const inside = right?.bins.filter(
      ({ observed, consistent }) => observed >= consistent.low && observed <= consistent.high,
    );
    expect(inside?.length).toBeGreaterThanOrEqual(7);
    expect(right?.bins.reduce((sum, bin) => sum + bin.count, 0)).toBe(5000);
  });

  it('is not defined for a handful of rows', () => {
    expect(calibration(new Float64Array(19), new Float64Array(19))).toBeUndefined();
  });
});

it('log loss by hand', () => {
  expect(logLoss(Float64Array.of(0.8, 0.4), Float64Array.of(1, 0))).toBeCloseTo(
    -(Math.log(0.8) + Math.log(0.6)) / 2,
    12,
  );
});

describe('quantiles', () => {
  const levels = [0.1, 0.5, 0.9];

  it('cost what Koenker and Bassett say', () => {
    expect(pinball(0.9, 2, 5)).toBeCloseTo(2.7, 12);
    expect(pinball(0.9, 5, 2)).toBeCloseTo(0.3, 12);
  });

  it('of the true distribution cover their levels and fill the PIT evenly', () => {
    const outcome = Float64Array.from({ length: 20_000 }, () => normal(random));
    const columns = levels.map((level) => outcome.map(() => normalQuantile(level)));
    const scores = quantileScores(levels, columns, outcome);
    for (const { level, observed } of scores?.coverage ?? []) expect(observed).toBeCloseTo(level, 1);
    for (const { expected, observed } of scores?.pit ?? []) expect(observed).toBeCloseTo(expected, 1);
  });

  it('of many levels give the CRPS of the distribution', () => {
    const many = Array.from({ length: 199 }, (_, i) => (i + 1) / 200);
    const outcome = Float64Array.of(0.7);
    const columns = many.map((level) => Float64Array.of(normalQuantile(level)));
    expect(quantileScores(many, columns, outcome)?.crps).toBeCloseTo(normalCrps(0, 1, 0.7), 2);
    // Gneiting & Raftery: CRPS of a standard normal at 0 is sqrt(2 / pi) - 1 / sqrt(pi).
    expect(normalCrps(0, 1, 0)).toBeCloseTo(Math.sqrt(2 / Math.PI) - 1 / Math.sqrt(Math.PI), 12);
  });

  it('leave out rows with a NaN', () => {
    const columns = levels.map((level) => Float64Array.of(level, NaN, level));
    expect(quantileScores(levels, columns, Float64Array.of(0.2, 0.2, NaN))?.samples).toBe(1);
    expect(quantileScores(levels, columns, Float64Array.of(NaN, NaN, NaN))).toBeUndefined();
  });
});

describe('adaptive conformal intervals', () => {
  const { aci, split } = z
    .object({
      aci: z.object({
        by_gamma: z.record(
          z.string(),
          z.object({
            coverage: z.number(),
            coverage_after_break: z.number(),
            q_first3: z.array(z.number()),
            alpha_last: z.number(),
            n_inf: z.number(),
            bound: z.number().nullable(),
          }),
        ),
      }),
      split: z.object({ half_widths: z.array(z.number()) }),
    })
    .parse(JSON.parse(readFileSync(new URL('../../golden/evaluation.json', import.meta.url), 'utf8')));
  const y = Float64Array.from(
    { length: 400 },
    (_, t) => (Math.sin(0.3 * t) + 0.5 * Math.sin(1 + 0.37 * t)) * (t >= 200 ? 2.5 : 1),
  );
  // The first forecast, without a value before, is 0.
  const scores = y.map((value, t) => Math.abs(value - (t > 0 ? y[t - 1] : 0)));

  it.each(Object.entries(aci.by_gamma))('with rate %s equal the reference', (rate, golden) => {
    const found = adaptiveConformal(scores, { miscoverage: 0.1, rate: Number(rate), warmUp: 50 });
    expect(found.coverage).toBeCloseTo(golden.coverage, 12);
    golden.q_first3.forEach((width, i) => expect(found.widths[i]).toBeCloseTo(width, 12));
    // The reference's last level is the one of the last interval.
    expect(found.levels.at(-1)).toBeCloseTo(golden.alpha_last, 12);
    expect(found.nextLevel).toBeCloseTo(
      golden.alpha_last + Number(rate) * (0.1 - (1 - found.covered[349])),
      12,
    );
    expect(found.widths.filter((width) => width === Infinity)).toHaveLength(golden.n_inf);
    const after = found.covered.subarray(150);
    expect(after.reduce((sum, one) => sum + one, 0) / after.length).toBeCloseTo(
      golden.coverage_after_break,
      12,
    );
    if (golden.bound !== null) expect(Math.abs(found.coverage - 0.9)).toBeLessThanOrEqual(golden.bound);
  });

  it("of a fixed level have MAPIE's width", () => {
    const n = 120;
    const x = Float64Array.from({ length: n }, (_, i) => i / 119);
    const target = x.map((value, i) => 2 * value + 0.3 * Math.sin(1 + 0.37 * i));
    const mean = (column: Float64Array) => column.subarray(0, 60).reduce((sum, value) => sum + value, 0) / 60;
    const [mx, my] = [mean(x), mean(target)];
    let [product, square] = [0, 0];
    for (let i = 0; i < 60; i++) {
      product += (x[i] - mx) * (target[i] - my);
      square += (x[i] - mx) ** 2;
    }
    const slope = product / square;
    const errors = Array.from({ length: 50 }, (_, i) =>
      Math.abs(target[60 + i] - my - slope * (x[60 + i] - mx)),
    );
    const sorted = errors.sort((a, b) => a - b);
    expect(conformalWidth(sorted, 0.2)).toBeCloseTo(split.half_widths[0], 9);
    expect(conformalWidth(sorted, 0.1)).toBeCloseTo(split.half_widths[1], 9);
  });
});
