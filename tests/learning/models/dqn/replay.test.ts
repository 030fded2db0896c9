import { describe, expect, it } from 'vitest';
import type { Environment } from '../../../../src/core/environments/environment.ts';
import { vectorise } from '../../../../src/core/environments/vector.ts';
import { createRandom } from '../../../../src/core/foundation/random.ts';
import { createMultiStep } from '../../../../src/learning/models/dqn/multi-step.ts';
import { createReplay, type Transition } from '../../../../src/learning/models/dqn/replay.ts';

const transition = (value: number): Transition => ({
  from: Float32Array.of(value),
  fromAt: 0,
  action: value % 2,
  reward: 10 * value,
  discount: 0.5,
  to: Float32Array.of(value + 0.5),
  toAt: 0,
});

describe('the replay buffer', () => {
  it('forgets the oldest and gives back what belongs together', () => {
    const replay = createReplay(3, 1);
    for (let value = 1; value <= 5; value++) replay.add(transition(value));
    const into = {
      observations: new Float32Array(50),
      actions: new Float32Array(50),
      rewards: new Float32Array(50),
      discounts: new Float32Array(50),
      nextObservations: new Float32Array(50),
    };
    replay.sample(createRandom(1), 50, into);
    expect([...new Set(into.observations)].sort()).toEqual([3, 4, 5]);
    for (let b = 0; b < 50; b++) {
      const value = into.observations[b];
      expect(into.nextObservations[b]).toBe(value + 0.5);
      expect([into.rewards[b], into.discounts[b]]).toEqual([10 * value, 0.5]);
      expect(into.actions[b]).toBe(value % 2);
    }
  });
});

/** Shows 1, 2, 3, ... and pays the same; terminates after `ends` steps or is cut off after `limit`. */
function ladder(ends: number, limit: number): Environment {
  let steps = 0;
  return {
    id: 'ladder',
    observation: ['step'],
    actions: { kind: 'discrete', count: 2 },
    maxSteps: limit,
    get terminated() {
      return steps >= ends;
    },
    reset(_, into, at) {
      steps = 0;
      into[at] = 0;
    },
    step(_actions, _at, into, at) {
      into[at] = ++steps;
      return steps;
    },
    snapshot: () => [steps],
    restore([saved]) {
      steps = saved;
    },
  };
}

/** What is remembered of one episode: [state, summed reward, discount, state after]. */
function remembered(environment: Environment, nSteps: number, steps: number): number[][] {
  const kept: number[][] = [];
  const vector = vectorise([environment]);
  vector.resetAll();
  const replay = {
    ...createReplay(1, 1),
    add: ({ from, fromAt, reward, discount, to, toAt }: Transition) =>
      void kept.push([from[fromAt], reward, discount, to[toAt]]),
  };
  const multiStep = createMultiStep(vector, { nSteps, gamma: 0.5 }, replay);
  for (let t = 0; t < steps; t++) multiStep.step(Float32Array.of(0));
  return kept;
}

describe('n-step returns', () => {
  it('are the plain transitions for one step', () => {
    expect(remembered(ladder(9, 9), 1, 2)).toEqual([
      [0, 1, 0.5, 1],
      [1, 2, 0.5, 2],
    ]);
  });

  it('sum discounted rewards and bootstrap from the state after them', () => {
    // 1 + 2/2 and 2 + 3/2, then the value of the state two later counts a quarter.
    expect(remembered(ladder(9, 9), 2, 3)).toEqual([
      [0, 2, 0.25, 2],
      [1, 3.5, 0.25, 3],
    ]);
  });

  it('bootstrap from nothing after a termination', () => {
    expect(remembered(ladder(2, 9), 2, 2)).toEqual([
      [0, 2, 0, 2],
      [1, 2, 0, 2],
    ]);
  });

  it('bootstrap from the last state of an episode that was cut off', () => {
    expect(remembered(ladder(9, 2), 2, 2)).toEqual([
      [0, 2, 0.25, 2],
      [1, 2, 0.5, 2],
    ]);
  });
});
