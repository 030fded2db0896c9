import { describe, expect, it } from 'vitest';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';
import { allocatorData, type AllocatorData, decidableRows } from '../../../src/learning/allocators/data.ts';
import { allocatorArtifact, readAllocator } from '../../../src/learning/allocators/checkpoint.ts';
import { openLearned } from '../../../src/learning/allocators/forward.ts';
import { learn } from '../../../src/learning/allocators/learner.ts';
import type { LearnerState } from '../../../src/learning/allocators/state.ts';
import { passBar, remainderFactor } from '../../../src/learning/allocators/transition.ts';
import type { LearnerParams } from '../../../src/learning/allocators/params.ts';
import { growthLoss, netSharpeLoss } from '../../../src/learning/allocators/objective.ts';
import { dense } from '../../../src/learning/engine/layers/dense.ts';
import { lstm } from '../../../src/learning/engine/layers/lstm.ts';
import { toSteps } from '../../../src/learning/engine/layers/sequence.ts';
import { defineNetwork } from '../../../src/learning/engine/network.ts';
import { sgd } from '../../../src/learning/engine/optimizers.ts';
import { type Tensor, tf } from '../../../src/learning/engine/tf.ts';
import { createTrainer } from '../../../src/learning/engine/trainer.ts';
import { golden } from '../../core/portfolio/golden.ts';

const skfolio = golden('skfolio');

/** `fill` of the golden files. */
const fill = (size: number, phase: number): Float32Array =>
  Float32Array.from({ length: size }, (_, k) => 0.5 * Math.sin(1 + 0.37 * k + phase));

describe('the Sharpe loss net of costs', () => {
  it("is PyTorch's, with its gradient to every parameter", async () => {
    const network = defineNetwork('golden', (declare) => {
      const recurrent = lstm(declare, 'lstm', { inputs: 6, hidden: 4 });
      const head = dense(declare, 'fc', { inputs: 4, outputs: 3 });
      return (pass, { x }: { readonly x: Tensor }) => {
        const { final } = recurrent(pass, { steps: toSteps(x) });
        return tf.softmax(head(pass, tf.transpose(final.hidden)));
      };
    });
    const trainer = await createTrainer({
      network,
      loss: (pass, { x, r }) => netSharpeLoss(network.forward(pass, { x }), r, 0.001),
      optimizer: sgd(),
      batch: { x: { shape: [6, 5, 6], type: 'float32' }, r: { shape: [6, 3], type: 'float32' } },
      seed: 1,
    });
    const sizes = network.parameters.map(({ shape }) => shape.reduce((a, b) => a * b, 1));
    const start = Float32Array.from(sizes.flatMap((size, i) => [...fill(size, 0.11 * i)]));
    trainer.restore({ step: 0, parameters: start, slots: {} });
    const { losses } = await trainer.step(
      { x: fill(180, 0.7), r: fill(18, 1.3).map((value) => 0.02 * value) },
      1,
    );
    expect(-losses[0]).toBeCloseTo(skfolio.number('lstm_softmax_sharpe', 'sharpe'), 5);
    // A step of plain descent at rate 1 moves every parameter by minus its gradient.
    const moved = trainer.parameters().map((value, i) => value - start[i]);
    let offset = 0;
    for (const [i, expected] of skfolio.numbers('lstm_softmax_sharpe', 'grad_sqnorm_per_param').entries()) {
      const part = moved.subarray(offset, (offset += sizes[i]));
      expect(part.reduce((sum, value) => sum + value * value, 0) / expected).toBeCloseTo(1, 3);
    }
    await trainer.dispose();
  });
});

describe("EIIE's remainder factor", () => {
  it.each(['0', '0.0005', '0.001', '0.0025', '0.01'])('at a cost of %s', (cost) => {
    const rate = Number(cost);
    const before = skfolio.numbers('eiie_mu', 'w_prime');
    const wanted = skfolio.numbers('eiie_mu', 'w');
    // Prices stand still: all that is lost is what trading costs.
    const still = tf.ones([1, wanted.length]);
    const loss = growthLoss(tf.tensor([wanted]), still, tf.tensor([before]), still, rate);
    const left = Math.exp(-loss.dataSync()[0]);
    expect(Math.abs(left - skfolio.number('eiie_mu', 'mu', cost))).toBeLessThanOrEqual(rate ** 2 + 1e-6);
    expect(
      Math.abs(remainderFactor(before, wanted, rate) - skfolio.number('eiie_mu', 'mu', cost)),
    ).toBeLessThan(1e-12);
  });

  it('is what a bar of the environment leaves, times the growth of what was bought', () => {
    const held = new Float32Array(3);
    // Half is cash and buys the first, which doubles.
    const growth = passBar([0.5, 0, 0.5], [0, 0.5, 0.5], [1, 2, 1], 0.01, held);
    // Equation 14 by hand: mu = 1 - .01 x .5 - .0199 (.5 - .5 mu), since of the second only what the capital shrank by is sold.
    const left = (1 - 0.01 * 0.5 - 0.0199 * 0.5) / (1 - 0.0199 * 0.5);
    expect(growth).toBeCloseTo(left * 1.5, 12);
    expect([...held]).toEqual([0, Math.fround(2 / 3), Math.fround(1 / 3)]);
  });
});

