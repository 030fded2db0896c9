import { z } from 'zod';
import { issueLines } from '../../../core/foundation/plain-issues.ts';
import type { Network } from '../../engine/network.ts';
import type { Trainer } from '../../engine/trainer.ts';
import { loadState, parameterCount, saveState } from '../../engine/weights.ts';
import { ownBuffer } from '../../../core/foundation/bytes.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import type { Artifact } from '../../../core/forecast/model.ts';

/** Where the training of a network stands, beside the state of its trainer. Seeds and schedules follow from it. */
export interface TrainingPoint {
  /** The epoch in work, from 1. */
  readonly epoch: number;
  /** Steps of it that are done, and the sum of their losses. */
  readonly stepsDone: number;
  readonly lossSum: number;
  /** Of the epochs before it. */
  readonly losses: readonly number[];
  readonly validationLosses: readonly number[];
  readonly best: Best;
}

export interface Best {
  /** 0: no epoch has been validated yet. */
  readonly epoch: number;
  readonly loss: number;
  readonly parameters: Float32Array;
}

type Declared = Pick<Network, 'parameters'>;

const STATE = 'trainer.bin';
const BEST = 'best.bin';

const Saved = z.strictObject({
  version: z.literal(1),
  epoch: z.int().min(1),
  stepsDone: z.int().min(0),
  lossSum: z.number(),
  losses: z.array(z.number()),
  validationLosses: z.array(z.number()),
  best: z.strictObject({ epoch: z.int().min(1), loss: z.number() }).optional(),
  /** See engine/weights.ts. */
  trainer: z.unknown(),
});

/** The point and the trainer's state as data. */
export function saveTraining(network: Declared, trainer: Trainer, point: TrainingPoint): Artifact {
  const { index, blob } = saveState(network.parameters, trainer.state());
  const { best, ...rest } = point;
  const { epoch, loss, parameters } = best;
  return {
    json: { version: 1, ...rest, ...(epoch > 0 && { best: { epoch, loss } }), trainer: index },
    blobs: { [STATE]: blob, ...(epoch > 0 && { [BEST]: new Uint8Array(parameters.slice().buffer) }) },
  };
}

/**
 * Puts the trainer where `resume` was made; else at the start, with the best weights of `warm`, or with `warm` as they are.
 * Throws `UserError` when it does not fit.
 */
export function startTraining(
  network: Declared,
  trainer: Trainer,
  {
    resume,
    warm,
  }: { readonly resume?: Artifact | undefined; readonly warm?: Artifact | Float32Array | undefined },
): TrainingPoint {
  if (resume !== undefined) return restore(network, trainer, resume);
  if (warm !== undefined) {
    const parameters = warm instanceof Float32Array ? warm : bestWeights(network, warm);
    const { slots } = trainer.state();
    const empty = Object.entries(slots).map(
      ([name, { length }]) => [name, new Float32Array(length)] as const,
    );
    trainer.restore({ step: 0, parameters, slots: Object.fromEntries(empty) });
  }
  return { epoch: 1, stepsDone: 0, lossSum: 0, losses: [], validationLosses: [], best: untried(trainer) };
}

const untried = (trainer: Trainer): Best => ({
  epoch: 0,
  loss: Infinity,
  parameters: trainer.parameters(),
});

function restore(network: Declared, trainer: Trainer, saved: Artifact): TrainingPoint {
  const { version: _, trainer: index, best, ...rest } = parsed(saved);
  trainer.restore(loadState(network.parameters, index, saved.blobs[STATE] ?? new Uint8Array()));
  if (best === undefined) return { ...rest, best: untried(trainer) };
  return { ...rest, best: { ...best, parameters: bestWeights(network, saved) } };
}

/** The best weights of a snapshot, whatever its optimiser kept beside them; those of its last step before the first epoch's end. */
function bestWeights(network: Declared, saved: Artifact): Float32Array {
  const { trainer: index, best } = parsed(saved);
  const state = loadState(network.parameters, index, saved.blobs[STATE] ?? new Uint8Array());
  if (best === undefined) return state.parameters;
  const bytes = saved.blobs[BEST] ?? new Uint8Array();
  if (bytes.byteLength === 4 * parameterCount(network.parameters)) return new Float32Array(ownBuffer(bytes));
  throw unfit(`the best weights have ${bytes.byteLength} bytes`);
}

function parsed({ json }: Artifact): z.output<typeof Saved> {
  const found = Saved.safeParse(json);
  if (found.success) return found.data;
  throw unfit(issueLines(found.error).join('; '));
}

const unfit = (why: string): UserError =>
  new UserError(`The snapshot of the training does not fit: ${why}.`, {
    hint: 'Delete it, and resume from an earlier one or from the start.',
  });
