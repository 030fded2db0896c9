/**
 * One workload in a process of its own, so that its peak memory is its own: one line of JSON.
 * usage: one.ts <mlp|lstm|gru|transformer|lstm-window|lstm-windows|products>
 */
import { availableParallelism } from 'node:os';
import { fanInUniform } from '../../src/learning/engine/initializers.ts';
import { meanSquared } from '../../src/learning/engine/losses.ts';
import { defineNetwork, type Network } from '../../src/learning/engine/network.ts';
import { adam, sgd } from '../../src/learning/engine/optimizers.ts';
import { createParallelTrainer } from '../../src/learning/engine/parallel/trainer.ts';
import { createPredictor } from '../../src/learning/engine/predictor.ts';
import { type Tensor, tf } from '../../src/learning/engine/tf.ts';
import { createTrainer, type TrainerOptions } from '../../src/learning/engine/trainer.ts';
import { initialParameters } from '../../src/learning/engine/weights.ts';
import { medianMs } from '../bench.ts';
import { peakMb } from '../peak.mjs';
import { networks } from './networks.ts';

const wave = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => Math.sin(i));
const size = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

/** Milliseconds a training step, and to compile and open it. */
async function train(name: string): Promise<{ ms: number; openMs: number }> {
  const { network, shape } = networks[name];
  const unroll = name === 'mlp' ? 32 : 1;
  const options: TrainerOptions = {
    network,
    optimizer: adam(),
    loss: (pass, { x, y }) => meanSquared(network.forward(pass, x), y),
    batch: { x: { shape, type: 'float32' }, y: { shape: [shape[0], 1], type: 'float32' } },
    seed: 1,
    // Activations of 8 rows stay in the cache.
    microBatches: name === 'transformer' ? 4 : 1,
  };
  const start = performance.now();
  const trainer =
    unroll > 1 ? await createTrainer({ ...options, unroll }) : await createParallelTrainer(options);
  const openMs = performance.now() - start;
  const batch = { x: wave(unroll * size(shape)), y: wave(unroll * shape[0]) };
  const step = () => trainer.step(batch, 1e-3);
  for (let i = 0; i < 3; i++) await step();
  const ms = (await medianMs(step, unroll > 1 ? 100 : 7)) / unroll;
  await trainer.dispose();
  return { ms, openMs };
}

/** Milliseconds to forecast `windows` windows of 168 steps with the LSTM, `rows` at a time. */
async function predict(windows: number, rows: number): Promise<{ ms: number; openMs: number }> {
  const { network }: { network: Network } = networks.lstm;
  const start = performance.now();
  const predictor = await createPredictor({
    network,
    outputs: (pass, { x }) => ({ y: network.forward(pass, x) }),
    parameters: initialParameters(network.parameters, 1),
    batch: { x: { shape: [rows, 168, 8], type: 'float32' } },
  });
  const openMs = performance.now() - start;
  const x = wave(rows * 168 * 8);
  const runs = { count: Math.ceil(windows / rows), feeds: () => ({ x }), take: () => undefined };
  const all = (): Promise<void> => predictor.runAll(runs);
  const ms = await medianMs(all, rows > 1 ? 2 : 50);
  await predictor.dispose();
  return { ms, openMs };
}

/**
 * How long the LSTM step's 25.9 GFLOP take as large products, on all cores as training uses them: a network of nothing but
 * products of 1024 x 1024. Of `depth` products forward, every one has two backward, the first only that of the weight.
 */
async function products(): Promise<{ ms: number; openMs: number }> {
  const [n, depth, workers] = [1024, 8, availableParallelism()];
  const network = defineNetwork('products', (declare) => {
    const weight = declare('weight', [n, n], fanInUniform(n));
    return (pass, x: Tensor) =>
      Array.from({ length: depth }).reduce<Tensor>((value) => tf.matMul(value, pass.value(weight)), x);
  });
  const trainer = await createParallelTrainer({
    network,
    optimizer: sgd(),
    loss: (pass, { x }) => tf.mean(network.forward(pass, x)),
    batch: { x: { shape: [workers * n, n], type: 'float32' } },
    seed: 1,
    workers,
  });
  const x = wave(workers * n * n);
  const ms = await medianMs(() => trainer.step({ x }, 1e-3), 5);
  await trainer.dispose();
  return { ms: (ms * 25.9e9) / (workers * (3 * depth - 1) * 2 * n ** 3), openMs: 0 };
}

const workload = process.argv[2];
const figures =
  workload === 'products'
    ? await products()
    : workload === 'lstm-window'
      ? await predict(1, 1)
      : workload === 'lstm-windows'
        ? await predict(17_520, 64)
        : await train(workload);
console.log(JSON.stringify({ ...figures, peakMb: peakMb() }));
process.exit(0);
