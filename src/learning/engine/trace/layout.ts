import { tf } from '../tf.ts';
import type { GraphBuilder, Shape, Value } from '../onnx/graph.ts';
import { toArray } from '../onnx/graph.ts';
import type { KernelCall, TraceKernels } from './kernel.ts';
import { axisOf, cast, elementType, number, numbers, reshape, shrink, transpose } from './kernel.ts';

/** `shape` with `size` at `axis`. */
const resized = (shape: Shape, axis: number, size: number): number[] => shape.with(axis, size);

export function concat(graph: GraphBuilder, values: readonly Value[], axis: number): Value {
  const parts = values.filter(({ shape }) => shape[axis] > 0);
  const odd = parts.find(({ shape }) => shape.some((size, i) => i !== axis && size !== parts[0].shape[i]));
  if (odd)
    throw new Error(`[${odd.shape.join(', ')}] does not join [${parts[0].shape.join(', ')}] at ${axis}`);
  if (parts.length === 1) return parts[0];
  const size = parts.reduce((total, { shape }) => total + shape[axis], 0);
  const first = parts[0];
  // All the pieces of a Split in their order are what was split.
  const cut = graph.producer(first);
  const whole = cut?.op === 'Split' && cut.attributes.axis === axis ? graph.value(cut.inputs[0]) : undefined;
  if (whole && cut?.outputs.length === parts.length && parts.every(({ name }, i) => name === cut.outputs[i]))
    return whole;
  return graph.node('Concat', parts, { shape: resized(first.shape, axis, size), type: first.type }, { axis });
}

export function split(
  graph: GraphBuilder,
  x: Value,
  sizes: readonly number[],
  axis: number,
): readonly Value[] {
  if (sizes.length === 1) return [x];
  const outputs = sizes.map((size) => ({ shape: resized(x.shape, axis, size), type: x.type }));
  return graph.nodes('Split', [x, graph.indices(sizes)], outputs, { axis });
}

/** Stacks along a new axis: one Concat along the axis after it, then a free Reshape. */
function pack({ graph, inputs, attributes }: KernelCall): Value {
  const values = Object.values(inputs);
  const axis = axisOf(attributes.axis, values[0].shape.length + 1);
  const shape = [...values[0].shape.slice(0, axis), values.length, ...values[0].shape.slice(axis)];
  if (axis < values[0].shape.length) return reshape(graph, concat(graph, values, axis), shape);
  const deeper = values.map((value) => reshape(graph, value, [...value.shape, 1]));
  return concat(graph, deeper, axis);
}

function unpack({ graph, inputs: { value }, attributes }: KernelCall): readonly Value[] {
  const axis = axisOf(attributes.axis, value.shape.length);
  const count = value.shape[axis];
  const after = value.shape[axis + 1];
  if (after !== undefined) {
    const merged = [...value.shape.slice(0, axis), count * after, ...value.shape.slice(axis + 2)];
    return split(
      graph,
      reshape(graph, value, merged),
      Array.from({ length: count }, () => after),
      axis,
    );
  }
  const parts = split(
    graph,
    value,
    Array.from({ length: count }, () => 1),
    axis,
  );
  return parts.map((part) => reshape(graph, part, value.shape.slice(0, -1)));
}

function slice({ graph, inputs: { x }, attributes }: KernelCall): Value {
  const [begin, shape] = tf.slice_util.parseSliceParams(
    { dataId: {}, shape: [...x.shape], dtype: 'float32' },
    numbers(attributes.begin),
    numbers(attributes.size),
  );
  if (x.fill !== undefined) return graph.fill(x.fill, shape, x.type);
  const axes = shape.flatMap((size, axis) => (size === x.shape[axis] ? [] : [axis]));
  if (axes.length === 0) return x;
  const starts = axes.map((axis) => begin[axis]);
  const ends = axes.map((axis) => begin[axis] + shape[axis]);
  const indices = [starts, ends, axes].map((list) => graph.indices(list));
  return graph.node('Slice', [x, ...indices], { shape, type: x.type });
}

function pad({ graph, inputs: { x }, attributes }: KernelCall): Value {
  const paddings = attributes.paddings;
  if (!Array.isArray(paddings)) throw new Error('paddings are pairs of numbers');
  const pairs = paddings.map(numbers);
  const shape = x.shape.map((size, axis) => size + pairs[axis][0] + pairs[axis][1]);
  const pads = graph.indices([...pairs.map(([before]) => before), ...pairs.map(([, after]) => after)]);
  const value = graph.scalar(number(attributes.constantValue ?? 0), x.type);
  return graph.node('Pad', [x, pads, value], { shape, type: x.type });
}

function reverse({ graph, inputs: { x }, attributes }: KernelCall): Value {
  const rank = x.shape.length;
  const axes = numbers(attributes.dims).map((axis) => (axis < 0 ? axis + rank : axis));
  if (axes.length === 0) return x;
  const list = (value: number): Value => graph.indices(axes.map(() => value));
  return graph.node('Slice', [x, list(-1), list(-(2 ** 31)), graph.indices(axes), list(-1)], x);
}

function gather({ graph, inputs: { x, indices }, attributes }: KernelCall): Value {
  if (number(attributes.batchDims ?? 0) !== 0) throw new Error('gather with batchDims is not compiled');
  const axis = axisOf(attributes.axis ?? 0, x.shape.length);
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  return graph.node('Gather', [x, indices], { shape, type: x.type }, { axis });
}

