import { UserError } from '../../core/foundation/errors.ts';
import type { Network, Pass } from './network.ts';
import { defaultPrecision, type Device } from './devices.ts';
import { createExecutor, type Engine } from './executor.ts';
import type { Precision } from './onnx/graph.ts';
import type { Optimizer } from './optimizers.ts';
import type { BatchSpec, Feed, Feeds } from './program.ts';
import { fillRandom, type RandomInput } from './random-inputs.ts';
import type { Tensor } from './tf.ts';
import { trainProgram } from './train-program.ts';
import { initialParameters, parameterCount, type TrainState } from './weights.ts';

/** The mean loss over the rows of a batch, and figures to report beside it (scalars, by name). */
export type Loss = (
  pass: Pass,
  batch: Readonly<Record<string, Tensor>>,
) => Tensor | { readonly loss: Tensor; readonly metrics: Readonly<Record<string, Tensor>> };

/** What is trained, by which loss, with which optimiser. */
export interface TrainerOptions {
  readonly network: Pick<Network, 'name' | 'parameters'>;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  /** Inputs of one step; the graph is made for exactly these shapes. */
  readonly batch: BatchSpec;
  /** Of the initial weights and of all random numbers of training. */
  readonly seed: number;
  /** Optimiser steps in one run: 8-32 keep tiny networks busy. Feeds then hold that many batches in a row. */
  readonly unroll?: number;
  /** The batch in this many parts whose gradients are averaged: less memory, the same step. */
  readonly microBatches?: number;
  /** Largest global norm of the gradient. */
  readonly clipNorm?: number;
  readonly device?: Device;
  readonly engine?: Engine;
  readonly threads?: number;
  /**
   * That of its products. With float16 the loss is scaled (Micikevicius et al. 2018), and a step whose gradient overflows is
   * taken again with half the scale. Default: where no device is named what `deepLearning.precision` says, else float32.
   */
  readonly precision?: Precision;
}

/** What one optimiser step did. */
export interface StepResult {
  /** One a step (`unroll` of them), before the update. */
  readonly losses: Float32Array;
  readonly gradientNorms: Float32Array;
  readonly metrics: Readonly<Record<string, Float32Array>>;
}

/** Training of one network: a session that holds its state. */
export interface Trainer {
  /**
   * One run on a batch. A loss or gradient that is not finite throws `UserError` naming the step, and the
   * state stays as it was before the run.
   */
  step(batch: Feeds, learningRate: number): Promise<StepResult>;
  /** A copy of the state; what `restore` takes. */
  state(): TrainState;
  restore(state: TrainState): void;
  /** The current parameters, flat; overwritten by the next steps. */
  parameters(): Float32Array;
  dispose(): Promise<void>;
}

/** Where PyTorch's GradScaler begins, too, and how many steps it waits before it doubles. */
const FIRST_SCALE = 2 ** 16;
const SCALE_GROWS_AFTER = 2_000;
const LARGEST_SCALE = 2 ** 24;

/** Compiles the training step of a network and opens it. One process, one session. */
export async function createTrainer(options: TrainerOptions): Promise<Trainer> {
  const { network, optimizer, batch, seed, unroll = 1 } = options;
  const { precision = options.device === undefined ? await defaultPrecision() : 'float32' } = options;
  const scaled = precision === 'float16';
  const program = trainProgram({ ...options, scaled });
  const executor = await createExecutor(program, { ...options, precision });

  const count = parameterCount(network.parameters);
  const names = ['parameters', ...optimizer.slots.map((slot) => `slot.${slot}`)];
  const vectors = (): Feed[] => names.map(() => new Float32Array(count));
  // Two sets: a run reads one and writes the other; a failed run leaves the first as it was.
  let now = vectors();
  let next = vectors();
  now[0].set(initialParameters(network.parameters, seed));
  let steps = 0;
  let scale = scaled ? FIRST_SCALE : 1;

  const controls = new Float32Array(unroll * optimizer.controlCount);
  const results = {
    losses: new Float32Array(unroll),
    gradientNorms: new Float32Array(unroll),
    metrics: Object.fromEntries(program.metrics().map((name) => [name, new Float32Array(unroll)])),
  };
  const randomFeeds = new Map<string, Feed>();
  const randomFeed = (input: RandomInput): Feed => {
    const size = input.shape.reduce((product, length) => product * length, 1);
    const values =
      randomFeeds.get(input.name) ?? (input.kind === 'mask' ? new Uint8Array(size) : new Float32Array(size));
    randomFeeds.set(input.name, values);
    if (values instanceof Int32Array) return values;
    fillRandom(input, values, { seed, step: steps });
    return values;
  };

  return {
    async step(feeds, learningRate) {
      for (let k = 0; k < unroll; k++)
        controls.set(optimizer.controls(steps + k + 1, learningRate), k * optimizer.controlCount);
      const given: Record<string, Feed> = { controls };
      names.forEach((name, i) => (given[name] = now[i]));
      for (const name in batch) given[`batch.${name}`] = feeds[name];
      const wanted: Record<string, Feed> = { loss: results.losses, gradientNorm: results.gradientNorms };
      names.forEach((name, i) => (wanted[`${name}.next`] = next[i]));
      for (const name in results.metrics) wanted[`metric.${name}`] = results.metrics[name];
      for (;;) {
        if (scaled) given['scale'] = Float32Array.of(scale);
        await executor.run(given, wanted, randomFeed);
        const overflowed =
          results.losses.every(Number.isFinite) && !results.gradientNorms.every(Number.isFinite);
        if (!overflowed || scale <= 1) break;
        scale /= 2;
      }
      refuseNonFinite(network.name, results, steps);
      [now, next] = [next, now];
      steps += unroll;
      if (scaled && steps % SCALE_GROWS_AFTER < unroll) scale = Math.min(2 * scale, LARGEST_SCALE);
      return results;
    },
    state: () => ({
      step: steps,
      ...(scaled && { lossScale: scale }),
      parameters: Float32Array.from(now[0]),
      slots: Object.fromEntries(optimizer.slots.map((slot, i) => [slot, Float32Array.from(now[i + 1])])),
    }),
    restore(state) {
      const vectorsOf = [state.parameters, ...optimizer.slots.map((slot) => state.slots[slot])];
      vectorsOf.forEach((values, i) => {
        if (values?.length !== count)
          throw new Error(
            `State "${names[i]}" has ${values?.length ?? 'no'} values, the network has ${count}.`,
          );
      });
      vectorsOf.forEach((values, i) => now[i].set(values));
      steps = state.step;
      if (scaled) scale = state.lossScale ?? FIRST_SCALE;
    },
    parameters: () => Float32Array.from(now[0]),
    dispose: () => executor.release(),
  };
}

/** Throws at the first step whose loss or gradient is not a number. */
export function refuseNonFinite(
  name: string,
  { losses, gradientNorms }: Pick<StepResult, 'losses' | 'gradientNorms'>,
  stepsBefore: number,
): void {
  for (let k = 0; k < losses.length; k++) {
    if (Number.isFinite(losses[k]) && Number.isFinite(gradientNorms[k])) continue;
    const what = Number.isFinite(losses[k]) ? `gradient norm is ${gradientNorms[k]}` : `loss is ${losses[k]}`;
    throw new UserError(`Training of "${name}" diverged at step ${stepsBefore + k + 1}: the ${what}.`, {
      hint: 'The last state before it is kept. Lower the learning rate, clip the gradient, or look for NaN in the inputs.',
    });
  }
}
