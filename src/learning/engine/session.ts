import type { InferenceSession as OrtSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { UserError } from '../../core/foundation/errors.ts';
import { defaultDevice, type Device, executionProviders } from './devices.ts';
import { sizeOf } from './onnx/graph.ts';
import type { Feed, Feeds } from './program.ts';
import { loadRuntime } from './runtime.ts';

const ort = loadRuntime();

export interface SessionOptions {
  readonly device?: Device;
  /** Threads inside one operator; 1 is the fastest for networks of small matrices. */
  readonly threads?: number;
  /** Graph rewriting by ONNX Runtime before the first run; costs start-up, helps standard graphs. */
  readonly optimise?: boolean;
}

/** An open model. `run` overwrites the arrays of `results` and keeps nothing of `feeds`. */
export interface Session {
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly outputs: Readonly<Record<string, readonly number[]>>;
  run(feeds: Feeds, results: Feeds): Promise<void>;
  release(): Promise<void>;
}

/**
 * Opens the bytes of an ONNX model. Throws `UserError` when they are not a model that ONNX Runtime can run
 * (a damaged file) or the device is missing.
 */
export async function openSession(model: Uint8Array, options: SessionOptions = {}): Promise<Session> {
  const { device = defaultDevice(), threads = 1, optimise = false } = options;
  const providers = executionProviders(device);
  const session = await createOrtSession(model, {
    executionProviders: providers,
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: optimise ? 'all' : 'disabled',
    // One planned block for all activations is laid out beside what the first run took: nearly twice the memory.
    enableMemPattern: false,
    // 4: fatal only. What matters comes back as an error.
    logSeverityLevel: 4,
    // Idle threads must not spin: other sessions need the cores.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const inputs = shapesOf(session.inputMetadata);
  const outputs = shapesOf(session.outputMetadata);
  const tensors = new WeakMap<Feed, OrtTensor>();
  const tensor = (
    name: string,
    values: Feed,
    shape: readonly number[] | undefined,
    type: string,
  ): OrtTensor => {
    const known = tensors.get(values);
    if (known) return known;
    if (!shape) throw new Error(`The model has no input or output "${name}".`);
    if (sizeOf(shape) !== values.length)
      throw new Error(
        `"${name}" has ${values.length} values; shape [${shape.join(', ')}] needs ${sizeOf(shape)}.`,
      );
    const made = newTensor(values, shape, type);
    tensors.set(values, made);
    return made;
  };
  const inputTypes = typesOf(session.inputMetadata);
  const outputTypes = typesOf(session.outputMetadata);
  return {
    inputs,
    outputs,
    async run(feeds, results) {
      const given: Record<string, OrtTensor> = {};
      for (const name in feeds) given[name] = tensor(name, feeds[name], inputs[name], inputTypes[name]);
      const wanted: Record<string, OrtTensor> = {};
      for (const name in results)
        wanted[name] = tensor(name, results[name], outputs[name], outputTypes[name]);
      await session.run(given, wanted);
    },
    release: () => session.release(),
  };
}

/** Throws `UserError` when ONNX Runtime does not take the bytes. */
export async function createOrtSession(
  model: Uint8Array,
  options: OrtSession.SessionOptions,
): Promise<OrtSession> {
  try {
    return await ort.InferenceSession.create(model, options);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`ONNX Runtime cannot open the model: ${why}`, {
      hint: 'If it came from a file, the file is damaged: restore it or train again. If it names a device, choose the device "cpu".',
      cause,
    });
  }
}

function newTensor(values: Feed, shape: readonly number[], type: string): OrtTensor {
  if (values instanceof Float32Array) return new ort.Tensor('float32', values, shape);
  if (values instanceof Int32Array) return new ort.Tensor('int32', values, shape);
  if (type === 'bool') return new ort.Tensor('bool', values, shape);
  throw new Error(`no tensor of type ${type}`);
}

const shapesOf = (metadata: readonly OrtSession.ValueMetadata[]): Record<string, readonly number[]> =>
  Object.fromEntries(
    metadata.map((value) => [value.name, value.isTensor ? value.shape.map((size) => Number(size)) : []]),
  );
const typesOf = (metadata: readonly OrtSession.ValueMetadata[]): Record<string, string> =>
  Object.fromEntries(metadata.map((value) => [value.name, value.isTensor ? value.type : 'none']));

/** A new array for each of some outputs. */
export const arraysOf = (shapes: Session['outputs']): Record<string, Float32Array> =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, new Float32Array(sizeOf(shape))]));
