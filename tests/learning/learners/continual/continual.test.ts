import { describe, expect, it } from 'vitest';
import { learnInTurn, type Method, type Points } from '../../../../bench/adapt/permuted-tasks.ts';
import { transferOf } from '../../../../src/core/evaluation/transfer.ts';
import { createRandom, normal } from '../../../../src/core/foundation/random.ts';
import { dense } from '../../../../src/learning/engine/layers/dense.ts';
import { meanSquared } from '../../../../src/learning/engine/losses.ts';
import { defineNetwork } from '../../../../src/learning/engine/network.ts';
import { sgd } from '../../../../src/learning/engine/optimizers.ts';
import type { Tensor } from '../../../../src/learning/engine/tf.ts';
import { createTrainer, type Loss } from '../../../../src/learning/engine/trainer.ts';
import {
  anchoredAt,
  anchorOf,
  elastic,
  noAnchor,
  withPath,
  withTask,
} from '../../../../src/learning/learners/continual/elastic.ts';
import { fisherDiagonal } from '../../../../src/learning/learners/continual/fisher.ts';
import { createMemory } from '../../../../src/learning/learners/continual/memory.ts';

/** y = w x: one parameter, whose every step can be done by hand. */
const line = defineNetwork<Tensor, Tensor>('line', (declare) =>
  dense(declare, 'w', { inputs: 1, outputs: 1, bias: false }),
);
const loss: Loss = (pass, { x, y }) => meanSquared(line.forward(pass, x), y);
const point = { shape: [1, 1], type: 'float32' as const };
const problem = { network: line, loss, batch: { x: point, y: point } };
const at = (x: number, y: number) => ({ x: Float32Array.of(x), y: Float32Array.of(y) });

describe('springs on parameters', () => {
  const trained = async (strength: number, clipNorm?: number) => {
    const trainer = await createTrainer({
      ...problem,
      optimizer: elastic(sgd(), { strength, ...(clipNorm !== undefined && { clipNorm }) }),
      seed: 1,
    });
    const { slots } = trainer.state();
    trainer.restore({ step: 0, parameters: Float32Array.of(1), slots });
    trainer.restore(
      anchoredAt(trainer.state(), { anchor: Float32Array.of(2), importance: Float32Array.of(3) }),
    );
    await trainer.step(at(1, 0), 0.1); // the gradient of w^2 at 1 is 2
    const state = trainer.state();
    await trainer.dispose();
    return state;
  };

  it('pull back by strength x importance x distance, and keep what the way has gained', async () => {
    const { parameters, slots } = await trained(0.5);
    // 1 - .1 (2 + .5 x 3 x (1 - 2)) = .95; gained 2 x (1 - .95).
    expect(parameters[0]).toBeCloseTo(0.95, 6);
    expect(slots['path'][0]).toBeCloseTo(0.1, 6);
    expect([slots['anchor'][0], slots['importance'][0]]).toEqual([2, 3]);
  });

  it('are clipped together with the gradient, so that a firm one does not run away', async () => {
    // 2 + 1000 x 3 x (1 - 2) is clipped to -1.
    expect((await trained(1000, 1)).parameters[0]).toBeCloseTo(1.1, 5);
  });

  it('of several tasks are one: importances add up, the anchor is their mean by importance', () => {
    const before = { anchor: Float32Array.of(0, 5), importance: Float32Array.of(1, 0) };
    const two = withTask(before, Float32Array.of(4, 7), Float32Array.of(3, 0));
    expect([...two.importance]).toEqual([4, 0]);
    expect([...two.anchor]).toEqual([3, 7]); // (1 x 0 + 3 x 4) / 4; one that nothing holds stands where it is
    const online = withTask(before, Float32Array.of(4, 7), Float32Array.of(3, 0), { decay: 0.5 });
    expect([[...online.importance], [...online.anchor]]).toEqual([[3.5, 0], [4, 7]]); // prettier-ignore
  });

  it('of Synaptic Intelligence are what a way has gained over its square', () => {
    const slots = {
      anchor: new Float32Array(2),
      importance: Float32Array.of(1, 1),
      path: Float32Array.of(0.6, -1),
    };
    const state = { step: 0, parameters: Float32Array.of(2, 2), slots };
    const { importance } = withPath(state, Float32Array.of(1, 1), 0.5);
    expect(importance[0]).toBeCloseTo(1 + 0.6 / 1.5, 6);
    expect(importance[1]).toBe(1); // what raised the loss is not held
    expect(anchorOf(anchoredAt(state, noAnchor(state.parameters))).importance).toEqual(new Float32Array(2));
  });
});