function gatherNd({ graph, inputs: { params, indices } }: KernelCall): Value {
  const depth = indices.shape[indices.shape.length - 1];
  const shape = [...indices.shape.slice(0, -1), ...params.shape.slice(depth)];
  return graph.node('GatherND', [params, cast(graph, indices, 'int64')], { shape, type: params.type });
}

function scatterNd({ graph, inputs: { indices, updates }, attributes }: KernelCall): Value {
  const shape = numbers(attributes.shape);
  const zeros = graph.fill(0, shape, updates.type);
  const at = cast(graph, indices, 'int64');
  return graph.node('ScatterND', [zeros, at, updates], { shape, type: updates.type }, { reduction: 'add' });
}

/** The gradient of a gather: rows that were read several times collect several gradients. */
function segmentSum({ graph, inputs: { x, segmentIds }, attributes }: KernelCall): Value {
  const shape = [number(attributes.numSegments), ...x.shape.slice(segmentIds.shape.length)];
  const zeros = graph.fill(0, shape, x.type);
  const at = reshape(graph, cast(graph, segmentIds, 'int64'), [...segmentIds.shape, 1]);
  return graph.node('ScatterND', [zeros, at, x], { shape, type: x.type }, { reduction: 'add' });
}

function oneHot({ graph, inputs: { indices }, attributes }: KernelCall): Value {
  const depth = number(attributes.depth);
  const type = elementType(attributes.dtype === 'int32' ? 'int32' : 'float32');
  const shape = [...indices.shape, depth];
  const classes = graph.constant(
    Int32Array.from({ length: depth }, (_, k) => k),
    [depth],
    'int32',
  );
  const column = reshape(graph, indices, [...indices.shape, 1]);
  const hit = graph.node('Equal', [column, classes], { shape, type: 'bool' });
  const [on, off] = [number(attributes.onValue ?? 1), number(attributes.offValue ?? 0)];
  if (on === 1 && off === 0) return cast(graph, hit, type);
  return graph.node('Where', [hit, graph.scalar(on, type), graph.scalar(off, type)], { shape, type });
}

function tile({ graph, inputs: { x }, attributes }: KernelCall): Value {
  const repeats = numbers(attributes.reps);
  const shape = x.shape.map((size, axis) => size * repeats[axis]);
  if (x.fill !== undefined) return graph.fill(x.fill, shape, x.type);
  return graph.node('Tile', [x, graph.indices(repeats)], { shape, type: x.type });
}

export const layoutKernels: TraceKernels = {
  Identity: ({ inputs: { x } }) => x,
  Reshape: ({ graph, inputs: { x }, attributes }) => {
    const asked = numbers(attributes.shape);
    const rest = asked.reduce((product, size) => (size === -1 ? product : product * size), 1);
    const total = x.shape.reduce((product, size) => product * size, 1);
    return reshape(
      graph,
      x,
      asked.map((size) => (size === -1 ? total / rest : size)),
    );
  },
  ExpandDims: ({ graph, inputs: { input }, attributes }) => {
    const dim = number(attributes.dim);
    const axis = dim < 0 ? dim + input.shape.length + 1 : dim;
    return reshape(graph, input, [...input.shape.slice(0, axis), 1, ...input.shape.slice(axis)]);
  },
  Transpose: ({ graph, inputs: { x }, attributes }) => transpose(graph, x, numbers(attributes.perm)),
  Concat: ({ graph, inputs, attributes }) => {
    const values = Object.values(inputs);
    return concat(graph, values, axisOf(attributes.axis, values[0].shape.length));
  },
  SplitV: ({ graph, inputs: { x }, attributes }) => {
    const axis = axisOf(attributes.axis, x.shape.length);
    const given = attributes.numOrSizeSplits;
    const sizes =
      typeof given === 'number' ? Array.from({ length: given }, () => x.shape[axis] / given) : numbers(given);
    return split(graph, x, sizes, axis);
  },
  Pack: pack,
  Unpack: unpack,
  Slice: slice,
  PadV2: pad,
  Reverse: reverse,
  Tile: tile,
  GatherV2: gather,
  GatherNd: gatherNd,
  ScatterNd: scatterNd,
  UnsortedSegmentSum: segmentSum,
  OneHot: oneHot,
  BroadcastTo: ({ graph, inputs: { x }, attributes }) => {
    const shape = numbers(attributes.shape);
    if (x.fill !== undefined) return graph.fill(x.fill, shape, x.type);
    return graph.node('Expand', [shrink(graph, x), graph.indices(shape)], { shape, type: x.type });
  },
  Fill: ({ graph, attributes }) => {
    const type = attributes.dtype === 'int32' ? 'int32' : attributes.dtype === 'bool' ? 'bool' : 'float32';
    const value = number(attributes.value);
    return graph.fill(type === 'float32' ? Math.fround(value) : value, numbers(attributes.shape), type);
  },
  Range: ({ graph, attributes }) => {
    const [start, stop, step] = [attributes.start, attributes.stop, attributes.step].map(number);
    const type = elementType(attributes.dtype);
    const count = Math.max(0, Math.ceil((stop - start) / step));
    const values = Array.from({ length: count }, (_, i) => start + i * step);
    return graph.constant(toArray(values, type), [count], type);
  },
  ZerosLike: ({ graph, inputs: { x } }) => graph.fill(0, x.shape, x.type),
  OnesLike: ({ graph, inputs: { x } }) => graph.fill(1, x.shape, x.type),
};
