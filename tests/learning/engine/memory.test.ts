import { expect, it } from 'vitest';
import { dense } from '../../../src/learning/engine/layers/dense.ts';
import { dropout } from '../../../src/learning/engine/layers/dropout.ts';
import { meanSquared } from '../../../src/learning/engine/losses.ts';
import { defineNetwork } from '../../../src/learning/engine/network.ts';
import { adam } from '../../../src/learning/engine/optimizers.ts';
import {
  createParallelTrainer,
  type ParallelOptions,
} from '../../../src/learning/engine/parallel/trainer.ts';
import { type Tensor, tf } from '../../../src/learning/engine/tf.ts';
import { createTrainer } from '../../../src/learning/engine/trainer.ts';

const network = defineNetwork('mlp', (declare) => {
  const hidden = dense(declare, 'hidden', { inputs: 20, outputs: 16 });
  const output = dense(declare, 'output', { inputs: 16, outputs: 1 });
  return (pass, x: Tensor) => output(pass, dropout(pass, tf.tanh(hidden(pass, x)), 0.1));
});

const options: ParallelOptions = {
  network,
  optimizer: adam(),
  loss: (pass, { x, y }) => meanSquared(network.forward(pass, x), y),
  batch: { x: { shape: [16, 20], type: 'float32' }, y: { shape: [16, 1], type: 'float32' } },
  seed: 1,
};
const open = () => createTrainer(options);
const batch = {
  x: Float32Array.from({ length: 16 * 20 }, (_, i) => Math.sin(i)),
  y: Float32Array.from({ length: 16 }, (_, i) => Math.cos(i)),
};
const residentMb = (): number => process.memoryUsage().rss / 2 ** 20;

it.each([
  ['one session', open],
  ['worker threads', () => createParallelTrainer(options)],
])('10 000 steps of %s do not grow the process', async (_, opened) => {
  const trainer = await opened();
  for (let step = 0; step < 1000; step++) await trainer.step(batch, 1e-3);
  const before = residentMb();
  for (let step = 0; step < 10_000; step++) await trainer.step(batch, 1e-3);
  expect(residentMb() - before).toBeLessThan(60);
  await trainer.dispose();
});

it('opening and disposing trainers does not grow the process or leave tensors', async () => {
  const cycle = async (): Promise<void> => {
    const trainer = await open();
    await trainer.step(batch, 1e-3);
    await trainer.dispose();
  };
  for (let i = 0; i < 10; i++) await cycle();
  const [before, tensors] = [residentMb(), tf.memory().numTensors];
  for (let i = 0; i < 50; i++) await cycle();
  expect(tf.memory().numTensors).toBe(tensors);
  expect(residentMb() - before).toBeLessThan(60);
});
