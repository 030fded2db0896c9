import type { NamedAttrMap } from '@tensorflow/tfjs-core';
import {
  type ElementType,
  type GraphBuilder,
  sameShape,
  type Shape,
  sizeOf,
  type Value,
} from '../onnx/graph.ts';

/** How one TF.js kernel is written down as ONNX nodes. */
export type TraceKernel = (call: KernelCall) => Value | readonly Value[];
export type TraceKernels = Readonly<Record<string, TraceKernel>>;

export interface KernelCall {
  readonly graph: GraphBuilder;
  readonly inputs: Readonly<Record<string, Value>>;
  readonly attributes: NamedAttrMap;
}

export function elementType(dtype: unknown): ElementType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new Error(`Tensors of type "${String(dtype)}" cannot be compiled; use float32, int32 or bool.`);
}

export function reshape(graph: GraphBuilder, value: Value, shape: Shape): Value {
  if (sizeOf(shape) !== sizeOf(value.shape))
    throw new Error(`[${value.shape.join(', ')}] cannot become [${shape.join(', ')}]`);
  if (sameShape(shape, value.shape)) return value;
  if (value.fill !== undefined) return graph.fill(value.fill, shape, value.type);
  const producer = graph.producer(value);
  const source = (producer?.op === 'Reshape' ? graph.value(producer.inputs[0]) : undefined) ?? value;
  if (sameShape(source.shape, shape)) return source;
  return graph.node('Reshape', [source, graph.indices(shape)], { shape, type: value.type });
}

export function transpose(graph: GraphBuilder, value: Value, perm: readonly number[]): Value {
  const shape = perm.map((axis) => value.shape[axis]);
  if (value.fill !== undefined) return graph.fill(value.fill, shape, value.type);
  const moved = perm.filter((axis) => value.shape[axis] !== 1);
  // Moving only axes of size one leaves the order of the numbers as it is.
  if (moved.every((axis, i) => i === 0 || axis > moved[i - 1])) return reshape(graph, value, shape);
  const producer = graph.producer(value);
  const earlier = producer?.attributes.perm;
  const source = producer?.op === 'Transpose' ? graph.value(producer.inputs[0]) : undefined;
  if (source && Array.isArray(earlier))
    return transpose(
      graph,
      source,
      perm.map((axis) => Number(earlier[axis])),
    );
  return graph.node('Transpose', [value], { shape, type: value.type }, { perm });
}

export function cast(graph: GraphBuilder, value: Value, type: ElementType): Value {
  if (value.type === type) return value;
  if (value.fill !== undefined) return graph.fill(castNumber(value.fill, type), value.shape, type);
  const to = { float32: 1, int32: 6, int64: 7, bool: 9 }[type];
  return graph.node('Cast', [value], { shape: value.shape, type }, { to });
}

function castNumber(value: number, type: ElementType): number {
  if (type === 'bool') return value !== 0 ? 1 : 0;
  return type === 'float32' ? Math.fround(value) : Math.trunc(value);
}

/** NumPy broadcasting of two shapes. Throws where they do not fit. */
export function broadcastShape(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const left = a[a.length - rank + i] ?? 1;
    const right = b[b.length - rank + i] ?? 1;
    if (left !== right && left !== 1 && right !== 1)
      throw new Error(`shapes [${a.join(', ')}] and [${b.join(', ')}] do not broadcast`);
    return left === 1 ? right : left;
  });
}

/** What a broadcasting operator needs of a value whose shape the other side has: fills and Expands shrink. */
export function shrink(graph: GraphBuilder, value: Value): Value {
  if (value.fill !== undefined) return graph.scalar(value.fill, value.type);
  const producer = graph.producer(value);
  return producer?.op === 'Expand' ? { name: producer.inputs[0], shape: [], type: value.type } : value;
}

export const numbers = (attribute: unknown): number[] => {
  if (typeof attribute === 'number') return [attribute];
  if (Array.isArray(attribute) && attribute.every((entry) => typeof entry === 'number')) return attribute;
  throw new Error(`expected numbers, got ${JSON.stringify(attribute)}`);
};
/** An axis counted from the front. */
export const axisOf = (attribute: unknown, rank: number): number => {
  const axis = number(attribute);
  return axis < 0 ? axis + rank : axis;
};
export const number = (attribute: unknown): number => numbers(attribute)[0];
