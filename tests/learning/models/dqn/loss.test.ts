import { describe, expect, it } from 'vitest';
import { bestNextValues, qGradient } from '../../../../src/learning/models/dqn/loss.ts';

const output = (values: readonly (readonly number[])[]) => ({
  output: Float32Array.from(values.flat()),
  outputStride: values[0].length,
});
const PLAIN = { rows: 2, actionCount: 2, dueling: false };
const next = output([
  [4, 3, 0, 0],
  [9, 9, 0, 0],
]);

describe('the next value of DQN', () => {
  it('is the best one', () => {
    const into = new Float32Array(2);
    bestNextValues(next, next, PLAIN, into);
    expect([...into]).toEqual([4, 9]);
  });

  it('is that of the action which the online network prefers, when that one chooses', () => {
    const into = new Float32Array(2);
    const choosing = output([
      [0, 1, 7, 7],
      [0, 1, 7, 7],
    ]);
    bestNextValues(next, choosing, PLAIN, into);
    expect([...into]).toEqual([3, 9]);
  });

  it('counts how much better than the mean an action is, with dueling heads', () => {
    const into = new Float32Array(1);
    const heads = output([[10, 1, 4, 0]]);
    bestNextValues(heads, heads, { rows: 1, actionCount: 2, dueling: true }, into);
    expect(into[0]).toBe(10 + 4 - 2.5);
  });
});

describe('the loss of DQN', () => {
  it('is the Huber loss of the distance to the target, and pulls no harder than 1', () => {
    const online = output([
      [1, 5, 0, 0],
      [0, 2, 0, 0],
    ]);
    const delta = new Float32Array(8);
    const batch = { actions: Float32Array.of(0, 1), targets: Float32Array.of(3, 2.5) };
    // Distances -2 and -0.5: 2 - 1/2 and 0.5²/2, halved; slopes -1 and -0.5, halved.
    expect(qGradient(online, batch, PLAIN, delta)).toBeCloseTo((1.5 + 0.125) / 2, 6);
    expect([...delta]).toEqual([-0.5, 0, 0, 0, 0, -0.25, 0, 0]);
  });

  it('has the gradient of its finite differences with dueling heads', () => {
    const heads = [0.3, -0.2, 0.5, 0.1, 0.7, 0.4, -0.6, 0.2];
    const options = { rows: 2, actionCount: 3, dueling: true };
    const batch = { actions: Float32Array.of(2, 0), targets: Float32Array.of(0.1, 4) };
    const lossAt = (values: readonly number[]): number =>
      qGradient({ output: Float32Array.from(values), outputStride: 4 }, batch, options, new Float32Array(8));
    const delta = new Float32Array(8);
    qGradient({ output: Float32Array.from(heads), outputStride: 4 }, batch, options, delta);
    heads.forEach((_, k) => {
      const moved = (by: number) => lossAt(heads.map((value, i) => (i === k ? value + by : value)));
      expect(delta[k]).toBeCloseTo((moved(0.01) - moved(-0.01)) / 0.02, 4);
    });
  });
});
