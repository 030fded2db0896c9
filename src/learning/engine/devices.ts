import { UserError } from '../../core/foundation/errors.ts';
import type { Precision } from './onnx/graph.ts';
import { installScript, loadRuntime } from './runtime.ts';

export type Device = 'auto' | 'cpu' | 'cuda' | 'webgpu' | 'coreml';

const INSTALL: Readonly<Record<Exclude<Device, 'auto' | 'cpu'>, string>> = {
  cuda: `On Linux x64 with an NVIDIA GPU and CUDA 12, fetch the libraries once: ONNXRUNTIME_NODE_INSTALL=cuda12 node "${installScript()}". Or choose the device "cpu".`,
  webgpu: 'This build of onnxruntime-node has no WebGPU for your platform. Choose the device "cpu".',
  coreml: 'CoreML exists on macOS only. Choose the device "cpu".',
};

let byDefault: Device = 'auto';
let precision = (): Promise<Precision> => Promise.resolve('float32');

/** Where graphs run that name no device: `auto` until `useDevice` says otherwise. */
export const defaultDevice = (): Device => byDefault;

export function setDefaultDevice(device: Device): void {
  byDefault = device;
}

/** Asked once, when the first network is trained. */
export function setDefaultPrecision(find: () => Promise<Precision>): void {
  let found: Promise<Precision> | undefined;
  precision = () => (found ??= find());
}

/** In what networks are trained where no device is named. */
export const defaultPrecision = (): Promise<Precision> => precision();

/** Device and precision of training, as snapshots name them: others give other digits. */
export async function arithmeticInUse(): Promise<string> {
  const used = await defaultPrecision();
  return used === 'float32' ? deviceInUse() : `${deviceInUse()} in ${used}`;
}

/** Where graphs run that name no device, as ONNX Runtime calls it: `cpu`, `cuda`, ... */
export const deviceInUse = (): string => executionProviders(byDefault)[0];

/** Whether graphs that name no device leave the processor: threads of their own then only cost. */
export const isAccelerated = (): boolean => deviceInUse() !== 'cpu';

/**
 * ONNX Runtime's execution providers for a device, the CPU behind it for what the device cannot run.
 * `auto` is the fastest that is certain to work: CUDA where its libraries were installed, else the CPU.
 * Throws `UserError` with what to install when the device is missing.
 */
export function executionProviders(device: Device, available: readonly string[] = bundled()): string[] {
  if (device === 'cpu') return ['cpu'];
  if (device === 'auto') return available.includes('cuda') ? ['cuda', 'cpu'] : ['cpu'];
  if (!available.includes(device))
    throw new UserError(`Device "${device}" is not available here (found: ${available.join(', ')}).`, {
      hint: INSTALL[device],
    });
  return [device, 'cpu'];
}

function bundled(): string[] {
  const { listSupportedBackends } = loadRuntime();
  return listSupportedBackends().flatMap(({ name, bundled }) => (bundled ? [name] : []));
}