/** Three assets; the return of the first repeats that of two bars before, the others are noise. */
function market(bars: number): AllocatorData {
  const random = createRandom(3);
  const closes = ['A', 'B', 'C'].map(() => new Float64Array(bars).fill(100));
  const cycle = [0.03, 0.02, -0.02, -0.01];
  for (let t = 1; t < bars; t++) {
    closes[0][t] = closes[0][t - 1] * (1 + cycle[t % 4]);
    closes[1][t] = closes[1][t - 1] * (1 + 0.01 * normal(random));
    closes[2][t] = t < 40 ? NaN : t === 40 ? 50 : closes[2][t - 1] * (1 + 0.01 * normal(random));
  }
  return allocatorData(
    ['A', 'B', 'C'],
    Float64Array.from({ length: bars }, (_, t) => t * 86_400_000),
    closes,
  );
}

const params: LearnerParams = {
  lookback: 8,
  hidden: 8,
  bars: 32,
  steps: 60,
  learningRate: 0.02,
  costRate: 0.0005,
};
const bits = ({ train, memory }: LearnerState) => ({
  parameters: Buffer.from(Uint8Array.from(new Uint8Array(train.parameters.buffer))).toString('hex'),
  memory: [...memory],
});

describe.each(['deep', 'rl', 'ppo'] as const)('the %s allocator', (id) => {
  const data = market(160);

  it('learns what can be learned: it moves in and out of an asset that swings', async () => {
    const state = await learn(id, {
      data,
      lastRow: 120,
      params: { ...params, steps: id === 'ppo' ? 120 : 300 },
      seed: 1,
    });
    const open = await openLearned(id, data.symbols, params, state);
    let [good, bad] = [0, 0];
    for (let row = 121; row < 159; row++) {
      const [weight] = await open.weightsAt(data, row, new Float64Array([0.3, 0.3, 0.3]));
      if (data.returns[0][row + 1] > 0) good += weight / 19;
      else bad += weight / 19;
    }
    await open.dispose();
    expect(good).toBeGreaterThan(bad + 0.2);
  });

  it('resumes from a checkpoint to the same bits, and reads itself back', async () => {
    const whole = await learn(id, { data, lastRow: 120, params: { ...params, steps: 12 }, seed: 5 });
    const half = await learn(id, { data, lastRow: 120, params: { ...params, steps: 6 }, seed: 5 });
    const saved = { id, symbols: ['A', 'B', 'C'], trainedUntilMs: 0, seed: 5, params };
    const reread = readAllocator(allocatorArtifact({ ...saved, state: half }));
    const resumed = await learn(id, {
      data,
      lastRow: 120,
      params: { ...params, steps: 12 },
      seed: 5,
      from: reread.state,
    });
    expect(bits(resumed)).toEqual(bits(whole));
    const other = await learn(id, { data, lastRow: 120, params: { ...params, steps: 12 }, seed: 6 });
    expect(bits(other)).not.toEqual(bits(whole));
    if (id === 'deep') return;
    // What the memory holds is where the next stretches begin.
    const memory = reread.state.memory.map((_, k) => (k % 4 === 1 ? 1 : 0));
    const astray = await learn(id, {
      data,
      lastRow: 120,
      params: { ...params, steps: 12 },
      seed: 5,
      from: { ...reread.state, memory },
    });
    expect(bits(astray).parameters).not.toEqual(bits(whole).parameters);
  });

  it('what lies after the last row changes no weight', async () => {
    const changed = {
      ...data,
      returns: data.returns.map((column) => column.map((value, t) => (t > 100 ? -value : value))),
    };
    const short = { ...params, steps: 5 };
    const state = await learn(id, { data, lastRow: 100, params: short, seed: 2 });
    expect(bits(await learn(id, { data: changed, lastRow: 100, params: short, seed: 2 }))).toEqual(
      bits(state),
    );
    // One row further and it may change.
    expect(bits(await learn(id, { data: changed, lastRow: 140, params: short, seed: 2 }))).not.toEqual(
      bits(state),
    );
  });

  it('gives nothing to an asset that has no window', async () => {
    const state = await learn(id, { data, lastRow: 120, params: { ...params, steps: 3 }, seed: 2 });
    const open = await openLearned(id, data.symbols, params, state);
    const weights = await open.weightsAt(data, 30, new Float64Array(3));
    await open.dispose();
    expect(weights[2]).toBe(0);
    expect(weights[0] + weights[1]).toBeLessThanOrEqual(1 + 1e-6);
  });

  it('refuses a damaged checkpoint', async () => {
    const state = await learn(id, { data, lastRow: 120, params: { ...params, steps: 2 }, seed: 5 });
    const artifact = allocatorArtifact({
      id,
      symbols: ['A', 'B', 'C'],
      trainedUntilMs: 0,
      seed: 5,
      params,
      state,
    });
    const weights = artifact.blobs['weights.bin'].slice();
    weights[3] ^= 1;
    expect(() =>
      readAllocator({ ...artifact, blobs: { ...artifact.blobs, 'weights.bin': weights } }),
    ).toThrow('SHA-256');
    expect(() => readAllocator({ ...artifact, json: { format: 'other' } })).toThrow(
      'damaged or of another version',
    );
  });
});

it('rows are decided on whose next return is known', () => {
  const data = market(50);
  expect(decidableRows(data, 8, 20)).toEqual([8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
});
