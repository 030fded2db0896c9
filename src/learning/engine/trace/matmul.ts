import type { GraphBuilder, Node, Shape, Value } from '../onnx/graph.ts';
import { sameShape, sizeOf } from '../onnx/graph.ts';
import type { KernelCall, TraceKernels } from './kernel.ts';
import { broadcastShape, reshape, transpose } from './kernel.ts';

interface Product {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** One GEMM wherever the batch allows it: ONNX Runtime's Gemm takes transposed operands as they lie. */
function matMul(graph: GraphBuilder, a: Value, b: Value, product: Product): Value {
  const { transposeA, transposeB } = product;
  const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const [rows, columns] = [lastTwo(a.shape, transposeA)[0], lastTwo(b.shape, transposeB)[1]];
  const shape = [...batch, rows, columns];
  const [inner, other] = [lastTwo(a.shape, transposeA)[1], lastTwo(b.shape, transposeB)[0]];
  if (inner !== other) throw new Error(`inner sizes ${inner} and ${other} differ`);
  const matrix = (value: Value): Value => reshape(graph, value, value.shape.slice(-2));
  if (sizeOf(batch) === 1) return reshape(graph, gemm(graph, matrix(a), matrix(b), product), shape);
  if (sizeOf(b.shape.slice(0, -2)) === 1 && !transposeA) {
    const tall = reshape(graph, a, [sizeOf(batch) * rows, a.shape[a.shape.length - 1]]);
    return reshape(graph, gemm(graph, tall, matrix(b), product), shape);
  }
  if (!transposeA && !transposeB) return graph.node('MatMul', [a, b], { shape, type: 'float32' });
  if (graph.fuses)
    return graph.node(
      'FusedMatMul',
      [a, b],
      { shape, type: 'float32' },
      { transA: Number(transposeA), transB: Number(transposeB) },
      'com.microsoft',
    );
  const [left, right] = [transposeA ? flip(graph, a) : a, transposeB ? flip(graph, b) : b];
  return graph.node('MatMul', [left, right], { shape, type: 'float32' });
}

function gemm(graph: GraphBuilder, a: Value, b: Value, { transposeA, transposeB }: Product): Value {
  const shape = [lastTwo(a.shape, transposeA)[0], lastTwo(b.shape, transposeB)[1]];
  const attributes = { transA: Number(transposeA), transB: Number(transposeB) };
  return graph.node('Gemm', [a, b], { shape, type: 'float32' }, attributes);
}

/** `product + addend` as Gemm's third input, when `product` is a bare Gemm and the addend fits it. */
export function addToGemm(graph: GraphBuilder, product: Value, addend: Value): Value | undefined {
  const { node, value } = behindReshape(graph, product);
  if (node?.op !== 'Gemm' || node.inputs.length !== 2 || addend.fill !== undefined) return undefined;
  const whole = sameShape(addend.shape, product.shape);
  const added = whole ? reshape(graph, addend, value.shape) : addend;
  if (!whole && (value !== product || !sameShape(broadcastShape(added.shape, value.shape), value.shape)))
    return undefined;
  return reshape(
    graph,
    graph.node('Gemm', [...operands(node), added], value, node.attributes),
    product.shape,
  );
}

/** An activation inside the Gemm that makes its input: one pass and one array less. */
export function activateGemm(graph: GraphBuilder, op: string, x: Value): Value | undefined {
  if (!graph.fuses || !['Relu', 'Sigmoid', 'Tanh'].includes(op)) return undefined;
  const { node, value } = behindReshape(graph, x);
  if (node?.op !== 'Gemm') return undefined;
  const attributes = { ...node.attributes, activation: op };
  const active = graph.node('FusedGemm', operands(node), value, attributes, 'com.microsoft');
  return reshape(graph, active, x.shape);
}

/** The node that computes a value, and its result before a Reshape. */
function behindReshape(graph: GraphBuilder, value: Value): { node: Node | undefined; value: Value } {
  const node = graph.producer(value);
  const source = node?.op === 'Reshape' ? graph.value(node.inputs[0]) : undefined;
  return source ? { node: graph.producer(source), value: source } : { node, value };
}

const operands = (node: Node): Value[] =>
  node.inputs.map((name) => ({ name, shape: [], type: 'float32' as const }));

const lastTwo = (shape: Shape, transposed: boolean): readonly [number, number] => {
  const [rows, columns] = shape.slice(-2);
  return transposed ? [columns, rows] : [rows, columns];
};

function flip(graph: GraphBuilder, value: Value): Value {
  const axes = value.shape.map((_, axis) => axis);
  return transpose(graph, value, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
}

function batchMatMul({ graph, inputs: { a, b }, attributes }: KernelCall): Value {
  return matMul(graph, a, b, {
    transposeA: attributes.transposeA === true,
    transposeB: attributes.transposeB === true,
  });
}

export const matmulKernels: TraceKernels = { BatchMatMul: batchMatMul };
