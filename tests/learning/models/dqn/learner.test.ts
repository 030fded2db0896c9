import { describe, expect, it } from 'vitest';
import type { Environment } from '../../../../src/core/environments/environment.ts';
import { identity } from '../../../../src/core/environments/identity.ts';
import { pendulum } from '../../../../src/core/environments/pendulum.ts';
import { tradingEnvironment } from '../../../../src/core/environments/trading.ts';
import { vectorise } from '../../../../src/core/environments/vector.ts';
import { createDqn, type DqnLearner } from '../../../../src/learning/models/dqn/learner.ts';
import { DqnParams } from '../../../../src/learning/models/dqn/params.ts';
import { SPOT_RULES } from '../../../../src/core/trading/rules.ts';
import { randomPanel } from '../../../core/environments/random-panel.ts';

type Settings = Parameters<typeof DqnParams.parse>[0];

const learnerOf = (
  make: () => Environment,
  settings: Settings,
  totalSteps: number,
  wideFrom?: number,
): Promise<DqnLearner> => {
  const params = DqnParams.parse(settings);
  const environment = vectorise(Array.from({ length: params.nEnvs }, make));
  return createDqn({ environment, params, seed: 1, totalSteps, ...(wideFrom !== undefined && { wideFrom }) });
};
const train = async (learner: DqnLearner, steps: number): Promise<number> => {
  let reward = NaN;
  while (learner.steps < steps) reward = (await learner.iterate()).meanReward ?? NaN;
  return reward;
};

const SMALL = {
  learningRate: 3e-3,
  trainFreq: 16,
  gradientSteps: 16,
  targetUpdateInterval: 200,
  gamma: 0.5,
  netArch: [32],
  explorationFraction: 0.2,
  explorationFinalEps: 0,
};

describe('DQN', () => {
  it.each([
    ['plain', {}],
    ['double', { doubleQ: true }],
    ['dueling', { dueling: true }],
    ['three-step', { nSteps: 3, nEnvs: 2 }],
  ])('learns to name the state it sees: %s', async (_, settings) => {
    const learner = await learnerOf(() => identity('discrete'), { ...SMALL, ...settings }, 14_000);
    // An episode is 100 steps; guessing one of four states earns 25. The mean is over the last 100 episodes.
    expect(await train(learner, 14_000)).toBeGreaterThan(80);
    await learner.dispose();
  });

  it('resumes bit for bit: environment, replay, target network', async () => {
    const panel = randomPanel({ rows: 400, seed: 2 });
    const weights = { returnWeight: 1, sharpeWeight: 0.1, drawdownWeight: 0.1 };
    const make = (): Environment =>
      tradingEnvironment({ panel, rules: SPOT_RULES, weights, actions: 'buy-hold-sell', windowBars: 50 });
    const settings = { ...SMALL, nSteps: 2, doubleQ: true };
    const whole = await learnerOf(make, settings, 2048);
    await train(whole, 1024);
    const state = structuredClone(whole.state());
    await train(whole, 2048);
    const resumed = await learnerOf(make, settings, 2048);
    resumed.restore(state);
    await train(resumed, 2048);
    expect(resumed.parameters()).toEqual(whole.parameters());
    expect(resumed.state()).toEqual(whole.state());
    await whole.dispose();
    await resumed.dispose();
  });

  it.each([
    ['plain', { nEnvs: 2 }],
    ['dueling', { dueling: true, gradientSteps: 12 }],
    ['clipped', { maxGradNorm: 0.01 }],
  ])('ONNX Runtime makes the updates of the kernel, within rounding: %s', async (_, settings) => {
    const make = (): Environment => identity('discrete');
    const both = { ...SMALL, learningStarts: 0, ...settings };
    const kernel = await learnerOf(make, both, 1024, Infinity);
    const wide = await learnerOf(make, both, 1024, 0);
    let updates = 0;
    for (let turn = 0; turn < 6; turn++) {
      const [one, other] = [await kernel.iterate(), await wide.iterate()];
      if (one.loss === undefined || other.loss === undefined) continue;
      updates++;
      expect(Math.abs(other.loss / one.loss - 1)).toBeLessThan(1e-3);
    }
    expect(updates).toBe(6);
    const [a, b] = [kernel.state().train, wide.state().train];
    expect(b.step).toBe(a.step);
    for (const [found, right] of [
      [b.parameters, a.parameters],
      [b.slots['mean'], a.slots['mean']],
      [b.slots['square'], a.slots['square']],
    ])
      for (const [i, value] of right.entries()) expect(Math.abs(found[i] - value)).toBeLessThan(1e-3);
    // A state of one goes on in the other.
    wide.restore(kernel.state());
    expect((await wide.iterate()).loss).toBeCloseTo((await kernel.iterate()).loss ?? NaN, 4);
    await Promise.all([kernel.dispose(), wide.dispose()]);
  });

  it('leaves no mean of a gradient in denormal numbers, which take fifty times as long', async () => {
    const wide = await learnerOf((): Environment => identity('discrete'), SMALL, 1024, 0);
    await train(wide, 512);
    const state = structuredClone(wide.state());
    state.train.slots['mean'].fill(1e-35);
    wide.restore(state);
    await wide.iterate();
    const sizes = wide.state().train.slots['mean'].map(Math.abs);
    expect(sizes.filter((size) => size > 0 && size < 1e-30)).toEqual(new Float32Array());
    await wide.dispose();
  });

  it('resumes bit for bit where ONNX Runtime makes the updates', async () => {
    const make = (): Environment => identity('discrete');
    const whole = await learnerOf(make, SMALL, 1024, 0);
    await train(whole, 512);
    const state = structuredClone(whole.state());
    await train(whole, 1024);
    const resumed = await learnerOf(make, SMALL, 1024, 0);
    resumed.restore(state);
    await train(resumed, 1024);
    expect(resumed.state()).toEqual(whole.state());
    await Promise.all([whole.dispose(), resumed.dispose()]);
  });

  it('refuses continuous actions', async () => {
    await expect(learnerOf(pendulum, SMALL, 1000)).rejects.toThrow('"pendulum" takes continuous ones');
  });
});
