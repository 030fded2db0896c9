import { z } from 'zod';
import { issueLines } from '../../core/foundation/plain-issues.ts';
import { UserError } from '../../core/foundation/errors.ts';
import type { Artifact } from '../../core/forecast/model.ts';
import { createRandom, deriveSeed } from '../../core/foundation/random.ts';
import { createExecutor } from '../engine/executor.ts';
import type { Network } from '../engine/network.ts';
import { adam } from '../engine/optimizers.ts';
import { type BatchSpec, createPass, type Feeds, unflatten } from '../engine/program.ts';
import { type Tensor, tf } from '../engine/tf.ts';
import { createTrainer, type Loss } from '../engine/trainer.ts';
import { loadState, parameterCount, saveState, type TrainState } from '../engine/weights.ts';
import { type AllocatorData, decidableRows, fillWindow } from './data.ts';
import { deepNetwork, eiieNetwork } from './networks.ts';
import { growthLoss, netSharpeLoss } from './objective.ts';
import { LEARNED_IDS, type LearnedId, type LearnerParams } from './params.ts';

export interface LearnTask {
  readonly data: AllocatorData;
  /** Nothing after this row is looked at. */
  readonly lastRow: number;
  readonly params: LearnerParams;
  readonly seed: number;
  /** A state that training goes on from; its step counts. */
  readonly from?: LearnerState | undefined;
  readonly signal?: AbortSignal | undefined;
  /** After every step; what it returns is waited for. */
  readonly onStep?: (done: number, loss: number, state: () => LearnerState) => Promise<void> | void;
}

/** All that a resumed training needs. */
export interface LearnerState {
  readonly train: TrainState;
  /** Portfolio vector memory of `rl`, [rows, 1 + assets]; empty for `deep`. */
  readonly memory: Float32Array;
}

/** The step's batch: consecutive rows, drawn from the seed and the step alone, so that a resumed run draws the same. */
function firstOf(rows: readonly number[], bars: number, seed: number, step: number): number {
  const random = createRandom(deriveSeed(seed, `batch ${step}`));
  // Recent stretches are drawn more often: a geometric distribution from the end, as the paper's.
  const last = rows.length - bars;
  const back = Math.floor(Math.log(1 - random()) / Math.log(1 - Math.min(0.9, 2 / Math.max(2, last))));
  return Math.max(0, last - (back % (last + 1)));
}

function networkOf(
  id: LearnedId,
  assets: number,
  { lookback, hidden }: LearnerParams,
): Network<Readonly<Record<string, Tensor>>, Tensor> {
  const deep = deepNetwork({ assets, hidden });
  const eiie = eiieNetwork({ assets, lookback, hidden });
  return id === 'deep'
    ? { ...deep, forward: (pass, { x, mask }) => deep.forward(pass, { x, mask }) }
    : { ...eiie, forward: (pass, { x, mask, previous }) => eiie.forward(pass, { x, mask, previous }) };
}

function specOf(id: LearnedId, rows: number, assets: number, lookback: number): BatchSpec {
  const float = (shape: readonly number[]) => ({ shape, type: 'float32' as const });
  const shared = { x: float([rows, lookback, assets]), mask: float([rows, assets]) };
  return id === 'deep' ? shared : { ...shared, previous: float([rows, 1 + assets]) };
}

