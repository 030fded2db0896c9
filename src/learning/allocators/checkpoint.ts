import { z } from 'zod';
import { issueLines } from '../../core/foundation/plain-issues.ts';
import { UserError } from '../../core/foundation/errors.ts';
import type { Artifact } from '../../core/forecast/model.ts';
import { loadState, saveState } from '../engine/weights.ts';
import { networkOf } from './forward.ts';
import { LEARNED_IDS } from './params.ts';
import { UPDATES } from './policy.ts';
import type { LearnerState } from './state.ts';

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

/** Steps in the count of `LearnerParams`. */
export const stepsOf = ({ id, state }: Pick<SavedAllocator, 'id' | 'state'>): number =>
  state.train.step / (id === 'ppo' ? UPDATES : 1);

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
