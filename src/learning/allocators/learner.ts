import { adam } from '../engine/optimizers.ts';
import type { Feeds } from '../engine/program.ts';
import { type Tensor, tf } from '../engine/tf.ts';
import { createTrainer, type Loss } from '../engine/trainer.ts';
import { type AllocatorData, fillWindow } from './data.ts';
import { networkOf, openWeights, specOf } from './forward.ts';
import { growthLoss, netSharpeLoss } from './objective.ts';
import type { LearnedId } from './params.ts';
import { learnPolicy } from './policy.ts';
import type { LearnerState, LearnTask } from './state.ts';
import { firstOf, memoryOf, stretchesOf } from './stretches.ts';

/** Trains from scratch or goes on from a state. The same task gives the same bits, resumed or not. */
export const learn = (id: LearnedId, task: LearnTask): Promise<LearnerState> =>
  id === 'ppo' ? learnPolicy(task) : learnDirectly(id, task);

/** By the gradient of an objective that is a known function of the weights. */
async function learnDirectly(id: 'deep' | 'rl', task: LearnTask): Promise<LearnerState> {
  const { data, params, seed, signal } = task;
  const { lookback, costRate, steps } = params;
  const assets = data.symbols.length;
  const { rows, bars } = stretchesOf(task);
  const network = networkOf(id, assets, params);
  const float = (shape: readonly number[]) => ({ shape, type: 'float32' as const });
  const spec = {
    ...specOf(id, bars, assets, lookback),
    next: float([bars, id === 'deep' ? assets : 1 + assets]),
    ...(id === 'rl' && { drift: float([bars, 1 + assets]) }),
  };
  const loss: Loss = (pass, batch) => {
    const weights = network.forward(pass, batch);
    return id === 'deep'
      ? netSharpeLoss(weights, batch['next'], costRate)
      : growthLoss(weights, batch['next'], sliceFirst(batch['previous']), batch['drift'], costRate);
  };
  const seen = windowsOf(data, rows, lookback);
  const trainer = await createTrainer({ network, loss, optimizer: adam(), batch: spec, seed, clipNorm: 1 });
  const memory = memoryOf(id, task);
  const state = (): LearnerState => ({ train: trainer.state(), memory: Float32Array.from(memory) });
  const forward = id === 'rl' ? await openWeights(id, network, bars, assets, lookback) : undefined;
  try {
    if (task.from !== undefined) trainer.restore(task.from.train);
    for (let step = trainer.state().step; step < steps; step++) {
      signal?.throwIfAborted();
      const first = firstOf(rows, bars, seed, `batch ${step}`);
      const feeds = batchOf(id, data, seen, { rows, first, bars }, memory);
      const { losses } = await trainer.step(feeds, params.learningRate);
      if (forward !== undefined) {
        const { weights } = await forward.run(trainer.parameters(), feeds);
        for (let k = 0; k < bars; k++)
          memory.set(
            weights.subarray(k * (1 + assets), (k + 1) * (1 + assets)),
            rows[first + k] * (1 + assets),
          );
      }
      await task.onStep?.(step + 1, losses[0], state);
    }
    return state();
  } finally {
    await trainer.dispose();
    await forward?.dispose();
  }
}

const sliceFirst = (previous: Tensor): Tensor => tf.slice(previous, [0, 0], [1, previous.shape[1] ?? 1]);

/** What the network sees at every row, one row after another, so that consecutive rows are a part of it. */
interface Windows {
  /** [rows, lookback, assets] */
  readonly x: Float32Array;
  /** [rows, assets] */
  readonly mask: Float32Array;
}

function windowsOf(data: AllocatorData, rows: readonly number[], lookback: number): Windows {
  const assets = data.symbols.length;
  const x = new Float32Array(rows.length * lookback * assets);
  const mask = new Float32Array(rows.length * assets);
  for (const [k, row] of rows.entries())
    fillWindow(data, row, lookback, x, k * lookback * assets, mask, k * assets);
  return { x, mask };
}

function batchOf(
  id: 'deep' | 'rl',
  data: AllocatorData,
  seen: Windows,
  { rows, first, bars }: { readonly rows: readonly number[]; readonly first: number; readonly bars: number },
  memory: Float32Array,
): Feeds {
  const assets = data.symbols.length;
  const part = (all: Float32Array): Float32Array => {
    const each = all.length / rows.length;
    return all.subarray(first * each, (first + bars) * each);
  };
  const inputs = { x: part(seen.x), mask: part(seen.mask) };
  const columns = id === 'deep' ? assets : 1 + assets;
  const next = new Float32Array(bars * columns).fill(id === 'deep' ? 0 : 1);
  const drift = new Float32Array(bars * (1 + assets)).fill(1);
  const previous = new Float32Array(bars * (1 + assets));
  for (let k = 0; k < bars; k++) {
    const row = rows[first + k];
    for (const [i, column] of data.returns.entries()) {
      const gain = Number.isFinite(column[row + 1]) ? column[row + 1] : 0;
      if (id === 'deep') next[k * columns + i] = gain;
      else {
        next[k * columns + 1 + i] = 1 + gain;
        drift[k * columns + 1 + i] = Number.isFinite(column[row]) ? 1 + column[row] : 1;
      }
    }
    if (id === 'rl')
      previous.set(memory.subarray((row - 1) * (1 + assets), row * (1 + assets)), k * (1 + assets));
  }
  return id === 'deep' ? { ...inputs, next } : { ...inputs, next, previous, drift };
}
