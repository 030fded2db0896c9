import { transferOf } from '../../src/core/evaluation/transfer.ts';
import { createRandom, deriveSeed, type Random, shuffle } from '../../src/core/foundation/random.ts';
import { dense } from '../../src/learning/engine/layers/dense.ts';
import { crossEntropy } from '../../src/learning/engine/losses.ts';
import { defineNetwork } from '../../src/learning/engine/network.ts';
import { sgd } from '../../src/learning/engine/optimizers.ts';
import { createPredictor } from '../../src/learning/engine/predictor.ts';
import type { Feeds } from '../../src/learning/engine/program.ts';
import { type Tensor, tf } from '../../src/learning/engine/tf.ts';
import { createTrainer, type Loss } from '../../src/learning/engine/trainer.ts';
import {
  anchoredAt,
  anchorOf,
  elastic,
  noAnchor,
  withPath,
  withTask,
} from '../../src/learning/learners/continual/elastic.ts';
import { fisherDiagonal } from '../../src/learning/learners/continual/fisher.ts';
import { projectedLoss } from '../../src/learning/learners/continual/gem.ts';
import { createMemory } from '../../src/learning/learners/continual/memory.ts';

/** Labelled points: `x` [rows, width], `y` classes from 0. */
export interface Points {
  readonly width: number;
  readonly x: Float32Array;
  readonly y: Int32Array;
}

export const METHODS = ['naive', 'ewc', 'ewc-empirical', 'online-ewc', 'si', 'replay', 'a-gem'] as const;
export type Method = (typeof METHODS)[number];

/**
 * Five tasks, or `tasks`, of the same points with their coordinates permuted: the k-th coordinate of task t goes by the
 * order of frac(sin(12.9898 (k + 1) + 78.233 t) 43758.5453), task 0 as it is. Every fifth row tests. A network of two layers
 * of `hidden` learns one task after the other by plain gradient descent at .05, clipped at 1, batches of 64.
 */
