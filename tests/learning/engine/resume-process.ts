/**
 * A part of a training in a process of its own, for `resume.test.ts`: `resume-process.ts FOLDER FROM TO` goes on from the state
 * in the folder when FROM is not zero, trains until step TO, saves the state there, and writes the hash of the weights.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dense } from '../../../src/learning/engine/layers/dense.ts';
import { dropout } from '../../../src/learning/engine/layers/dropout.ts';
import { gru } from '../../../src/learning/engine/layers/gru.ts';
import { toSteps } from '../../../src/learning/engine/layers/sequence.ts';
import { meanSquared } from '../../../src/learning/engine/losses.ts';
import { defineNetwork } from '../../../src/learning/engine/network.ts';
import { adamw } from '../../../src/learning/engine/optimizers.ts';
import { type Tensor, tf } from '../../../src/learning/engine/tf.ts';
import { createTrainer } from '../../../src/learning/engine/trainer.ts';
import { loadState, saveState, weightHash } from '../../../src/learning/engine/weights.ts';

const [folder, from, to] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const [INDEX, BLOB] = [join(folder, 'index.json'), join(folder, 'weights.bin')];
const [ROWS, TIME] = [8, 5];

const network = defineNetwork('resumed', (declare) => {
  const layer = gru(declare, 'gru', { inputs: 2, hidden: 6 });
  const head = dense(declare, 'head', { inputs: 6, outputs: 1 });
  return (pass, x: Tensor) => {
    const steps = layer(pass, { steps: toSteps(x) });
    return head(pass, dropout(pass, tf.transpose(steps[TIME - 1]), 0.3));
  };
});
const trainer = await createTrainer({
  network,
  optimizer: adamw({ weightDecay: 0.01 }),
  loss: (pass, { x, y }) => meanSquared(network.forward(pass, x), y),
  batch: { x: { shape: [ROWS, TIME, 2], type: 'float32' }, y: { shape: [ROWS, 1], type: 'float32' } },
  seed: 3,
  clipNorm: 0.5,
});
if (from > 0)
  trainer.restore(loadState(network.parameters, JSON.parse(readFileSync(INDEX, 'utf8')), readFileSync(BLOB)));
for (let step = from; step < to; step++) {
  const x = Float32Array.from({ length: ROWS * TIME * 2 }, (_, i) => Math.sin(i + 17 * step));
  const y = Float32Array.from({ length: ROWS }, (_, row) => x[row * TIME * 2]);
  await trainer.step({ x, y }, 0.01);
}
const { index, blob } = saveState(network.parameters, trainer.state());
writeFileSync(INDEX, JSON.stringify(index));
writeFileSync(BLOB, blob);
process.stdout.write(weightHash(trainer.parameters()));
await trainer.dispose();