it('the Fisher diagonal is the mean of the squared gradients of single examples', async () => {
  const examples = [at(1, 0), at(2, 1)];
  const fisher = await fisherDiagonal(problem, Float32Array.of(1), { count: 2, row: (i) => examples[i] });
  // d (w x - y)^2 / dw = 2 x (w x - y): 2 and 4.
  expect(fisher[0]).toBeCloseTo((4 + 16) / 2, 5);
});

describe('a memory', () => {
  it('holds every example of a group with the same probability, and each group in as many places', () => {
    const times = new Map<number, number>();
    for (let seed = 0; seed < 400; seed++) {
      const memory = createMemory(8, 2, createRandom(seed));
      for (let i = 0; i < 40; i++) memory.see(i, 0);
      for (let i = 40; i < 44; i++) memory.see(i, 1);
      const [first, second] = memory.held();
      expect([first.length, second]).toEqual([4, [40, 41, 42, 43]]);
      for (const one of first) times.set(one, (times.get(one) ?? 0) + 1);
    }
    // 400 x 4 / 40 = 40 times each, with a standard deviation of 6.
    for (let i = 0; i < 40; i++) expect(Math.abs((times.get(i) ?? 0) - 40)).toBeLessThan(27);
  });

  it('draws each group as often as the next, however many it has shown', () => {
    const memory = createMemory(10, 2, createRandom(1));
    for (let i = 0; i < 1000; i++) memory.see(i, 0);
    memory.see(1000, 1);
    const rare = memory.draw(2000).filter((example) => example === 1000).length;
    expect(Math.abs(rare - 1000)).toBeLessThan(150);
    expect(createMemory(10, 2, createRandom(1)).draw(5)).toHaveLength(0);
  });
});

it('transfer is read off the matrix of scores', () => {
  const scores = [
    [0.9, 0.2, 0.3],
    [0.7, 0.8, 0.4],
    [0.5, 0.6, 0.9],
  ];
  const { average, backward, forward } = transferOf(scores, [0.1, 0.1, 0.1]);
  expect(average).toBeCloseTo(2 / 3, 12);
  expect(backward).toBeCloseTo((0.5 - 0.9 + 0.6 - 0.8) / 2, 12);
  expect(forward).toBeCloseTo((0.1 + 0.3) / 2, 12);
});

describe('three permuted tasks in turn', () => {
  /** Four clouds in twelve dimensions: what the digits are to the full comparison in docs/results/adapt.md. */
  const clouds = ((): Points => {
    const random = createRandom(11);
    const centres = Array.from({ length: 4 }, () => Array.from({ length: 12 }, () => normal(random)));
    const y = Int32Array.from({ length: 600 }, (_, row) => row % 4);
    const x = Float32Array.from({ length: 600 * 12 }, (_, i) => centres[y[Math.floor(i / 12)]][i % 12] + 0.8 * normal(random)); // prettier-ignore
    return { width: 12, x, y };
  })();
  const settings = {
    seed: 1,
    tasks: 3,
    hidden: 24,
    classes: 4,
    epochs: 12,
    strength: 100,
    memoryPerTask: 60,
  };
  const runs = new Map<Method, ReturnType<typeof learnInTurn>>();
  const run = (method: Method): ReturnType<typeof learnInTurn> => {
    const known = runs.get(method) ?? learnInTurn(clouds, method, settings);
    runs.set(method, known);
    return known;
  };

  it('are forgotten by plain training', async () => {
    const { backward = 0, scores } = await run('naive');
    expect(backward).toBeLessThan(-0.2);
    expect(scores[2][2]).toBeGreaterThan(0.8);
  });

  it.each(['ewc', 'online-ewc', 'si', 'replay', 'a-gem'] as const)(
    'are forgotten less with %s',
    async (method) => {
      const [kept, plain] = [await run(method), await run('naive')];
      expect(kept.backward).toBeGreaterThan((plain.backward ?? 0) + 0.05);
      expect(kept.average).toBeGreaterThan(plain.average);
    },
  );
});
