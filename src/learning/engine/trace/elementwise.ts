import type { GraphBuilder, Value } from '../onnx/graph.ts';
import { sameShape } from '../onnx/graph.ts';
import { activateGemm, addToGemm } from './matmul.ts';
import type { KernelCall, TraceKernel, TraceKernels } from './kernel.ts';
import { broadcastShape, cast, elementType, number, reshape, shrink } from './kernel.ts';

const unary =
  (op: string): TraceKernel =>
  ({ graph, inputs: { x } }) =>
    activateGemm(graph, op, x) ?? graph.node(op, [x], x);

/** A broadcasting operator; `outcome` replaces it where one side is a known number. */
function binary(
  op: string,
  fold: (a: number, b: number) => number,
  outcome?: (graph: GraphBuilder, a: Value, b: Value) => Value | undefined,
): (graph: GraphBuilder, a: Value, b: Value) => Value {
  return (graph, a, b) => {
    const shape = broadcastShape(a.shape, b.shape);
    const compares = ['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual'].includes(op);
    const type = compares ? 'bool' : a.type;
    if (a.fill !== undefined && b.fill !== undefined) {
      const folded = fold(a.fill, b.fill);
      return graph.fill(type === 'float32' ? Math.fround(folded) : folded, shape, type);
    }
    const simpler = outcome?.(graph, a, b);
    if (simpler && sameShape(simpler.shape, shape)) return simpler;
    const whole = (value: Value, other: Value): Value =>
      sameShape(other.shape, shape) ? shrink(graph, value) : value;
    return graph.node(op, [whole(a, b), whole(b, a)], { shape, type });
  };
}

const isFill = (value: Value, number: number): boolean => value.fill === number;

export const add = binary(
  'Add',
  (a, b) => a + b,
  (graph, a, b) => {
    if (isFill(b, 0)) return a;
    if (isFill(a, 0)) return b;
    return addToGemm(graph, a, b) ?? addToGemm(graph, b, a);
  },
);
export const sub = binary(
  'Sub',
  (a, b) => a - b,
  (_, a, b) => (isFill(b, 0) ? a : undefined),
);
export const mul = binary(
  'Mul',
  (a, b) => a * b,
  (graph, a, b) => {
    if (isFill(b, 1)) return widened(graph, a, b);
    if (isFill(a, 1)) return widened(graph, b, a);
    return undefined;
  },
);
export const div = binary(
  'Div',
  (a, b) => a / b,
  (graph, a, b) => (isFill(b, 1) ? widened(graph, a, b) : undefined),
);

/** `value` times one: broadcasting alone is left of it (the gradient of a sum). */
function widened(graph: GraphBuilder, value: Value, one: Value): Value {
  const shape = broadcastShape(value.shape, one.shape);
  if (sameShape(shape, value.shape)) return value;
  return graph.node('Expand', [value, graph.indices(shape)], { shape, type: value.type });
}

const both =
  (operator: (graph: GraphBuilder, a: Value, b: Value) => Value): TraceKernel =>
  ({ graph, inputs: { a, b } }) =>
    operator(graph, a, b);

const equal = binary('Equal', (a, b) => (a === b ? 1 : 0));
const logical = (op: string): TraceKernel =>
  both((graph, a, b) => graph.node(op, [a, b], { shape: broadcastShape(a.shape, b.shape), type: 'bool' }));

const constant = (graph: GraphBuilder, like: Value, value: number): Value => graph.scalar(value, like.type);

function step({ graph, inputs: { x }, attributes }: KernelCall): Value {
  const alpha = number(attributes.alpha);
  const positive = graph.node('Greater', [x, constant(graph, x, 0)], { shape: x.shape, type: 'bool' });
  if (alpha === 0) return cast(graph, positive, x.type);
  return graph.node('Where', [positive, constant(graph, x, 1), constant(graph, x, alpha)], x);
}

/** log(1 + x) without losing small x (Goldberg 1991, theorem 4). */
function log1p({ graph, inputs: { x } }: KernelCall): Value {
  const one = constant(graph, x, 1);
  const u = graph.node('Add', [x, one], x);
  const lost = graph.node('Equal', [u, one], { shape: x.shape, type: 'bool' });
  const rest = graph.node('Sub', [u, one], x);
  const ratio = graph.node('Div', [x, graph.node('Where', [lost, one, rest], x)], x);
  const exact = graph.node('Mul', [graph.node('Log', [u], x), ratio], x);
  return graph.node('Where', [lost, x, exact], x);
}

/** exp(x) - 1 without losing small x: 2 t / (1 - t), t = tanh(x / 2). */
function expm1({ graph, inputs: { x } }: KernelCall): Value {
  const one = constant(graph, x, 1);
  const two = constant(graph, x, 2);
  const t = graph.node('Tanh', [graph.node('Div', [x, two], x)], x);
  const near = graph.node('Div', [graph.node('Mul', [t, two], x), graph.node('Sub', [one, t], x)], x);
  const far = graph.node('Sub', [graph.node('Exp', [x], x), one], x);
  const size = graph.node('Abs', [x], x);
  const small = graph.node('Less', [size, one], { shape: x.shape, type: 'bool' });
  return graph.node('Where', [small, near, far], x);
}

function clip(graph: GraphBuilder, x: Value, low: number, high: number): Value {
  return graph.node('Clip', [x, constant(graph, x, low), constant(graph, x, high)], x);
}

