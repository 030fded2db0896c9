import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ActionSpace } from '../../../../src/core/environments/environment.ts';
import {
  type PolicyFigures,
  policyGradient,
  valueGradient,
} from '../../../../src/learning/models/ppo/loss.ts';

const golden = new URL('../../../golden/nn/layers.json', import.meta.url);
const NAME = 'ppo_loss_sb3_clip.2_ent.01_vf.5';
const Golden = z.object({
  [NAME]: z.object({
    loss: z.number(),
    policy: z.number(),
    value: z.number(),
    entropy: z.number(),
    approx_kl: z.number(),
    clip_fraction: z.number(),
    dlogits: z.array(z.number()),
    dval: z.array(z.number()),
  }),
});
const ROWS = 8;
const STRIDE = 4;
const THREE: ActionSpace = { kind: 'discrete', count: 3 };
const BOX: ActionSpace = { kind: 'box', size: 2, low: -1, high: 1 };

const fill = (length: number, phase: number, gain = 1): Float32Array =>
  Float32Array.from({ length }, (_, k) => gain * 0.5 * Math.sin(1 + 0.37 * k + phase));

/** `values` [ROWS, width] as a network lays its outputs out. */
function spread(values: Float32Array, width: number): Float32Array {
  const rows = new Float32Array(ROWS * STRIDE);
  for (let b = 0; b < ROWS; b++) rows.set(values.subarray(b * width, (b + 1) * width), b * STRIDE);
  return rows;
}

/** The policy's loss with its figures and gradients, for outputs [ROWS, width]. */
function policy(
  space: ActionSpace,
  given: {
    readonly outputs: Float32Array;
    readonly logStd?: Float32Array;
    readonly actions: Float32Array;
    readonly oldLogProbabilities: Float32Array;
    readonly advantages: Float32Array;
    readonly entCoef: number;
  },
) {
  const { outputs, logStd = new Float32Array(), entCoef } = given;
  const width = outputs.length / ROWS;
  const delta = new Float32Array(ROWS * STRIDE);
  const logStdGradient = new Float32Array(logStd.length);
  const figures: PolicyFigures = { policyLoss: 0, entropy: 0, approxKl: 0, clipFraction: 0 };
  const said = { said: spread(outputs, width), delta, stride: STRIDE, logStd, logStdGradient };
  policyGradient(space, { rows: ROWS, ...given }, said, { clipRange: 0.2, entCoef }, figures);
  const gradient = Array.from(outputs, (_, k) => delta[Math.floor(k / width) * STRIDE + (k % width)]);
  return { figures, loss: figures.policyLoss - entCoef * figures.entropy, gradient, logStdGradient };
}

/** Log-probabilities of actions 0, 1, 2, 0, 1, 2, 0, 1 under the softmax of `logits` [ROWS, 3]. */
const logProbabilities = (logits: Float32Array): Float32Array =>
  Float32Array.from({ length: ROWS }, (_, b) => {
    const row = [...logits.subarray(3 * b, 3 * b + 3)];
    return row[b % 3] - Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0));
  });

describe('PPO loss against PyTorch', () => {
  const expected = () => Golden.parse(JSON.parse(readFileSync(golden, 'utf8')))[NAME];
  const normalised = (): Float32Array => {
    const values = fill(ROWS, 0.7);
    const mean = values.reduce((sum, value) => sum + value, 0) / ROWS;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return values.map((value) => (value - mean) / (Math.sqrt(squares / (ROWS - 1)) + 1e-8));
  };
  const judged = () =>
    policy(THREE, {
      outputs: fill(24, 0.4, 4),
      actions: Float32Array.from({ length: ROWS }, (_, b) => b % 3),
      oldLogProbabilities: logProbabilities(fill(24, 0.1, 4)),
      advantages: normalised(),
      entCoef: 0.01,
    });
  const valued = () => {
    const delta = new Float32Array(ROWS * STRIDE);
    const batch = { rows: ROWS, returns: fill(ROWS, 1.7), oldValues: new Float32Array(ROWS) };
    const said = { said: spread(fill(ROWS, 0.05), 1), delta, stride: STRIDE };
    return { loss: valueGradient(batch, said, { vfCoef: 0.5 }), delta };
  };

  it('has the reference loss and figures', () => {
    const { figures, loss } = judged();
    const { loss: total, policy: gain, value, entropy, approx_kl, clip_fraction } = expected();
    expect(loss + 0.5 * valued().loss).toBeCloseTo(total, 6);
    expect(figures.policyLoss).toBeCloseTo(gain, 6);
    expect(valued().loss).toBeCloseTo(value, 6);
    expect(figures.entropy).toBeCloseTo(entropy, 6);
    expect(figures.approxKl).toBeCloseTo(approx_kl, 6);
    expect(figures.clipFraction).toBe(clip_fraction);
  });

  it('has the reference gradients', () => {
    const { dlogits, dval } = expected();
    judged().gradient.forEach((value, k) => expect(value).toBeCloseTo(dlogits[k], 6));
    const { delta } = valued();
    dval.forEach((value, b) => expect(delta[b * STRIDE]).toBeCloseTo(value, 6));
  });
});

