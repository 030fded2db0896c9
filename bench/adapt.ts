import type { BenchRow } from './bench.ts';
import { trainSine } from './adapt/sine.ts';
import { runPeer } from './peers/run.ts';

const ITERATIONS = 400;

/** Steps of meta-learning; the tasks of the papers and candles have commands of their own in `adapt/`. */
export async function run(): Promise<readonly BenchRow[]> {
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
