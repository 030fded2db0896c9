import { createRandom, type Random } from '../../src/core/foundation/random.ts';
import { createExecutor } from '../../src/learning/engine/executor.ts';
import { dense } from '../../src/learning/engine/layers/dense.ts';
import { meanSquared } from '../../src/learning/engine/losses.ts';
import { defineNetwork } from '../../src/learning/engine/network.ts';
import { adam } from '../../src/learning/engine/optimizers.ts';
import type { Feed } from '../../src/learning/engine/program.ts';
import { type Tensor, tf } from '../../src/learning/engine/tf.ts';
import { createTrainer, type Loss } from '../../src/learning/engine/trainer.ts';
import {
  adaptationProgram,
  type MetaMethod,
  type MetaOptions,
  metaTraining,
} from '../../src/learning/learners/continual/meta.ts';

/** Sinusoids of Finn, Abbeel & Levine 2017, section 5.1: amplitude U(.1, 5), phase U(0, pi), x U(-5, 5). */
function sinusoid(
  random: Random,
  points: readonly number[],
): { readonly x: Float32Array; readonly y: Float32Array }[] {
  const [amplitude, phase] = [0.1 + 4.9 * random(), Math.PI * random()];
  return points.map((count) => {
    const x = Float32Array.from({ length: count }, () => 10 * random() - 5);
    return { x, y: x.map((at) => amplitude * Math.sin(at - phase)) };
  });
}

const network = defineNetwork<Tensor, Tensor>('sine', (declare) => {
  const layers = [
    dense(declare, 'first', { inputs: 1, outputs: 40 }),
    dense(declare, 'second', { inputs: 40, outputs: 40 }),
  ];
  const head = dense(declare, 'head', { inputs: 40, outputs: 1 });
  return (pass, x) =>
    head(
      pass,
      layers.reduce((hidden, layer) => tf.relu(layer(pass, hidden)), x),
    );
});

const loss: Loss = (pass, { x, y }) => meanSquared(network.forward(pass, x), y);

export interface SineTask {
  readonly method: MetaMethod;
  readonly shots: number;
  readonly iterations: number;
  readonly seed: number;
  readonly innerRate?: number;
  readonly innerSteps?: number;
  /** New sinusoids that are learned at the end; default 600, as in the reference. */
  readonly evaluated?: number;
}

const UNROLL = 4;
const TASKS = 25;

/** Mean squared error of 600 new sinusoids, 100 points each, after 0 to 10 inner steps, and the seconds of training. */
export async function trainSine(task: SineTask) {
  const options: MetaOptions = {
    method: task.method,
    innerRate: task.innerRate ?? 0.01,
    innerSteps: task.innerSteps ?? 1,
    tasks: TASKS,
  };
  const points = { shape: [task.shots, 1], type: 'float32' as const };
  const problem = { network, loss, batch: { x: points, y: points }, stacks: true };
  const training = metaTraining(problem, options);
  const trainer = await createTrainer({ ...training, optimizer: adam(), seed: task.seed, unroll: UNROLL });
  const random = createRandom(task.seed);
  const rows = TASKS * UNROLL * task.shots;
  const feeds: Record<string, Float32Array> = {};
  for (const name of ['support.x', 'support.y', 'query.x', 'query.y']) feeds[name] = new Float32Array(rows);
  const drawTasks = (): void => {
    for (let t = 0; t < TASKS * UNROLL; t++) {
      const drawn = sinusoid(random, [task.shots, task.shots]);
      ['support', 'query'].forEach((part, p) => {
        feeds[`${part}.x`].set(drawn[p].x, t * task.shots);
        feeds[`${part}.y`].set(drawn[p].y, t * task.shots);
      });
    }
  };
  drawTasks();
  const begin = trainer.state();
  for (let i = 0; i < 3; i++) await trainer.step(feeds, 1e-3);
  trainer.restore(begin);
  const started = performance.now();
  for (let step = 0; step < task.iterations; step += UNROLL) {
    drawTasks();
    await trainer.step(feeds, 1e-3);
  }
  const seconds = (performance.now() - started) / 1000;
  const parameters = trainer.parameters();
  await trainer.dispose();
  const errors = await evaluate(parameters, task, { ...options, innerSteps: 10 });
  return { seconds, errors };
}

async function evaluate(
  parameters: Float32Array,
  { shots, seed, evaluated = 600 }: SineTask,
  options: MetaOptions,
): Promise<number[]> {
  // Support and query have equally many rows in a program: a hundred points are as many queries of `shots`.
  const points = { shape: [shots, 1], type: 'float32' as const };
  const program = adaptationProgram({ network, loss, batch: { x: points, y: points } }, options);
  const executor = await createExecutor(program);
  const random = createRandom(seed + 1000);
  const losses = new Float32Array(11);
  const results: Record<string, Feed> = { 'parameters.next': new Float32Array(parameters.length), losses };
  const sums = new Float64Array(11);
  const queries = 100 / shots;
  for (let t = 0; t < evaluated; t++) {
    const [support, ...query] = sinusoid(random, [shots, ...Array.from({ length: queries }, () => shots)]);
    for (const one of query) {
      const feeds = {
        parameters,
        'support.x': support.x,
        'support.y': support.y,
        'query.x': one.x,
        'query.y': one.y,
      };
      await executor.run(feeds, results, () => new Float32Array());
      losses.forEach((value, step) => (sums[step] += value / (evaluated * queries)));
    }
  }
  await executor.release();
  return [...sums];
}
