import { UserError } from '../../core/foundation/errors.ts';
import { plainLine } from '../../core/foundation/plain-text.ts';
import { type Device, executionProviders, setDefaultDevice } from './devices.ts';
import { dense } from './layers/dense.ts';
import { defineNetwork } from './network.ts';
import { createPredictor } from './predictor.ts';
import type { Tensor } from './tf.ts';

/**
 * From now on graphs that name no device run on this one, as tensors do after `torch.set_default_device`. A device
 * other than the processor has to give the known answer of a small network first; where it is missing, or does not,
 * the processor is used, and the answer is why.
 */
export async function useDevice(device: Device): Promise<string | undefined> {
  try {
    if (device !== 'auto' && device !== 'cpu') await probe(device);
    setDefaultDevice(device);
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    setDefaultDevice('cpu');
    return [error.message, error.hint ?? ''].join(' ').trim();
  }
}

/** 1 x 2 + 2 x 3 + 4 on the device, which half precision gets right too. Throws `UserError` where it is missing or wrong. */
export async function probe(device: Device): Promise<void> {
  executionProviders(device);
  const network = defineNetwork('probe', (declare) => {
    const layer = dense(declare, 'probe', { inputs: 2, outputs: 1 });
    return (pass, x: Tensor) => layer(pass, x);
  });
  const predictor = await createPredictor({
    network,
    outputs: (pass, { x }) => ({ y: network.forward(pass, x) }),
    parameters: Float32Array.of(2, 3, 4),
    batch: { x: { shape: [1, 2], type: 'float32' } },
    device,
  }).catch((cause: unknown) => {
    throw new UserError(`The device "${device}" cannot be opened: ${reasonOf(cause)}.`, {
      hint: 'Install its driver, or choose the device "cpu".',
      cause,
    });
  });
  try {
    const { y } = await predictor.run({ x: Float32Array.of(1, 2) });
    if (!(Math.abs(y[0] - 12) < 0.05))
      throw new UserError(`The device "${device}" computes wrongly: ${y[0]} where 12 is right.`, {
        hint: 'Update its driver, or choose the device "cpu".',
      });
  } finally {
    await predictor.dispose();
  }
}

/** What ONNX Runtime says behind the place in its sources and the condition that failed. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return plainLine(text.split('was false. ').at(-1) ?? text, 200).replace(/\.?\s*$/, '');
}
