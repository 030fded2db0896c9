import { describe, expect, it } from 'vitest';
import type { ActionSpace } from '../../../../src/core/environments/environment.ts';
import { createRandom } from '../../../../src/core/foundation/random.ts';
import { bestAction, sampleAction } from '../../../../src/learning/learners/agent/actions.ts';

const three: ActionSpace = { kind: 'discrete', count: 3 };
const box: ActionSpace = { kind: 'box', size: 1, low: -1, high: 1 };

describe('sampling an action', () => {
  it('draws discrete actions as often as their softmax says and states its logarithm', () => {
    const said = Float32Array.of(NaN, Math.log(1), Math.log(2), Math.log(5));
    const logStd = new Float32Array();
    const random = createRandom(1);
    const taken = new Float32Array(1);
    const counts = [0, 0, 0];
    for (let i = 0; i < 8000; i++) {
      const logProbability = sampleAction(three, { said, from: 1, logStd }, random, taken, 0);
      counts[taken[0]]++;
      expect(logProbability).toBeCloseTo(Math.log([1, 2, 5][taken[0]] / 8), 6);
    }
    // Standard errors of the counts are below 45.
    counts.forEach((count, k) => expect(Math.abs(count - 1000 * [1, 2, 5][k])).toBeLessThan(180));
  });

  it('draws continuous actions around the mean with the given deviation', () => {
    const random = createRandom(2);
    const [said, logStd] = [Float32Array.of(0.3), Float32Array.of(Math.log(0.5))];
    const taken = new Float32Array(1);
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < 4000; i++) {
      sampleAction(box, { said, from: 0, logStd }, random, taken, 0);
      sum += taken[0];
      squares += (taken[0] - 0.3) ** 2;
    }
    expect(Math.abs(sum / 4000 - 0.3)).toBeLessThan(4 * (0.5 / Math.sqrt(4000)));
    expect(Math.abs(squares / 4000 - 0.25)).toBeLessThan(4 * 0.25 * Math.sqrt(2 / 4000));
  });

  it('takes the most likely one when nothing is left to chance, within the bounds', () => {
    const into = new Float32Array(1);
    bestAction(three, Float32Array.of(9, 1, 3, 2), 1, into, 0);
    expect(into[0]).toBe(1);
    bestAction(box, Float32Array.of(7), 0, into, 0);
    expect(into[0]).toBe(1);
  });
});
