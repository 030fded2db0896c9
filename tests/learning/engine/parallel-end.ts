/**
 * A run on two threads that ends in the middle of a step, for `parallel.test.ts` to start as a process of its own:
 * `worker` gives the first worker a row it cannot look up while the second computes for long, `process` exits with
 * code 7 while both compute.
 */
import { availableParallelism } from 'node:os';
import { dense } from '../../../src/learning/engine/layers/dense.ts';
import { embedding } from '../../../src/learning/engine/layers/embedding.ts';
import { meanSquared } from '../../../src/learning/engine/losses.ts';
import { defineNetwork } from '../../../src/learning/engine/network.ts';
import { sgd } from '../../../src/learning/engine/optimizers.ts';
import { createParallelTrainer } from '../../../src/learning/engine/parallel/trainer.ts';
import { type Tensor, tf } from '../../../src/learning/engine/tf.ts';

const ROWS = 4096; // a step takes tenths of a second
const CLASSES = 4;
const network = defineNetwork('wide', (declare) => {
  const table = embedding(declare, 'symbol', { classes: CLASSES, size: 8 });
  const layers = [8, 1024, 1024, 1].map((outputs, i, sizes) =>
    dense(declare, `layer-${i}`, { inputs: i === 0 ? 8 : sizes[i - 1], outputs }),
  );
  return (pass, { symbol }: Readonly<Record<string, Tensor>>) =>
    layers.reduce((values, layer) => tf.tanh(layer(pass, values)), table(pass, symbol));
});
const trainer = await createParallelTrainer({
  network,
  optimizer: sgd(),
  loss: (pass, batch) => meanSquared(network.forward(pass, batch), batch['y']),
  batch: { symbol: { shape: [ROWS], type: 'int32' }, y: { shape: [ROWS, 1], type: 'float32' } },
  seed: 1,
  workers: Math.min(2, availableParallelism()),
});
const symbol = new Int32Array(ROWS);
const y = new Float32Array(ROWS);
await trainer.step({ symbol, y }, 0.01);
if (process.argv[2] === 'worker') {
  symbol[0] = CLASSES;
  await trainer.step({ symbol, y }, 0.01).catch((error: unknown) => process.stdout.write(String(error)));
  await trainer.dispose();
} else {
  setTimeout(() => process.exit(7), 20);
  await trainer.step({ symbol, y }, 0.01);
}
