import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';
import { meanSquared } from '../src/learning/engine/losses.ts';
import { adam, type Optimizer } from '../src/learning/engine/optimizers.ts';
import { createTrainer } from '../src/learning/engine/trainer.ts';
import { elastic } from '../src/learning/learners/continual/elastic.ts';
import { type BenchRow, medianMs } from './bench.ts';
import { detectorRows } from './adapt/detectors.ts';
import { trainSine } from './adapt/sine.ts';
import { networks } from './engine/networks.ts';
import { runPeer } from './peers/run.ts';

const ITERATIONS = 400;

/** What adapting costs; the tasks of the papers and candles have commands of their own in `adapt/`. */
export async function run(): Promise<readonly BenchRow[]> {
  return [...(await metaRows()), ...(await springRows()), adaptationRow(), ...detectorRows()];
}

async function metaRows(): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  const peer = runPeer('adapt.py');
  for (const method of ['maml', 'first-order'] as const) {
    const task = { method, shots: 10, iterations: ITERATIONS, seed: 1, evaluated: 1 };
    const { seconds } = await trainSine(task);
    rows.push({
      name: `${method === 'maml' ? 'second-order' : 'first-order'} MAML step, 25 sinusoids of 10 points, 40-40`,
      value: (1000 * seconds) / ITERATIONS,
      unit: 'ms',
      ...(method === 'maml' && { target: '1/3 of PyTorch' }),
      ...(peer === undefined
        ? { note: 'no Python with PyTorch here' }
        : { peer: { name: 'PyTorch, tasks batched', value: peer[method] } }),
    });
  }
  return rows;
}

/** What EWC's springs add to a step: of a network as candles have, and of one so small that its update is most of it. */
async function springRows(): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const [name, unroll, target] of [
    ['gru', 1, '<= 15'],
    ['mlp', 32, undefined],
  ] as const) {
    const { network, shape } = networks[name];
    const stepMs = async (optimizer: Optimizer): Promise<number> => {
      const trainer = await createTrainer({
        ...{ network, optimizer, seed: 1, unroll },
        loss: (pass, { x, y }) => meanSquared(network.forward(pass, x), y),
        batch: { x: { shape, type: 'float32' }, y: { shape: [shape[0], 1], type: 'float32' } },
      });
      const wave = (count: number): Float32Array =>
        Float32Array.from({ length: count }, (_, i) => Math.sin(i));
      const size = shape.reduce((product, length) => product * length, unroll);
      const batch = { x: wave(size), y: wave(unroll * shape[0]) };
      for (let i = 0; i < 2; i++) await trainer.step(batch, 1e-3);
      const ms = await medianMs(() => trainer.step(batch, 1e-3), unroll > 1 ? 101 : 11);
      await trainer.dispose();
      return ms / unroll;
    };
    const plain = await stepMs(adam());
    const held = await stepMs(elastic(adam(), { strength: 1, clipNorm: 1 }));
    rows.push({
      name: `EWC: what its springs add to a step of the ${name} of [${shape.join(', ')}]`,
      value: 100 * (held / plain - 1),
      unit: '%',
      ...(target !== undefined && { target }),
    });
  }
  return rows;
}

function adaptationRow(): BenchRow {
  const script = join(import.meta.dirname, 'models/one.ts');
  const output = execFileSync(process.execPath, ['--import', 'tsx', script, 'tft', 'adapt'], {
    encoding: 'utf8',
  });
  const { adaptMs } = z.object({ adaptMs: z.number() }).parse(JSON.parse(output));
  return {
    name: 'a TFT of the size of `train --mode full` adapts to 10 windows in 5 steps',
    value: adaptMs / 1000,
    unit: 's',
    target: '<= 5',
  };
}
