import { describe, expect, it } from 'vitest';
import { cartPole } from '../../../../src/core/environments/cart-pole.ts';
import type { Environment } from '../../../../src/core/environments/environment.ts';
import { identity } from '../../../../src/core/environments/identity.ts';
import { pendulum } from '../../../../src/core/environments/pendulum.ts';
import { tradingEnvironment } from '../../../../src/core/environments/trading.ts';
import { vectorise } from '../../../../src/core/environments/vector.ts';
import { awaitChange } from '../../../../src/learning/models/ppo/critic-side.ts';
import { createPpo, type PpoLearner, type PpoProgress } from '../../../../src/learning/models/ppo/learner.ts';
import { PpoParams } from '../../../../src/learning/models/ppo/params.ts';
import { SPOT_RULES } from '../../../../src/core/trading/rules.ts';
import { randomPanel } from '../../../core/environments/random-panel.ts';

type Settings = Parameters<typeof PpoParams.parse>[0];

const learnerOf = (make: () => Environment, settings: Settings, totalSteps: number): Promise<PpoLearner> => {
  const params = PpoParams.parse(settings);
  const environment = vectorise(Array.from({ length: params.nEnvs }, make));
  return createPpo({ environment, params, seed: 1, totalSteps });
};
const train = async (learner: PpoLearner, steps: number): Promise<number> => {
  let reward = NaN;
  while (learner.steps < steps) reward = (await learner.iterate()).meanReward ?? NaN;
  return reward;
};

const SMALL = { nEnvs: 4, nSteps: 64, batchSize: 64, nEpochs: 4, netArch: [32], learningRate: 3e-3 };

describe('PPO', () => {
  it('learns to name the state it sees', async () => {
    const learner = await learnerOf(() => identity('discrete'), SMALL, 20_000);
    // An episode is 100 steps; guessing one of four states earns 25.
    expect(await train(learner, 20_000)).toBeGreaterThan(85);
    await learner.dispose();
  });

  it('learns to repeat a continuous number', async () => {
    const settings = { ...SMALL, logStdInit: -1 };
    const learner = await learnerOf(() => identity('box'), settings, 20_000);
    const before = await train(learner, 600);
    // Doing nothing costs the variance of U(-1, 1), a third, on each of 100 steps.
    const after = await train(learner, 20_000);
    expect(before).toBeLessThan(-30);
    expect(after).toBeGreaterThan(-20);
    await learner.dispose();
  });

  it('gives the same weights for the same seed, and others for another', async () => {
    const weights = async (seed: number): Promise<Float32Array> => {
      const params = PpoParams.parse(SMALL);
      const environment = vectorise(Array.from({ length: 4 }, cartPole));
      const learner = await createPpo({ environment, params, seed, totalSteps: 1024 });
      await train(learner, 1024);
      const { parameters } = learner.agent();
      await learner.dispose();
      return parameters;
    };
    const first = await weights(1);
    expect(await weights(1)).toEqual(first);
    expect(await weights(2)).not.toEqual(first);
  });

  it('resumes bit for bit: environments, statistics, optimiser', async () => {
    const panel = randomPanel({ rows: 400, seed: 2 });
    const weights = { returnWeight: 1, sharpeWeight: 0.1, drawdownWeight: 0.1 };
    const make = (): Environment =>
      tradingEnvironment({ panel, rules: SPOT_RULES, weights, actions: 'target', windowBars: 50 });
    const settings = { ...SMALL, normalizeObservation: true, normalizeReward: true };
    const whole = await learnerOf(make, settings, 2048);
    await train(whole, 1024);
    const state = structuredClone(whole.state());
    await train(whole, 2048);
    const resumed = await learnerOf(make, settings, 2048);
    resumed.restore(state);
    await train(resumed, 2048);
    expect(resumed.agent()).toEqual(whole.agent());
    expect(resumed.state()).toEqual(whole.state());
    await whole.dispose();
    await resumed.dispose();
  });

  it('gives on two threads the bits of one, KL stop and figures included', async () => {
    const run = async (threads: 1 | 2) => {
      const learner = await learnerOf(
        pendulum,
        { ...SMALL, targetKl: 0.02, clipRangeVf: 0.3, threads },
        2048,
      );
      const progress: PpoProgress[] = [];
      while (learner.steps < 2048) progress.push(await learner.iterate());
      const state = learner.state();
      await learner.dispose();
      return { progress, state };
    };
    const one = await run(1);
    expect(one.progress.some(({ epochs }) => epochs < SMALL.nEpochs)).toBe(true);
    expect(await run(2)).toEqual(one);
  });

  it('does not wait for ever for a thread that died', () => {
    const signals = new Int32Array(new SharedArrayBuffer(16));
    expect(() => awaitChange(signals, 0, 0, 20)).toThrow("The critic's thread does not answer.");
  });

  it('stops an update before the KL divergence runs away', async () => {
    const settings = { ...SMALL, nEpochs: 20, learningRate: 3e-2 };
    const free = await learnerOf(cartPole, settings, 1024);
    const held = await learnerOf(cartPole, { ...settings, targetKl: 0.01 }, 1024);
    expect((await free.iterate()).epochs).toBe(20);
    expect((await held.iterate()).epochs).toBeLessThan(20);
    await free.dispose();
    await held.dispose();
  });

  it('refuses minibatches that do not divide the rollout', async () => {
    await expect(learnerOf(cartPole, { ...SMALL, batchSize: 60 }, 1024)).rejects.toThrow(
      'batchSize 60 does not divide the 256 steps',
    );
  });
});
