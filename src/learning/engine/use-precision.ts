import { UserError } from '../../core/foundation/errors.ts';
import { defaultDevice, deviceInUse, type Device, isAccelerated } from './devices.ts';
import { dense } from './layers/dense.ts';
import { defineNetwork } from './network.ts';
import type { Precision } from './onnx/graph.ts';
import { sgd } from './optimizers.ts';
import { type Tensor, tf } from './tf.ts';
import { createTrainer } from './trainer.ts';

/** Sides of the matrices that are tried: large enough that their products decide. */
const SIDE = 1024;
const STEPS = 8;
/** Half precision has 8 or 11 bits; a mean over a million products is off by far less than this share. */
const TOLERANCE = 0.02;

/**
 * Why networks are not to be trained in half precision on the device in use; `undefined` where it gives the loss of single precision in a step
 * of a small network, and in less time.
 */
export async function whyNotHalf(precision: Exclude<Precision, 'float32'>): Promise<string | undefined> {
  if (!isAccelerated()) return `The processor would only convert to ${precision} and back.`;
  try {
    const device = defaultDevice();
    return faultOf(await tried(precision, device), await tried('float32', device), precision);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return `The device "${deviceInUse()}" does not take ${precision}: ${error.message}`;
  }
}

export interface Trial {
  readonly loss: number;
  readonly gradientNorm: number;
  readonly ms: number;
}

/** Why half precision is not used, given what a step did in both. */
export function faultOf(half: Trial, single: Trial, precision: Precision): string | undefined {
  const isClose = (found: number, right: number): boolean =>
    Math.abs(found - right) <= TOLERANCE * Math.abs(right);
  if (!isClose(half.loss, single.loss) || !isClose(half.gradientNorm, single.gradientNorm))
    return `A step in ${precision} gave a loss of ${half.loss} and a gradient of ${half.gradientNorm} where ${single.loss} and ${single.gradientNorm} are right.`;
  if (!(half.ms < single.ms))
    return `A step in ${precision} takes ${half.ms.toFixed(2)} ms, one in float32 ${single.ms.toFixed(2)} ms.`;
  return undefined;
}

/** The last of a few steps of two layers on the same numbers. */
export async function tried(precision: Precision, device: Device, side = SIDE): Promise<Trial> {
  const network = defineNetwork('precision', (declare) => {
    const first = dense(declare, 'first', { inputs: side, outputs: side });
    const last = dense(declare, 'last', { inputs: side, outputs: side });
    return (pass, x: Tensor) => last(pass, tf.tanh(first(pass, x)));
  });
  const trainer = await createTrainer({
    network,
    loss: (pass, { x }) => tf.mean(tf.square(network.forward(pass, x))),
    optimizer: sgd(),
    batch: { x: { shape: [side, side], type: 'float32' } },
    seed: 1,
    device,
    precision,
  });
  try {
    const x = Float32Array.from({ length: side * side }, (_, i) => Math.sin(i));
    let trial: Trial = { loss: NaN, gradientNorm: NaN, ms: Infinity };
    for (let step = 0; step < STEPS; step++) {
      const start = performance.now();
      const { losses, gradientNorms } = await trainer.step({ x }, 0);
      const ms = Math.min(trial.ms, performance.now() - start);
      trial = { loss: losses[0], gradientNorm: gradientNorms[0], ms };
    }
    return trial;
  } finally {
    await trainer.dispose();
  }
}
