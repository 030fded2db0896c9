import { expect, it } from 'vitest';
import { createRandom } from '../../../src/core/foundation/random.ts';
import { dense } from '../../../src/learning/engine/layers/dense.ts';
import { defineNetwork, type Pass } from '../../../src/learning/engine/network.ts';
import { adam } from '../../../src/learning/engine/optimizers.ts';
import { createPredictor, exportOnnx, openPredictor } from '../../../src/learning/engine/predictor.ts';
import { type Tensor, tf } from '../../../src/learning/engine/tf.ts';
import { createTrainer, type Trainer, type TrainerOptions } from '../../../src/learning/engine/trainer.ts';
import { loadState, saveState, weightHash } from '../../../src/learning/engine/weights.ts';

const ROWS = 16;
const network = defineNetwork('mlp', (declare) => {
  const hidden = dense(declare, 'hidden', { inputs: 4, outputs: 8 });
  const output = dense(declare, 'output', { inputs: 8, outputs: 1 });
  return (pass, x: Tensor) => {
    const active = tf.tanh(hidden(pass, x)); // [rows, 8]
    const kept = pass.training ? tf.mul(active, tf.cast(pass.mask(active.shape, 0.9), 'float32')) : active;
    return output(pass, kept);
  };
});

const options: TrainerOptions = {
  network,
  optimizer: adam(),
  loss: (pass, { x, y }) => {
    const error = tf.sub(network.forward(pass, x), y);
    return { loss: tf.mean(tf.square(error)), metrics: { worst: tf.max(tf.abs(error)) } };
  },
  batch: { x: { shape: [ROWS, 4], type: 'float32' }, y: { shape: [ROWS, 1], type: 'float32' } },
  seed: 7,
};

/** Rows of y = sin(x0) + x1 x2. */
function batches(count: number): { x: Float32Array; y: Float32Array }[] {
  const random = createRandom(3);
  return Array.from({ length: count }, () => {
    const x = Float32Array.from({ length: 4 * ROWS }, () => 2 * random() - 1);
    const y = Float32Array.from({ length: ROWS }, (_, r) => Math.sin(x[4 * r]) + x[4 * r + 1] * x[4 * r + 2]);
    return { x, y };
  });
}

async function train(trainer: Trainer, from: number, to: number): Promise<number[]> {
  const losses: number[] = [];
  for (const batch of batches(to).slice(from)) losses.push(...(await trainer.step(batch, 0.01)).losses);
  return losses;
}

const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;

it('training lowers the loss, the same way for the same seed and another for another', async () => {
  const [one, two, other] = await Promise.all([
    createTrainer(options),
    createTrainer(options),
    createTrainer({ ...options, seed: 8 }),
  ]);
  const losses = await train(one, 0, 300);
  await train(two, 0, 300);
  await train(other, 0, 300);
  expect(mean(losses.slice(-20))).toBeLessThan(0.4 * mean(losses.slice(0, 20)));
  expect(weightHash(two.parameters())).toBe(weightHash(one.parameters()));
  expect(weightHash(other.parameters())).not.toBe(weightHash(one.parameters()));
  await Promise.all([one.dispose(), two.dispose(), other.dispose()]);
});

it('a run that stops and resumes from its saved state ends with the same weights', async () => {
  const whole = await createTrainer(options);
  await train(whole, 0, 40);
  const first = await createTrainer(options);
  await train(first, 0, 20);
  const { index, blob } = saveState(network.parameters, first.state());
  const second = await createTrainer({ ...options });
  second.restore(loadState(network.parameters, JSON.parse(JSON.stringify(index)), blob));
  await train(second, 20, 40);
  expect(weightHash(second.parameters())).toBe(weightHash(whole.parameters()));
  await Promise.all([whole.dispose(), first.dispose(), second.dispose()]);
});

it('unrolled steps and micro-batches take the same steps, random masks included', async () => {
  const single = await createTrainer(options);
  const losses = await train(single, 0, 4);
  const unrolled = await createTrainer({ ...options, unroll: 4 });
  const all = batches(4);
  const joined = (key: 'x' | 'y'): Float32Array => Float32Array.from(all.flatMap((batch) => [...batch[key]]));
  const result = await unrolled.step({ x: joined('x'), y: joined('y') }, 0.01);
  expect([...result.losses]).toEqual(losses);
  expect(weightHash(unrolled.parameters())).toBe(weightHash(single.parameters()));
  const micro = await createTrainer({ ...options, microBatches: 4 });
  await train(micro, 0, 4);
  const expected = single.parameters();
  micro.parameters().forEach((value, i) => expect(value).toBeCloseTo(expected[i], 5));
  await Promise.all([single.dispose(), unrolled.dispose(), micro.dispose()]);
});

it('the compiled step follows TF.js run eagerly', async () => {
  const [compiled, eager] = [
    await createTrainer(options),
    await createTrainer({ ...options, engine: 'tfjs' }),
  ];
  const expected = await train(eager, 0, 10);
  (await train(compiled, 0, 10)).forEach((loss, i) => expect(loss).toBeCloseTo(expected[i], 5));
  await Promise.all([compiled.dispose(), eager.dispose()]);
});

it('eager training leaves no tensors behind', async () => {
  const eager = await createTrainer({ ...options, engine: 'tfjs' });
  await train(eager, 0, 2);
  const before = tf.memory().numTensors;
  await train(eager, 0, 5);
  expect(tf.memory().numTensors).toBe(before);
  await eager.dispose();
});

it('a loss that is not a number stops the run at its step and leaves the state before it', async () => {
  const trainer = await createTrainer(options);
  await train(trainer, 0, 3);
  const good = weightHash(trainer.parameters());
  const [batch] = batches(1);
  await expect(trainer.step({ ...batch, x: batch.x.fill(NaN) }, 0.01)).rejects.toThrow(
    'Training of "mlp" diverged at step 4: the loss is NaN.',
  );
  expect(weightHash(trainer.parameters())).toBe(good);
  expect(trainer.state().step).toBe(3);
  await trainer.dispose();
});

it('metrics of the loss come back beside it', async () => {
  const trainer = await createTrainer(options);
  const { metrics, losses } = await trainer.step(batches(1)[0], 0.01);
  expect(metrics.worst[0] ** 2).toBeGreaterThan(losses[0]);
  await trainer.dispose();
});

it('an exported model gives the forecasts of the network in both engines', async () => {
  const trainer = await createTrainer(options);
  await train(trainer, 0, 5);
  const predict = {
    network,
    outputs: (pass: Pass, { x }: Readonly<Record<string, Tensor>>) => ({ y: network.forward(pass, x) }),
    parameters: trainer.parameters(),
    batch: { x: options.batch.x },
  };
  const [{ x }] = batches(1);
  const predictor = await openPredictor(exportOnnx(predict));
  const eager = await createPredictor({ ...predict, engine: 'tfjs' });
  const [found, expected] = [await predictor.run({ x }), await eager.run({ x })];
  expect(found.y.length).toBe(ROWS);
  found.y.forEach((value, i) => expect(value).toBeCloseTo(expected.y[i], 5));
  await Promise.all([trainer.dispose(), predictor.dispose(), eager.dispose()]);
});