function select({ graph, inputs: { condition, t, e } }: KernelCall): Value {
  const rank = Math.max(t.shape.length, e.shape.length);
  // TF.js lets a vector choose whole rows.
  const chooser =
    condition.shape.length === 1 && rank > 1
      ? reshape(graph, condition, [condition.shape[0], ...Array.from({ length: rank - 1 }, () => 1)])
      : condition;
  const shape = broadcastShape(chooser.shape, broadcastShape(t.shape, e.shape));
  const scalarIfWhole = (value: Value): Value =>
    sameShape(chooser.shape, shape) ? shrink(graph, value) : value;
  return graph.node('Where', [chooser, scalarIfWhole(t), scalarIfWhole(e)], { shape, type: t.type });
}

const UNARY: Readonly<Record<string, string>> = {
  Abs: 'Abs',
  Acos: 'Acos',
  Acosh: 'Acosh',
  Asin: 'Asin',
  Asinh: 'Asinh',
  Atan: 'Atan',
  Atanh: 'Atanh',
  Ceil: 'Ceil',
  Cos: 'Cos',
  Cosh: 'Cosh',
  Elu: 'Elu',
  Erf: 'Erf',
  Exp: 'Exp',
  Floor: 'Floor',
  Log: 'Log',
  LogicalNot: 'Not',
  Neg: 'Neg',
  Reciprocal: 'Reciprocal',
  Relu: 'Relu',
  Round: 'Round',
  Selu: 'Selu',
  Sigmoid: 'Sigmoid',
  Sign: 'Sign',
  Sin: 'Sin',
  Sinh: 'Sinh',
  Softplus: 'Softplus',
  Sqrt: 'Sqrt',
  Tan: 'Tan',
  Tanh: 'Tanh',
};

export const elementwiseKernels: TraceKernels = {
  ...Object.fromEntries(Object.entries(UNARY).map(([kernel, op]) => [kernel, unary(op)])),
  IsNan: ({ graph, inputs: { x } }) => graph.node('IsNaN', [x], { shape: x.shape, type: 'bool' }),
  IsInf: ({ graph, inputs: { x } }) => graph.node('IsInf', [x], { shape: x.shape, type: 'bool' }),
  IsFinite: ({ graph, inputs: { x } }) => {
    const zero = graph.node('Sub', [x, x], x); // inf - inf and nan - nan are nan
    return graph.node('Equal', [zero, zero], { shape: x.shape, type: 'bool' });
  },
  Rsqrt: ({ graph, inputs: { x } }) => graph.node('Reciprocal', [graph.node('Sqrt', [x], x)], x),
  Square: ({ graph, inputs: { x } }) => mul(graph, x, x),
  Relu6: ({ graph, inputs: { x } }) => clip(graph, x, 0, 6),
  ClipByValue: ({ graph, inputs: { x }, attributes }) =>
    clip(graph, x, number(attributes.clipValueMin), number(attributes.clipValueMax)),
  LeakyRelu: ({ graph, inputs: { x }, attributes }) =>
    graph.node('LeakyRelu', [x], x, { alpha: { float: number(attributes.alpha) } }),
  Prelu: ({ graph, inputs: { x, alpha } }) => graph.node('PRelu', [x, alpha], x),
  Step: step,
  Log1p: log1p,
  Expm1: expm1,
  Cast: ({ graph, inputs: { x }, attributes }) => cast(graph, x, elementType(attributes.dtype)),
  Add: both(add),
  Sub: both(sub),
  Multiply: both(mul),
  RealDiv: both(div),
  AddN: ({ graph, inputs }) => Object.values(inputs).reduce((sum, value) => add(graph, sum, value)),
  Pow: both(binary('Pow', Math.pow)),
  Maximum: both(binary('Max', Math.max)),
  Minimum: both(binary('Min', Math.min)),
  SquaredDifference: both((graph, a, b) => {
    const difference = sub(graph, a, b);
    return mul(graph, difference, difference);
  }),
  FloorDiv: both((graph, a, b) => {
    const [left, right] = [cast(graph, a, 'float32'), cast(graph, b, 'float32')];
    const quotient = div(graph, left, right);
    return cast(graph, graph.node('Floor', [quotient], quotient), a.type);
  }),
  // The remainder takes the sign of the divisor, as in Python.
  Mod: both((graph, a, b) => {
    const quotient = div(graph, cast(graph, a, 'float32'), cast(graph, b, 'float32'));
    const whole = cast(graph, graph.node('Floor', [quotient], quotient), a.type);
    return sub(graph, a, mul(graph, whole, b));
  }),
  Equal: both(equal),
  NotEqual: both((graph, a, b) => {
    const same = equal(graph, a, b);
    return graph.node('Not', [same], same);
  }),
  Greater: both(binary('Greater', (a, b) => (a > b ? 1 : 0))),
  GreaterEqual: both(binary('GreaterOrEqual', (a, b) => (a >= b ? 1 : 0))),
  Less: both(binary('Less', (a, b) => (a < b ? 1 : 0))),
  LessEqual: both(binary('LessOrEqual', (a, b) => (a <= b ? 1 : 0))),
  LogicalAnd: logical('And'),
  LogicalOr: logical('Or'),
  LogicalXor: logical('Xor'),
  Select: select,
};
