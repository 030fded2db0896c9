import { describe, expect, it } from 'vitest';
import { cartPole } from '../../../src/core/environments/cart-pole.ts';
import type { Environment } from '../../../src/core/environments/environment.ts';
import { vectorise } from '../../../src/core/environments/vector.ts';

/** Counts its steps; terminates after `ends` of them; `limit` steps are an episode. */
function counter(ends: number, limit: number): Environment {
  let steps = 0;
  return {
    id: 'counter',
    observation: ['steps'],
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
      return 1;
    },
    snapshot: () => [steps],
    restore([saved]) {
      steps = saved;
    },
  };
}

const action = new Float32Array(2);

describe('a vector of environments', () => {
  it('tells the end of the time limit from the end of the episode', () => {
    const vector = vectorise([counter(Infinity, 3), counter(2, 3)]);
    vector.resetAll();
    const ends: number[][] = [];
    for (let t = 0; t < 3; t++) {
      vector.step(action);
      ends.push([...vector.truncated, ...vector.terminated]);
    }
    expect(ends).toEqual([
      [0, 0, 0, 0],
      [0, 0, 0, 1],
      [1, 0, 0, 0],
    ]);
  });

  it('is no truncation when the last allowed step terminates', () => {
    const vector = vectorise([counter(3, 3)]);
    vector.resetAll();
    for (let t = 0; t < 3; t++) vector.step(action);
    expect([vector.terminated[0], vector.truncated[0]]).toEqual([1, 0]);
  });

  it('restarts an ended copy and keeps the observation that it ended with', () => {
    const vector = vectorise([counter(2, 9), counter(9, 9)]);
    vector.resetAll();
    vector.step(action);
    vector.step(action);
    expect([...vector.observations]).toEqual([0, 2]);
    expect([...vector.nextObservations]).toEqual([2, 2]);
    expect(vector.finished).toEqual([{ reward: 2, steps: 2 }]);
  });

  it('continues from a snapshot and a seed bit for bit', () => {
    const make = () => vectorise([cartPole(), cartPole()]);
    const vector = make();
    vector.reseed(1);
    vector.resetAll();
    for (let t = 0; t < 40; t++) vector.step(action);
    const other = make();
    other.restore(vector.snapshot());
    const play = (one: typeof vector): number[] => {
      one.reseed(2);
      const seen: number[] = [];
      for (let t = 0; t < 40; t++) {
        one.step(action);
        seen.push(...one.observations);
      }
      return seen;
    };
    expect(play(other)).toEqual(play(vector));
  });
});