describe('a Gaussian policy', () => {
  const given = {
    outputs: fill(2 * ROWS, 0.3),
    logStd: Float32Array.of(Math.log(2), -0.3),
    actions: fill(2 * ROWS, 1.3, 3),
    oldLogProbabilities: new Float32Array(ROWS).fill(-2.5),
    advantages: fill(ROWS, 0.9, 2),
    entCoef: 0.01,
  };

  it('states the log-density and the entropy of the normal distribution', () => {
    // ln N(3; 1, 2²) = -1/2 - ln 2 - ln(2 pi) / 2; the entropy is 1/2 + ln(2 pi) / 2 + ln 2.
    const constant = Math.log(2) + Math.log(2 * Math.PI) / 2;
    const { figures } = policy(
      { ...BOX, size: 1 },
      {
        outputs: new Float32Array(ROWS).fill(1),
        logStd: Float32Array.of(Math.log(2)),
        actions: new Float32Array(ROWS).fill(3),
        oldLogProbabilities: new Float32Array(ROWS).fill(-0.5 - constant - Math.log(1.1)),
        advantages: new Float32Array(ROWS).fill(1),
        entCoef: 0,
      },
    );
    // The new probability is 1.1 times the old one: nothing is clipped, and the gain is 1.1.
    expect(figures.policyLoss).toBeCloseTo(-1.1, 5);
    expect(figures.approxKl).toBeCloseTo(0.1 - Math.log(1.1), 5);
    expect(figures.entropy).toBeCloseTo(0.5 + constant, 5);
  });

  it('has the gradient of its finite differences, in means and deviations', () => {
    const { gradient, logStdGradient } = policy(BOX, given);
    const nudged = (values: Float32Array, k: number, by: number): Float32Array =>
      values.map((value, i) => (i === k ? value + by : value));
    const slope = (lossAt: (by: number) => number): number => (lossAt(0.005) - lossAt(-0.005)) / 0.01;
    gradient.forEach((value, k) => {
      const expected = slope((by) => policy(BOX, { ...given, outputs: nudged(given.outputs, k, by) }).loss);
      expect(value).toBeCloseTo(expected, 4);
    });
    logStdGradient.forEach((value, k) => {
      const expected = slope((by) => policy(BOX, { ...given, logStd: nudged(given.logStd, k, by) }).loss);
      expect(value).toBeCloseTo(expected, 3);
    });
    expect(Math.max(...gradient.map(Math.abs))).toBeGreaterThan(0.01);
  });
});

describe('value clipping', () => {
  it('lets the value move no further than the range from the old one, and pulls no further', () => {
    const delta = new Float32Array(2);
    const batch = { rows: 2, returns: new Float32Array(2), oldValues: new Float32Array(2) };
    const said = { said: Float32Array.of(1, 0.1), delta, stride: 1 };
    const loss = valueGradient(batch, said, { vfCoef: 0.5, clipRangeVf: 0.5 });
    expect(loss).toBeCloseTo((0.5 ** 2 + 0.1 ** 2) / 2, 6);
    expect([...delta]).toEqual([0, expect.closeTo(0.05, 6)]);
  });
});
