import type {
  BackendValues,
  DataType,
  KernelBackend,
  KernelFunc,
  Tensor,
  TensorInfo,
} from '@tensorflow/tfjs-core';
import { invariant } from '../../../core/foundation/errors.ts';
import type { ElementType, Graph, GraphOptions, Scanned, Shape, Turn, Value } from '../onnx/graph.ts';
import { GraphBuilder, toArray } from '../onnx/graph.ts';
import '../gradients.ts';
import { tf } from '../tf.ts';
import { elementwiseKernels } from './elementwise.ts';
import type { TraceKernel, TraceKernels } from './kernel.ts';
import { elementType } from './kernel.ts';
import { layoutKernels } from './layout.ts';
import { matmulKernels } from './matmul.ts';
import { reduceKernels } from './reduce.ts';

const BACKEND = 'onnx-trace';

export interface Tracing {
  /** A placeholder that is fed on every run. */
  input(name: string, shape: Shape, type: ElementType): Tensor;
}

/**
 * Runs `build` on a TF.js backend whose kernels compute nothing: each writes down ONNX nodes. Gradients
 * taken inside are recorded too. What `build` returns becomes the named outputs of the graph.
 * Throws where a kernel has no ONNX form, a traced value is read, or numbers are drawn in JavaScript.
 */
export function trace(
  build: (tracing: Tracing) => Readonly<Record<string, Tensor>>,
  options: GraphOptions = {},
): Graph {
  invariant(current === undefined, 'one trace at a time');
  const previous = tf.getBackend();
  const random = Reflect.get(Math, 'random');
  current = { graph: new GraphBuilder(options) };
  void tf.setBackend(BACKEND);
  Reflect.set(Math, 'random', refuseRandom);
  try {
    const { graph } = current;
    let outputs: { name: string; value: Value }[] = [];
    tf.tidy(() => {
      const tensors = build({ input: (name, shape, type) => placeholder(graph.input(name, shape, type)) });
      outputs = Object.entries(tensors).map(([name, tensor]) => ({ name, value: valueOf(tensor) }));
    });
    return graph.finish(outputs);
  } finally {
    Reflect.set(Math, 'random', random);
    void tf.setBackend(previous);
    current = undefined;
  }
}

/** Whether the graph being traced may hold standard operators only: an inference graph for a checkpoint. */
export const tracesStandardOnly = (): boolean => current?.graph.standardOnly ?? false;

/** Whether the graph being traced will run in double precision. */
export const tracesDoubles = (): boolean => current?.graph.float64 ?? false;

/** A loop over [time, ...] sequences as one node; `undefined` where nothing is traced. */
export function traceScan(options: {
  readonly initial: readonly Tensor[];
  readonly sequences: readonly Tensor[];
  readonly reverse: boolean;
  readonly turn: (state: readonly Tensor[], slices: readonly Tensor[]) => Turn<Tensor>;
}): Scanned<Tensor> | undefined {
  if (current === undefined || tf.getBackend() !== BACKEND) return undefined;
  const { initial, sequences, reverse, turn } = options;
  const { final, outputs } = current.graph.scan({
    initial: initial.map(valueOf),
    sequences: sequences.map(valueOf),
    reverse,
    turn(state, slices) {
      const next = turn(state.map(placeholder), slices.map(placeholder));
      return { state: next.state.map(valueOf), outputs: next.outputs.map(valueOf) };
    },
  });
  return { final: final.map(placeholder), outputs: outputs.map(placeholder) };
}

interface Trace {
  readonly graph: GraphBuilder;
}
let current: Trace | undefined;

function refuseRandom(): never {
  throw new Error(
    'Numbers drawn in JavaScript (tf.dropout, tf.randomUniform, tf.randomNormal) would be frozen into the ' +
      'compiled graph; use the random tensors of the pass (dropout, pass.uniform, pass.normal).',
  );
}

function placeholder(value: Value): Tensor {
  return tf.engine().makeTensorFromTensorInfo(infoOf(value), tf.backend());
}

/** TF.js knows a tensor's data by an object; here it holds the graph value and counts references. */
class TraceData {
  readonly value: Value;
  references = 1;

  constructor(value: Value) {
    this.value = value;
  }
}

