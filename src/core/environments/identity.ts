import { deriveSeed } from '../foundation/random.ts';
import type { ActionSpace, Environment } from './environment.ts';

const MAX_STEPS = 100;

/**
 * Name what you see: the least that an agent must be able to learn (Stable-Baselines3's IdentityEnv and
 * IdentityEnvBox). Discrete: the observation is one of `count` states, one-hot, and repeating it earns 1.
 * Box: the observation is a number in [-1, 1] and the reward minus the squared distance of the action to it.
 */
export function identity(kind: 'discrete' | 'box', count = 4): Environment {
  const actions: ActionSpace = kind === 'discrete' ? { kind, count } : { kind, size: 1, low: -1, high: 1 };
  const observation = kind === 'discrete' ? Array.from({ length: count }, (_, i) => `is${i}`) : ['value'];
  let seed = 0;
  let steps = 0;
  let shown = 0;
  const show = (into: Float32Array, at: number): void => {
    const draw = deriveSeed(seed, String(steps)) / 4294967296;
    if (kind === 'box') {
      shown = 2 * draw - 1;
      into[at] = shown;
      return;
    }
    shown = Math.floor(draw * count);
    for (let i = 0; i < count; i++) into[at + i] = i === shown ? 1 : 0;
  };
  return {
    id: `identity-${kind}`,
    observation,
    actions,
    maxSteps: MAX_STEPS,
    terminated: false,
    reset(random, into, at) {
      seed = Math.floor(random() * 4294967296);
      steps = 0;
      show(into, at);
    },
    step(taken, actionAt, into, at) {
      const action = taken[actionAt];
      const reward = kind === 'discrete' ? Number(action === shown) : -((action - shown) ** 2);
      steps++;
      show(into, at);
      return reward;
    },
    snapshot: () => [seed, steps, shown],
    restore(state) {
      [seed, steps, shown] = state;
    },
  };
}
