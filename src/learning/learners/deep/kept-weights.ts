import { z } from 'zod';
import type { Scaler } from '../../../core/dataset/scaler.ts';
import type { Artifact } from '../../../core/forecast/model.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import type { Network } from '../../engine/network.ts';
import { loadState, saveState } from '../../engine/weights.ts';

/** The parameters of a finished network, flat, beside the graph that forecasts: what to go on from. */
export const WEIGHTS = 'weights.bin';

/** What is known of a finished fit by whoever goes on from it. */
export interface KeptWeights {
  readonly parameters: Float32Array;
  /** How much each mattered, of a fit that kept count (Synaptic Intelligence). */
  readonly importance?: Float32Array;
}

export function saveWeights({ parameters }: Pick<Network, 'parameters'>, kept: KeptWeights) {
  return saveState(parameters, {
    step: 0,
    parameters: kept.parameters,
    slots: kept.importance ? { importance: kept.importance } : {},
  });
}

const Finished = z.object({
  weights: z.unknown(),
  symbols: z.array(z.string()),
  scalers: z.array(z.object({ means: z.array(z.number()), deviations: z.array(z.number()) })),
});

/** Whether this is what a fit saved in the end, and not a snapshot of one. */
export const isFinished = ({ json }: Artifact): boolean => Finished.safeParse(json).success;

/**
 * The weights of a finished fit. Throws `UserError` when it was made before weights were kept, or belongs to another
 * architecture.
 */
export function loadWeights(
  { parameters }: Pick<Network, 'parameters'>,
  { json, blobs }: Artifact,
): KeptWeights {
  const blob = blobs[WEIGHTS];
  if (blob === undefined)
    throw new UserError('The run has no weights to go on from: it is of an older version of the program.', {
      hint: 'Train it again, then go on from that run.',
    });
  const state = loadState(parameters, Finished.parse(json).weights, blob);
  const { importance } = state.slots;
  return { parameters: state.parameters, ...(importance && { importance }) };
}

/** The scale that the inputs of a finished fit had. Throws `UserError` when it was trained on other symbols. */
export function scalersOf({ json }: Artifact, symbols: readonly string[]): readonly Scaler[] {
  const finished = Finished.parse(json);
  if (finished.symbols.join() === symbols.join()) return finished.scalers;
  throw new UserError(
    `The run to go on from was trained on ${finished.symbols.join(', ')}, these are ${symbols.join(', ')}.`,
    { hint: 'Go on with the same symbols in the same order, or train anew.' },
  );
}