function infoOf(value: Value): TensorInfo {
  invariant(value.type !== 'int64', 'TF.js tensors are float32, int32 or bool');
  return { dataId: new TraceData(value), shape: [...value.shape], dtype: value.type };
}

function valueOf(tensor: TensorInfo): Value {
  const data: unknown = tensor.dataId;
  if (data instanceof TraceData) return { ...data.value, shape: tensor.shape };
  const moved: unknown = foreign.get(tensor.dataId);
  invariant(moved instanceof TraceData, 'a traced tensor has a graph value');
  return { ...moved.value, shape: tensor.shape };
}

/** Tensors made outside the trace keep their own data ids when TF.js moves them in. */
const foreign = new WeakMap<object, TraceData>();
const dataOf = (dataId: object): TraceData | undefined =>
  dataId instanceof TraceData ? dataId : foreign.get(dataId);

class TraceBackend extends tf.KernelBackend implements KernelBackend {
  #alive = 0;

  override write(values: BackendValues, shape: number[], dtype: DataType): TraceData {
    this.#alive++;
    return constantData(values, shape, dtype);
  }

  override move(dataId: object, values: BackendValues, shape: number[], dtype: DataType): void {
    this.#alive++;
    foreign.set(dataId, constantData(values, shape, dtype));
  }

  override readSync(): never {
    throw new Error('Values do not exist while a graph is compiled: nothing may depend on reading a tensor.');
  }

  override async read(): Promise<never> {
    return this.readSync();
  }

  override disposeData(dataId: object): boolean {
    const data = dataOf(dataId);
    if (!data || --data.references > 0) return false;
    this.#alive--;
    return true;
  }

  override refCount(dataId: object): number {
    return dataOf(dataId)?.references ?? 0;
  }

  override incRef(dataId: object): void {
    const data = dataOf(dataId);
    if (data) data.references++;
  }

  made(): void {
    this.#alive++;
  }

  override numDataIds(): number {
    return this.#alive;
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }

  override dispose(): void {}
}

function constantData(values: BackendValues, shape: number[], dtype: DataType): TraceData {
  invariant(current !== undefined, 'constants are written inside a trace');
  const type = elementType(dtype);
  const list = values as ArrayLike<number>;
  return new TraceData(current.graph.constant(toArray(list, type), shape, type));
}

function register(kernelName: string, kernel: TraceKernel): void {
  tf.registerKernel({ kernelName, backendName: BACKEND, kernelFunc: tracing(kernelName, kernel) });
}

/** `kernel` in the form in which TF.js calls it. */
export function tracing(kernelName: string, kernel: TraceKernel): KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const values: Record<string, Value> = {};
    for (const [name, tensor] of Object.entries(inputs)) if (tensor) values[name] = valueOf(tensor);
    const result = inKernel(kernelName, values, () => {
      invariant(current !== undefined, `kernel ${kernelName} runs inside a trace`);
      return kernel({ ...current, inputs: values, attributes: attrs ?? {} });
    });
    const outputs = Array.isArray(result) ? (result as readonly Value[]) : [result as Value];
    if (backend instanceof TraceBackend) outputs.forEach(() => backend.made());
    const infos = outputs.map(infoOf);
    return Array.isArray(result) ? infos : infos[0];
  };
}

/** Errors of a kernel name it and the shapes it was given. */
function inKernel<T>(name: string, inputs: Readonly<Record<string, Value>>, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const shapes = Object.values(inputs).map(({ shape }) => `[${shape.join(', ')}]`);
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`TF.js kernel "${name}" of ${shapes.join(' and ')}: ${message}`, { cause: error });
  }
}

const KERNELS: TraceKernels = {
  ...elementwiseKernels,
  ...reduceKernels,
  ...layoutKernels,
  ...matmulKernels,
};
/** The names of the TF.js kernels that can be compiled. */
export const compiledKernels: readonly string[] = Object.keys(KERNELS);

tf.registerBackend(BACKEND, () => new TraceBackend(), 0);
for (const [name, kernel] of Object.entries(KERNELS)) register(name, kernel);
// tfjs-core exports each kernel's name under that name: the rest fail with their name, not in silence.
for (const [key, name] of Object.entries(tf))
  if (key === name && !compiledKernels.includes(key))
    register(key, () => {
      throw new Error('it has no ONNX form here and cannot be compiled.');
    });
