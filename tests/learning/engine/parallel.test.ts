import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dense } from '../../../src/learning/engine/layers/dense.ts';
import { dropout } from '../../../src/learning/engine/layers/dropout.ts';
import { embedding } from '../../../src/learning/engine/layers/embedding.ts';
import { meanSquared } from '../../../src/learning/engine/losses.ts';
import { defineNetwork } from '../../../src/learning/engine/network.ts';
import { adam } from '../../../src/learning/engine/optimizers.ts';
import {
  createParallelTrainer,
  type ParallelOptions,
} from '../../../src/learning/engine/parallel/trainer.ts';
import { type Tensor, tf } from '../../../src/learning/engine/tf.ts';
import { createTrainer, type Trainer } from '../../../src/learning/engine/trainer.ts';
import { weightHash } from '../../../src/learning/engine/weights.ts';

const ROWS = 15; // does not divide by two
const CLASSES = 4;
const network = defineNetwork('small', (declare) => {
  const table = embedding(declare, 'symbol', { classes: CLASSES, size: 3 });
  const hidden = dense(declare, 'hidden', { inputs: 5, outputs: 8 });
  const output = dense(declare, 'output', { inputs: 8, outputs: 1 });
  return (pass, { x, symbol }: Readonly<Record<string, Tensor>>) => {
    const joined = tf.concat([x, table(pass, symbol)], 1);
    return output(pass, dropout(pass, tf.tanh(hidden(pass, joined)), 0.2));
  };
});

const options: ParallelOptions = {
  network,
  optimizer: adam(),
  loss: (pass, batch) => meanSquared(network.forward(pass, batch), batch.y),
  batch: {
    x: { shape: [ROWS, 2], type: 'float32' },
    symbol: { shape: [ROWS], type: 'int32' },
    y: { shape: [ROWS, 1], type: 'float32' },
  },
  seed: 5,
  clipNorm: 0.5,
};

const batchAt = (step: number, rows = ROWS) => {
  const x = Float32Array.from({ length: 2 * rows }, (_, i) => Math.sin(i + 31 * step));
  const symbol = Int32Array.from({ length: rows }, (_, i) => (i + step) % CLASSES);
  return { x, symbol, y: Float32Array.from(symbol, (s, r) => s * x[2 * r]) };
};

async function train(trainer: Trainer, from: number, to: number): Promise<number[]> {
  const losses: number[] = [];
  for (let step = from; step < to; step++) losses.push((await trainer.step(batchAt(step), 0.01)).losses[0]);
  return losses;
}

const workers = Math.min(2, availableParallelism());

describe('training on several threads', () => {
  it('takes the steps of one thread but for rounding, dropout and clipping included', async () => {
    const [single, parallel] = [
      await createTrainer(options),
      await createParallelTrainer({ ...options, workers }),
    ];
    const expected = await train(single, 0, 20);
    (await train(parallel, 0, 20)).forEach((loss, i) => expect(loss).toBeCloseTo(expected[i], 4));
    await Promise.all([single.dispose(), parallel.dispose()]);
  });

  it('gives every worker its own rows of the random numbers where all run one graph', async () => {
    const rows = 4 * workers;
    const batch = {
      x: { shape: [rows, 2], type: 'float32' as const },
      symbol: { shape: [rows], type: 'int32' as const },
      y: { shape: [rows, 1], type: 'float32' as const },
    };
    const [single, parallel] = [
      await createTrainer({ ...options, batch }),
      await createParallelTrainer({ ...options, batch, workers }),
    ];
    for (let step = 0; step < 5; step++) {
      const feeds = batchAt(step, rows);
      const [expected, found] = [await single.step(feeds, 0.01), await parallel.step(feeds, 0.01)];
      expect(found.losses[0]).toBeCloseTo(expected.losses[0], 5);
    }
    await Promise.all([single.dispose(), parallel.dispose()]);
  });

  it('gives the same bits for the same seed and worker count, resumed or not', async () => {
    const one = await createParallelTrainer({ ...options, workers });
    await train(one, 0, 20);
    const first = await createParallelTrainer({ ...options, workers });
    await train(first, 0, 10);
    const state = first.state();
    await first.dispose();
    const second = await createParallelTrainer({ ...options, workers });
    second.restore(state);
    await train(second, 10, 20);
    expect(weightHash(second.parameters())).toBe(weightHash(one.parameters()));
    await Promise.all([one.dispose(), second.dispose()]);
  });

  it('a worker that dies fails the run with its reason, then and afterwards', async () => {
    const trainer = await createParallelTrainer({ ...options, workers });
    await train(trainer, 0, 2);
    const broken = { ...batchAt(2), symbol: new Int32Array(ROWS).fill(CLASSES) };
    await expect(trainer.step(broken, 0.01)).rejects.toThrow(/Training worker \d died: .*out of data bounds/);
    await expect(trainer.step(batchAt(3), 0.01)).rejects.toThrow(/Training worker \d died/);
    await trainer.dispose();
  });

  it.each([
    ['worker', 0],
    ['process', 7],
  ])('the end of a %s in the middle of a step takes nothing down', async (what, expected) => {
    const script = resolve(import.meta.dirname, 'parallel-end.ts');
    const { code, output } = await new Promise<{ code: unknown; output: string }>((done) =>
      execFile(process.execPath, ['--import', 'tsx', script, what], (error, stdout, stderr) =>
        done({ code: error ? error.code : 0, output: stdout + stderr }),
      ),
    );
    expect(code, output).toBe(expected);
  });

  it('a loss that is not a number names the step and keeps the state before it', async () => {
    const trainer = await createParallelTrainer({ ...options, workers });
    await train(trainer, 0, 2);
    const good = weightHash(trainer.parameters());
    const bad = { ...batchAt(2), y: new Float32Array(ROWS).fill(NaN) };
    await expect(trainer.step(bad, 0.01)).rejects.toThrow('diverged at step 3: the loss is NaN');
    expect(weightHash(trainer.parameters())).toBe(good);
    await train(trainer, 2, 3);
    await trainer.dispose();
  });

  it('more workers than cores, or than rows, are refused', async () => {
    const cores = availableParallelism();
    await expect(createParallelTrainer({ ...options, workers: cores + 1 })).rejects.toThrow(
      `${cores + 1} training workers asked for; this machine has ${cores} cores.`,
    );
    const batch = { y: { shape: [1, 1], type: 'float32' as const } };
    await expect(createParallelTrainer({ ...options, batch, workers: 2 })).rejects.toThrow(/cores|1 rows/);
  });
});