/** Trains from scratch or goes on from a state. The same task gives the same bits, resumed or not. */
export async function learn(id: LearnedId, task: LearnTask): Promise<LearnerState> {
  const { data, lastRow, params, seed, signal } = task;
  const { lookback, costRate, steps } = params;
  const assets = data.symbols.length;
  const rows = decidableRows(data, lookback, lastRow);
  const bars = Math.min(params.bars, rows.length);
  if (bars < 8)
    throw new UserError(
      `There are ${rows.length} days to learn from, and a window takes ${lookback}: expected 8 or more.`,
      {
        hint: 'Fetch more history.',
      },
    );
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
  const trainer = await createTrainer({ network, loss, optimizer: adam(), batch: spec, seed, clipNorm: 1 });
  const even = evenMemory(id, data.time.length, assets);
  const memory = task.from === undefined ? even : Float32Array.from(task.from.memory);
  if (memory.length !== even.length)
    throw new UserError('The training that is to go on saw other days or assets than these.', {
      hint: 'Give it the same --until and --symbols, or train anew without --resume.',
    });
  const state = (): LearnerState => ({ train: trainer.state(), memory: Float32Array.from(memory) });
  const forward = id === 'rl' ? await openWeights(id, network, bars, assets, lookback) : undefined;
  try {
    if (task.from !== undefined) trainer.restore(task.from.train);
    for (let step = trainer.state().step; step < steps; step++) {
      signal?.throwIfAborted();
      const first = firstOf(rows, bars, seed, step);
      const feeds = batchOf(id, data, rows.slice(first, first + bars), lookback, memory);
      const { losses } = await trainer.step(feeds, params.learningRate);
      if (forward !== undefined) {
        const weights = await forward.run(trainer.parameters(), feeds);
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

function evenMemory(id: LearnedId, rows: number, assets: number): Float32Array {
  return id === 'deep' ? new Float32Array(0) : new Float32Array(rows * (1 + assets)).fill(1 / (1 + assets));
}

function batchOf(
  id: LearnedId,
  data: AllocatorData,
  rows: readonly number[],
  lookback: number,
  memory: Float32Array,
): Feeds {
  const assets = data.symbols.length;
  const x = new Float32Array(rows.length * lookback * assets);
  const mask = new Float32Array(rows.length * assets);
  const columns = id === 'deep' ? assets : 1 + assets;
  const next = new Float32Array(rows.length * columns).fill(id === 'deep' ? 0 : 1);
  const drift = new Float32Array(rows.length * (1 + assets)).fill(1);
  const previous = new Float32Array(rows.length * (1 + assets));
  for (const [k, row] of rows.entries()) {
    fillWindow(data, row, lookback, x, k * lookback * assets, mask, k * assets);
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
  return id === 'deep' ? { x, mask, next } : { x, mask, next, previous, drift };
}

/** The network's weights for given parameters: one compiled program for any of them. */
async function openWeights(
  id: LearnedId,
  network: Network<Readonly<Record<string, Tensor>>, Tensor>,
  rows: number,
  assets: number,
  lookback: number,
): Promise<{ run(parameters: Float32Array, feeds: Feeds): Promise<Float32Array>; dispose(): Promise<void> }> {
  const spec = specOf(id, rows, assets, lookback);
  const count = parameterCount(network.parameters);
  const executor = await createExecutor({
    name: network.name,
    build(inputs) {
      const flat = inputs.input('parameters', [count], 'float32');
      const pass = createPass(inputs, {
        training: false,
        values: unflatten(network.parameters, flat),
        rows,
        firstRow: 0,
        stepOffset: 0,
      });
      const given = Object.fromEntries(
        Object.entries(spec).map(([name, { shape, type }]) => [name, inputs.input(name, shape, type)]),
      );
      return { weights: network.forward(pass, given) };
    },
  });
  const weights = new Float32Array(rows * (id === 'deep' ? assets : 1 + assets));
  return {
    async run(parameters, feeds) {
      const given = {
        parameters,
        ...Object.fromEntries(Object.keys(spec).map((name) => [name, feeds[name]])),
      };
      await executor.run(given, { weights }, () => new Float32Array());
      return weights;
    },
    dispose: () => executor.release(),
  };
}

/** A trained allocator, open for decisions. */
export interface LearnedAllocator {
  readonly id: LearnedId;
  /**
   * Weights of all assets of the data at the close of `row`; `rl` may leave some in cash, so that they sum to less than 1. `held`: those of now,
   * one an asset.
   */
  weightsAt(data: AllocatorData, row: number, held: Float64Array): Promise<Float64Array>;
  dispose(): Promise<void>;
}

export async function openLearned(
  id: LearnedId,
  symbols: readonly string[],
  params: LearnerParams,
  state: LearnerState,
): Promise<LearnedAllocator> {
  const assets = symbols.length;
  const { lookback } = params;
  const network = networkOf(id, assets, params);
  const forward = await openWeights(id, network, 1, assets, lookback);
  return {
    id,
    async weightsAt(data, row, held) {
      const x = new Float32Array(lookback * assets);
      const mask = new Float32Array(assets);
      fillWindow(data, row, lookback, x, 0, mask, 0);
      const invested = held.reduce((sum, weight) => sum + weight, 0);
      const previous = Float32Array.from([Math.max(0, 1 - invested), ...held]);
      const weights = await forward.run(
        state.train.parameters,
        id === 'deep' ? { x, mask } : { x, mask, previous },
      );
      const own = Float64Array.from(id === 'deep' ? weights : weights.subarray(1));
      return own.map((weight, i) => (mask[i] === 0 ? 0 : weight));
    },
    dispose: () => forward.dispose(),
  };
}

const Saved = z.strictObject({
  format: z.literal('learned-allocator-1'),
  id: z.enum(LEARNED_IDS),
  symbols: z.array(z.string()).min(1).max(1000),
  /** Open of the last bar that training looked at, epoch ms UTC. */
  trainedUntilMs: z.number(),
  seed: z.int(),
  params: z.strictObject({
    lookback: z.int().min(2).max(1000),
    hidden: z.int().min(1).max(4096),
    bars: z.int().min(1).max(100_000),
    steps: z.int().min(1),
    learningRate: z.number().positive(),
    costRate: z.number().min(0).max(1),
  }),
  state: z.unknown(),
});
export type SavedAllocator = Omit<z.output<typeof Saved>, 'format' | 'state'> & {
  readonly state: LearnerState;
};

/** As the files of a checkpoint: JSON, the parameters with their optimiser's state, and the memory. */
export function allocatorArtifact(saved: SavedAllocator): Artifact {
  const network = networkOf(saved.id, saved.symbols.length, saved.params);
  const { index, blob } = saveState(network.parameters, saved.state.train);
  const { id, symbols, trainedUntilMs, seed, params, state } = saved;
  const { buffer, byteOffset, byteLength } = state.memory;
  return {
    json: { format: 'learned-allocator-1', id, symbols, trainedUntilMs, seed, params, state: index },
    blobs: {
      'weights.bin': blob,
      'memory.bin': new Uint8Array(buffer.slice(byteOffset, byteOffset + byteLength)),
    },
  };
}

/** Throws `UserError` when it is damaged or of another version. */
export function readAllocator(artifact: Artifact): SavedAllocator {
  const parsed = Saved.safeParse(artifact.json);
  if (!parsed.success) throw unreadable(issueLines(parsed.error).join('; '));
  const { format: _, state: index, ...saved } = parsed.data;
  const network = networkOf(saved.id, saved.symbols.length, saved.params);
  const { 'weights.bin': weights, 'memory.bin': bytes } = artifact.blobs;
  if (weights === undefined || bytes === undefined || bytes.byteLength % 4 !== 0)
    throw unreadable('its weights are incomplete');
  const memory = new Float32Array(bytes.slice().buffer);
  return { ...saved, state: { train: loadState(network.parameters, index, weights), memory } };
}

const unreadable = (why: string): UserError =>
  new UserError(`The allocator's checkpoint is damaged or of another version: ${why}.`, {
    hint: 'Train it again with `portfolio train`.',
  });
