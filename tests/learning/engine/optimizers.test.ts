import { describe, expect, it } from 'vitest';
import { defineNetwork } from '../../../src/learning/engine/network.ts';
import { adam, adamw, type Optimizer, rmsprop, sgd } from '../../../src/learning/engine/optimizers.ts';
import { type Tensor, tf } from '../../../src/learning/engine/tf.ts';
import { createTrainer, type Trainer } from '../../../src/learning/engine/trainer.ts';
import { distance, fill, golden, numbersAt } from './golden.ts';

const values = golden('layers.json');

/** Minimises sum((w - [1, -2, 0.5])^2) + prod(w) from the golden start. */
async function trainer(optimizer: Optimizer, unroll: number): Promise<Trainer> {
  const network = defineNetwork('bowl', (declare) => {
    const w = declare('w', [3], (shape) => fill(shape));
    return (pass, target: Tensor) => {
      const value = pass.value(w);
      const [a, b, c] = tf.unstack(value);
      const product = tf.mul(a, tf.mul(b, c));
      return tf.add(tf.sum(tf.square(tf.sub(value, tf.reshape(target, [3])))), product);
    };
  });
  return createTrainer({
    network,
    optimizer,
    loss: (pass, { target }) => network.forward(pass, target),
    batch: { target: { shape: [1, 3], type: 'float32' } },
    seed: 1,
    unroll,
  });
}

const target = (unroll: number): Float32Array =>
  Float32Array.from({ length: 3 * unroll }, (_, i) => [1, -2, 0.5][i % 3]);

describe('optimisers against PyTorch', () => {
  it.each([
    ['opt_adam_lr.1_eps1e-8', adam(), 0.1],
    ['opt_adam_lr.1_eps1e-5', adam({ epsilon: 1e-5 }), 0.1],
    ['opt_adamw_lr.1_wd.01', adamw({ weightDecay: 0.01 }), 0.1],
    ['opt_rmsprop_lr.01', rmsprop(), 0.01],
    ['opt_sgd_m.9_nesterov_lr.01', sgd({ momentum: 0.9, nesterov: true }), 0.01],
  ])('%s takes the same five steps', async (key, optimizer, learningRate) => {
    const single = await trainer(optimizer, 1);
    const path: number[] = [];
    for (let step = 0; step < 5; step++) {
      await single.step({ target: target(1) }, learningRate);
      path.push(...single.parameters());
    }
    expect(distance(path, numbersAt(values, key))).toBeLessThan(1e-5);
    await single.dispose();

    const unrolled = await trainer(optimizer, 5);
    await unrolled.step({ target: target(5) }, learningRate);
    expect(unrolled.parameters()).toEqual(Float32Array.from(path.slice(-3)));
    await unrolled.dispose();
  });
});

it('clipping scales the gradient to the largest norm', async () => {
  const network = defineNetwork('slope', (declare) => {
    const w = declare('w', [3], (shape) => fill(shape));
    return (pass) => tf.mul(tf.sum(tf.square(pass.value(w))), 10);
  });
  const clipped = await createTrainer({
    network,
    optimizer: sgd(),
    loss: (pass, { x }) => network.forward(pass, x),
    batch: { x: { shape: [1], type: 'float32' } },
    seed: 1,
    clipNorm: 0.5,
  });
  const { gradientNorms } = await clipped.step({ x: new Float32Array(1) }, 1);
  const change = fill([3]).map((value, i) => value - clipped.parameters()[i]);
  expect(Math.hypot(...change)).toBeCloseTo(0.5, 5);
  expect(gradientNorms[0]).toBeCloseTo(numbersAt(values, 'clip_grad_norm_.5', 'norm')[0], 4);
  expect(distance(change, numbersAt(values, 'clip_grad_norm_.5', 'grad'))).toBeLessThan(1e-5);
  await clipped.dispose();
});
