import type { GraphBuilder, Shape, Value } from '../onnx/graph.ts';
import { sizeOf } from '../onnx/graph.ts';
import type { KernelCall, TraceKernel, TraceKernels } from './kernel.ts';
import { axisOf, cast, number, numbers, reshape } from './kernel.ts';

/** The axes a kernel reduces, each once and from the front; none given means all. */
function axesOf({ inputs: { x }, attributes }: KernelCall): number[] {
  const rank = x.shape.length;
  const given = attributes.axis ?? attributes.reductionIndices;
  const axes = given === undefined || given === null ? x.shape.map((_, axis) => axis) : numbers(given);
  return [...new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)))].sort((a, b) => a - b);
}

const reducedShape = (shape: Shape, axes: readonly number[], keepDims: boolean): number[] =>
  shape.flatMap((size, axis) => (!axes.includes(axis) ? [size] : keepDims ? [1] : []));

function reduce(
  graph: GraphBuilder,
  op: string,
  x: Value,
  axes: readonly number[],
  keepDims: boolean,
): Value {
  const shape = reducedShape(x.shape, axes, keepDims);
  if (axes.every((axis) => x.shape[axis] === 1)) return reshape(graph, x, shape);
  return graph.node(op, [x, graph.indices(axes)], { shape, type: x.type }, { keepdims: Number(keepDims) });
}

const reduction =
  (op: string): TraceKernel =>
  (call) =>
    reduce(call.graph, op, call.inputs.x, axesOf(call), call.attributes.keepDims === true);

function sum(call: KernelCall): Value {
  const { graph, inputs, attributes } = call;
  const axes = axesOf(call);
  const keepDims = attributes.keepDims === true;
  const x = inputs.x.type === 'bool' ? cast(graph, inputs.x, 'int32') : inputs.x;
  if (x.fill === undefined) return reduce(graph, 'ReduceSum', x, axes, keepDims);
  const count = sizeOf(axes.map((axis) => x.shape[axis]));
  return graph.fill(Math.fround(x.fill * count), reducedShape(x.shape, axes, keepDims), x.type);
}

const truth =
  (op: string): TraceKernel =>
  (call) => {
    const whole = cast(call.graph, call.inputs.x, 'int32');
    const reduced = reduce(call.graph, op, whole, axesOf(call), call.attributes.keepDims === true);
    return cast(call.graph, reduced, 'bool');
  };

const argument =
  (op: string): TraceKernel =>
  (call) => {
    const { graph, inputs } = call;
    const axis = axisOf(call.attributes.axis, inputs.x.shape.length);
    const shape = reducedShape(inputs.x.shape, [axis], false);
    const found = graph.node(op, [inputs.x], { shape, type: 'int64' }, { axis, keepdims: 0 });
    return cast(graph, found, 'int32');
  };

export const reduceKernels: TraceKernels = {
  Sum: sum,
  Mean: reduction('ReduceMean'),
  Max: reduction('ReduceMax'),
  Min: reduction('ReduceMin'),
  Prod: reduction('ReduceProd'),
  All: truth('ReduceMin'),
  Any: truth('ReduceMax'),
  ArgMax: argument('ArgMax'),
  ArgMin: argument('ArgMin'),
  Cumsum: ({ graph, inputs: { x }, attributes }) =>
    graph.node('CumSum', [x, graph.scalar(number(attributes.axis), 'int64')], x, {
      exclusive: Number(attributes.exclusive === true),
      reverse: Number(attributes.reverse === true),
    }),
  Softmax: ({ graph, inputs: { logits }, attributes }) =>
    graph.node('Softmax', [logits], logits, { axis: number(attributes.dim) }),
  LogSoftmax: ({ graph, inputs: { logits }, attributes }) =>
    graph.node('LogSoftmax', [logits], logits, { axis: number(attributes.axis) }),
};
