import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Rank, type Tensor, tf } from '../../../src/engine/tf.ts';
import { evaluateActions, ppoLoss } from '../../../src/models/ppo/loss.ts';

const golden = new URL('../../../../shared/golden/nn/layers.json', import.meta.url);
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

const fill = (length: number, phase: number, gain = 1): number[] =>
  Array.from({ length }, (_, k) => gain * 0.5 * Math.sin(1 + 0.37 * k + phase));
const actions = (): Tensor => tf.oneHot(tf.tensor1d([0, 1, 2, 0, 1, 2, 0, 1], 'int32'), 3);
const discrete = (logits: Tensor) => evaluateActions({ kind: 'discrete', logits }, actions());

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe.skipIf(!existsSync(golden))('PPO loss against PyTorch (skipped without ../shared)', () => {
  const expected = () => Golden.parse(JSON.parse(readFileSync(golden, 'utf8')))[NAME];
  const normalised = (): number[] => {
    const values = fill(ROWS, 0.7);
    const mean = values.reduce((sum, value) => sum + value, 0) / ROWS;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return values.map((value) => (value - mean) / (Math.sqrt(squares / (ROWS - 1)) + 1e-8));
  };
  const parts = (logits: Tensor, values: Tensor) =>
    ppoLoss(
      {
        ...discrete(logits),
        values,
        oldLogProbability: discrete(tf.tensor2d(fill(24, 0.1, 4), [ROWS, 3])).logProbability,
        advantages: tf.tensor1d(normalised()),
        returns: tf.tensor1d(fill(ROWS, 1.7)),
        oldValues: tf.zeros([ROWS]),
        clipRange: tf.fill([ROWS], 0.2),
      },
      { entCoef: 0.01, vfCoef: 0.5 },
    );
  const logits = (): Tensor => tf.tensor2d(fill(24, 0.4, 4), [ROWS, 3]);
  const values = (): Tensor => tf.tensor1d(fill(ROWS, 0.05));

  it('has the reference loss and figures', () => {
    const { loss, metrics } = parts(logits(), values());
    const { loss: total, policy, value, entropy, approx_kl, clip_fraction } = expected();
    expect(loss.dataSync()[0]).toBeCloseTo(total, 6);
    expect(metrics.policyLoss.dataSync()[0]).toBeCloseTo(policy, 6);
    expect(metrics.valueLoss.dataSync()[0]).toBeCloseTo(value, 6);
    expect(metrics.entropy.dataSync()[0]).toBeCloseTo(entropy, 6);
    expect(metrics.approxKl.dataSync()[0]).toBeCloseTo(approx_kl, 6);
    expect(metrics.clipFraction.dataSync()[0]).toBe(clip_fraction);
  });

  it('has the reference gradients', () => {
    const { grads } = tf.valueAndGrads((l: Tensor, v: Tensor) => parts(l, v).loss)([logits(), values()]);
    const { dlogits, dval } = expected();
    grads[0].dataSync().forEach((value, k) => expect(value).toBeCloseTo(dlogits[k], 6));
    grads[1].dataSync().forEach((value, k) => expect(value).toBeCloseTo(dval[k], 6));
  });
});

describe('a Gaussian policy', () => {
  it('states the log-density and the entropy of the normal distribution', () => {
    const mean = tf.tensor2d([[1], [-2]]);
    const logStd: Tensor<Rank.R1> = tf.tensor1d([Math.log(2)]);
    const { logProbability, entropy } = evaluateActions(
      { kind: 'box', mean, logStd },
      tf.tensor2d([[3], [-2]]),
    );
    // ln N(3; 1, 2²) = -1/2 - ln 2 - ln(2 pi) / 2; the entropy is 1/2 + ln(2 pi) / 2 + ln 2.
    const constant = Math.log(2) + Math.log(2 * Math.PI) / 2;
    expect([...logProbability.dataSync()]).toEqual([
      expect.closeTo(-0.5 - constant, 5),
      expect.closeTo(-constant, 5),
    ]);
    expect([...entropy.dataSync()]).toEqual([
      expect.closeTo(0.5 + constant, 5),
      expect.closeTo(0.5 + constant, 5),
    ]);
  });
});

describe('value clipping', () => {
  it('lets the value move no further than the range from the old one', () => {
    const nothing = tf.zeros([2]);
    const { metrics } = ppoLoss(
      {
        logProbability: nothing,
        entropy: nothing,
        oldLogProbability: nothing,
        advantages: nothing,
        values: tf.tensor1d([1, 0.1]),
        oldValues: nothing,
        returns: nothing,
        clipRange: tf.fill([2], 0.2),
      },
      { entCoef: 0, vfCoef: 0.5, clipRangeVf: 0.5 },
    );
    expect(metrics.valueLoss.dataSync()[0]).toBeCloseTo((0.5 ** 2 + 0.1 ** 2) / 2, 6);
  });
});
