import type { ElementType, Shape } from './onnx/graph.ts';
import { sizeOf } from './onnx/graph.ts';
import type { Parameter, Pass } from './network.ts';
import type { RandomInput } from './random-inputs.ts';
import type { Tensor } from './tf.ts';
import { tf } from './tf.ts';

export type Feed = Float32Array | Int32Array | Uint8Array;
export type Feeds = Readonly<Record<string, Feed>>;

/** Where a program's tensors come from: placeholders when it is compiled, values when it runs eagerly. */
export interface Inputs {
  input(name: string, shape: Shape, type: ElementType): Tensor;
  random(input: RandomInput): Tensor;
}

/** A computation written once in TF.js, to be compiled or run as it is. */
export interface Program {
  readonly name: string;
  build(inputs: Inputs): Readonly<Record<string, Tensor>>;
}

export interface InputSpec {
  readonly shape: Shape;
  readonly type: 'float32' | 'int32';
}
/** Named inputs of a step; the first axis counts the rows of the batch. */
export type BatchSpec = Readonly<Record<string, InputSpec>>;

/** The number of rows that all inputs of a batch share. */
export function rowsOf(batch: BatchSpec): number {
  const entries = Object.entries(batch);
  const rows = entries[0]?.[1].shape[0] ?? 0;
  for (const [name, { shape }] of entries)
    if (shape[0] !== rows)
      throw new Error(`Batch input "${name}" has ${shape[0] ?? 'no'} rows, the others have ${rows}.`);
  if (rows < 1) throw new Error('A batch needs at least one input with at least one row.');
  return rows;
}

/** Cuts the flat parameter vector into the network's tensors. */
export function unflatten(parameters: readonly Parameter[], flat: Tensor): ReadonlyMap<Parameter, Tensor> {
  const sizes = parameters.map(({ shape }) => sizeOf(shape));
  const pieces = parameters.length === 1 ? [flat] : tf.split(flat, sizes);
  return new Map(parameters.map((parameter, i) => [parameter, tf.reshape(pieces[i], [...parameter.shape])]));
}

export interface PassOptions {
  readonly training: boolean;
  readonly values: ReadonlyMap<Parameter, Tensor>;
  /** The rows of the batch that this pass sees, and the step of an unrolled run that it belongs to. */
  readonly firstRow: number;
  readonly rows: number;
  readonly stepOffset: number;
}

export function createPass(inputs: Inputs, options: PassOptions): Pass {
  const { training, values, rows, firstRow, stepOffset } = options;
  let stream = 0;
  const random = (kind: RandomInput['kind'], shape: Shape, keep: number): Tensor => {
    if (!Number.isInteger((shape[0] ?? 0) / rows) || shape.length === 0)
      throw new Error(
        `random numbers of shape [${shape.join(', ')}] need a first axis that is a multiple of the ${rows} rows`,
      );
    const name = `random.${stepOffset}.${firstRow}.${stream}`;
    return inputs.random({ name, shape, kind, keep, stream: stream++, stepOffset, firstRow, rows });
  };
  return {
    training,
    value(parameter) {
      const tensor = values.get(parameter);
      if (!tensor) throw new Error(`parameter "${parameter.name}" belongs to another network`);
      return tensor;
    },
    mask: (shape, keep) => random('mask', shape, keep),
    uniform: (shape) => random('uniform', shape, 1),
    normal: (shape) => random('normal', shape, 1),
  };
}