export async function learnInTurn(
  points: Points,
  method: Method,
  settings: {
    readonly seed: number;
    readonly tasks: number;
    readonly hidden: number;
    readonly classes: number;
    readonly epochs: number;
    /** Of the springs. */
    readonly strength: number;
    readonly memoryPerTask: number;
  },
) {
  const { seed, tasks, hidden, classes, epochs } = settings;
  const { width } = points;
  const network = defineNetwork<Tensor, Tensor>('digits', (declare) => {
    const first = dense(declare, 'first', { inputs: width, outputs: hidden });
    const second = dense(declare, 'second', { inputs: hidden, outputs: hidden });
    const head = dense(declare, 'head', { inputs: hidden, outputs: classes });
    return (pass, x) => head(pass, tf.relu(second(pass, tf.relu(first(pass, x)))));
  });
  const loss: Loss = (pass, { x, y }) => crossEntropy(network.forward(pass, x), y);
  // The mean over both halves, twice: the loss of the batch plus that of the memory.
  const summed: Loss = (pass, { x, y }) => tf.mul(crossEntropy(network.forward(pass, x), y), 2);
  const all = Array.from({ length: tasks }, (_, t) => taskOf(points, t));
  const rows = method === 'replay' ? 2 * BATCH : BATCH;
  const batch = batchOf(rows, width);
  const plain = { network, loss, batch };
  const trainer = await createTrainer({
    network,
    ...(method === 'a-gem'
      ? projectedLoss(network, loss, batch)
      : { loss: method === 'replay' ? summed : loss, batch }),
    optimizer: elastic(sgd(), {
      strength: method.includes('ewc') || method === 'si' ? settings.strength : 0,
      clipNorm: 1,
    }),
    seed,
    ...(method === 'a-gem' && { clipNorm: 1 }),
  });
  const random = createRandom(deriveSeed(seed, 'digits'));
  const memory = createMemory(settings.memoryPerTask * tasks, tasks, random);
  const untrained = await accuracies(all, trainer.parameters());
  const scores: number[][] = [];
  trainer.restore(anchoredAt(trainer.state(), noAnchor(trainer.parameters())));
  for (const [t, task] of all.entries()) {
    const start = trainer.parameters();
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = shuffle(task.train.slice(), random);
      for (let from = 0; from + BATCH <= order.length; from += BATCH) {
        const own = Array.from(order.subarray(from, from + BATCH), (row) => [t, row] as const);
        const remembered = Array.from(memory.draw(BATCH), exampleOf);
        // Before there is anything to remember, the task itself stands in its place.
        const other = remembered.length > 0 ? remembered : own;
        const feeds =
          method === 'replay'
            ? feedsOf([...own, ...other])
            : { ...feedsOf(own), ...(method === 'a-gem' && prefixed('memory.', feedsOf(other))) };
        await trainer.step(feeds, 0.05);
      }
    }
    await consolidate(t, start);
    for (const row of shuffle(task.train.slice(), random)) memory.see(t * points.y.length + row, t);
    scores.push(await accuracies(all, trainer.parameters()));
  }
  await trainer.dispose();
  return { scores, ...transferOf(scores, untrained) };

  async function consolidate(t: number, start: Float32Array): Promise<void> {
    const state = trainer.state();
    const parameters = state.parameters;
    if (method === 'si') return trainer.restore(anchoredAt(state, withPath(state, start)));
    if (!method.includes('ewc')) return;
    const sample = shuffle(all[t].train.slice(), random).subarray(0, 300);
    const labels = await labelsOf(t, sample, parameters);
    const fisher = await fisherDiagonal(plain, parameters, {
      count: sample.length,
      row: (i) => ({ ...feedsOf([[t, sample[i]]]), y: Int32Array.of(labels[i]) }),
    });
    const decay = method === 'online-ewc' ? { decay: 1 } : {};
    trainer.restore(anchoredAt(state, withTask(anchorOf(state), parameters, fisher, decay)));
  }

  /** Drawn from what the network states, or for the empirical Fisher those that were seen. */
  async function labelsOf(
    t: number,
    sample: Int32Array,
    parameters: Float32Array,
  ): Promise<readonly number[]> {
    if (method === 'ewc-empirical') return Array.from(sample, (row) => points.y[row]);
    const logits = await logitsOf(
      Array.from(sample, (row) => [t, row] as const),
      parameters,
    );
    return Array.from(sample, (_, i) => drawn(logits.subarray(i * classes, (i + 1) * classes), random));
  }

  function exampleOf(example: number): readonly [number, number] {
    return [Math.floor(example / points.y.length), example % points.y.length];
  }

  function feedsOf(examples: readonly (readonly [task: number, row: number])[]): Feeds {
    const x = new Float32Array(examples.length * width);
    examples.forEach(([t, row], i) => x.set(all[t].x.subarray(row * width, (row + 1) * width), i * width));
    return { x, y: Int32Array.from(examples, ([, row]) => points.y[row]) };
  }

  async function logitsOf(
    examples: readonly (readonly [number, number])[],
    parameters: Float32Array,
  ): Promise<Float32Array> {
    const predictor = await createPredictor({
      network,
      parameters,
      batch: { x: batchOf(examples.length, width).x },
      outputs: (pass, { x }) => ({ logits: network.forward(pass, x) }),
    });
    const { logits } = await predictor.run({ x: feedsOf(examples)['x'] });
    await predictor.dispose();
    return logits;
  }

  async function accuracies(list: typeof all, parameters: Float32Array): Promise<number[]> {
    const shares: number[] = [];
    for (const [t, { test }] of list.entries()) {
      const logits = await logitsOf(
        Array.from(test, (row) => [t, row] as const),
        parameters,
      );
      const right = test.filter((row, i) => {
        const own = logits.subarray(i * classes, (i + 1) * classes);
        return own.indexOf(Math.max(...own)) === points.y[row];
      });
      shares.push(right.length / test.length);
    }
    return shares;
  }
}

const BATCH = 64;

const batchOf = (rows: number, width: number) => ({
  x: { shape: [rows, width], type: 'float32' as const },
  y: { shape: [rows], type: 'int32' as const },
});

function taskOf({ x, y, width }: Points, t: number) {
  const key = (k: number): number => {
    const value = Math.sin(12.9898 * (k + 1) + 78.233 * t) * 43758.5453;
    return value - Math.floor(value);
  };
  const order = Array.from({ length: width }, (_, k) => k);
  if (t > 0) order.sort((a, b) => key(a) - key(b));
  const rows = Int32Array.from(y, (_, row) => row);
  return {
    x: x.map((_, i) => x[i - (i % width) + order[i % width]]),
    train: rows.filter((row) => row % 5 !== 0),
    test: rows.filter((row) => row % 5 === 0),
  };
}

/** A class by the probabilities that logits state. */
function drawn(logits: Float32Array, random: Random): number {
  const top = Math.max(...logits);
  const odds = Array.from(logits, (logit) => Math.exp(logit - top));
  let left = random() * odds.reduce((sum, one) => sum + one, 0);
  for (const [i, one] of odds.entries()) if ((left -= one) < 0) return i;
  return odds.length - 1;
}

const prefixed = (prefix: string, feeds: Feeds): Feeds =>
  Object.fromEntries(Object.entries(feeds).map(([name, values]) => [prefix + name, values]));
