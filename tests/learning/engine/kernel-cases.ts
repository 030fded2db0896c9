import { tf, type Tensor } from '../../../src/learning/engine/tf.ts';

/** One way to use a kernel or some kernels. */
export interface Case {
  /** The kernels this case is about. */
  readonly kernels: readonly string[];
  readonly of: (...tensors: Tensor[]) => Tensor;
  /** Shapes of the arguments, from three small sizes. */
  readonly shapes: (a: number, b: number, c: number) => readonly (readonly number[])[];
  /** Range of the arguments' values; default [-2, 2]. */
  readonly range?: readonly [number, number];
  /** Without a gradient: whole numbers, truth values, or none in TF.js. */
  readonly flat?: true;
}

const one: Case['shapes'] = (a, b, c) => [[a, b, c]];
const two: Case['shapes'] = (a, b, c) => [
  [a, b, c],
  [b, 1],
];
export const float = (tensor: Tensor): Tensor => tf.cast(tensor, 'float32');
const rows = (of: (x: Tensor) => Tensor, kernels: string[], extra: Partial<Case> = {}): Case => ({
  kernels,
  of,
  shapes: one,
  ...extra,
});
const pair = (of: (x: Tensor, y: Tensor) => Tensor, kernels: string[], extra: Partial<Case> = {}): Case => ({
  kernels,
  of: (x, y) => of(x, y),
  shapes: two,
  ...extra,
});
/** Whole numbers below `limit` from values in [0, 1]. */
const indices = (x: Tensor, limit: number): Tensor => tf.cast(tf.floor(tf.mul(x, limit - 0.01)), 'int32');

export const CASES: readonly Case[] = [
  rows(tf.abs, ['Abs']),
  rows(tf.acos, ['Acos'], { range: [-0.9, 0.9] }),
  rows(tf.acosh, ['Acosh'], { range: [1.2, 3] }),
  rows(tf.asin, ['Asin'], { range: [-0.9, 0.9] }),
  rows(tf.asinh, ['Asinh']),
  rows(tf.atan, ['Atan']),
  rows(tf.atanh, ['Atanh'], { range: [-0.9, 0.9] }),
  rows(tf.ceil, ['Ceil']),
  rows(tf.cos, ['Cos']),
  rows(tf.cosh, ['Cosh']),
  rows(tf.elu, ['Elu']),
  rows(tf.erf, ['Erf']),
  rows(tf.exp, ['Exp']),
  rows(tf.expm1, ['Expm1']),
  rows(tf.floor, ['Floor']),
  rows(tf.log, ['Log'], { range: [0.1, 3] }),
  rows(tf.log1p, ['Log1p'], { range: [-0.5, 3] }),
  rows(tf.neg, ['Neg']),
  rows(tf.reciprocal, ['Reciprocal'], { range: [0.3, 3] }),
  rows(tf.relu, ['Relu', 'Step']),
  rows(tf.relu6, ['Relu6'], { range: [-2, 9] }),
  rows((x) => tf.leakyRelu(x, 0.2), ['LeakyRelu']),
  rows((x) => tf.step(x, 0.3), ['Step'], { flat: true }),
  rows(tf.round, ['Round']),
  rows(tf.rsqrt, ['Rsqrt', 'Pow'], { range: [0.3, 3] }),
  rows(tf.selu, ['Selu']),
  rows(tf.sigmoid, ['Sigmoid']),
  rows(tf.sign, ['Sign']),
  rows(tf.sin, ['Sin']),
  rows(tf.sinh, ['Sinh']),
  rows(tf.softplus, ['Softplus']),
  rows(tf.sqrt, ['Sqrt'], { range: [0.1, 3] }),
  rows(tf.square, ['Square']),
  rows(tf.tan, ['Tan'], { range: [-1, 1] }),
  rows(tf.tanh, ['Tanh']),
  rows((x) => tf.clipByValue(x, -1, 0.5), ['ClipByValue', 'LogicalAnd']),
  rows((x) => float(tf.isNaN(tf.log(x))), ['IsNan'], { flat: true }),
  rows((x) => float(tf.isInf(tf.div(x, tf.relu(x)))), ['IsInf'], { flat: true }),
  rows((x) => float(tf.isFinite(tf.div(x, tf.relu(x)))), ['IsFinite'], { flat: true }),
  rows((x) => float(tf.cast(tf.mul(x, 10), 'int32')), ['Cast'], { flat: true }),
  pair(tf.add, ['Add']),
  pair(tf.sub, ['Sub']),
  pair(tf.mul, ['Multiply', 'Sum', 'Reshape']),
  pair(tf.div, ['RealDiv'], { range: [0.3, 2] }),
  pair(tf.pow, ['Pow'], { range: [0.3, 2] }),
  pair(tf.maximum, ['Maximum', 'GreaterEqual', 'Less']),
  pair(tf.minimum, ['Minimum', 'LessEqual', 'Greater']),
  pair(tf.squaredDifference, ['SquaredDifference']),
  pair(tf.floorDiv, ['FloorDiv'], { flat: true, range: [0.3, 5] }),
  pair(tf.mod, ['Mod'], { flat: true, range: [0.3, 5] }),
  pair((x, y) => float(tf.equal(tf.round(x), tf.round(y))), ['Equal'], { flat: true }),
  pair((x, y) => float(tf.notEqual(tf.round(x), tf.round(y))), ['NotEqual'], { flat: true }),
  pair((x, y) => float(tf.greater(x, y)), ['Greater'], { flat: true }),
  pair((x, y) => float(tf.greaterEqual(x, y)), ['GreaterEqual'], { flat: true }),
  pair((x, y) => float(tf.less(x, y)), ['Less'], { flat: true }),
  pair((x, y) => float(tf.lessEqual(x, y)), ['LessEqual'], { flat: true }),
  pair((x, y) => float(tf.logicalAnd(tf.greater(x, 0), tf.greater(y, 0))), ['LogicalAnd'], { flat: true }),
  pair((x, y) => float(tf.logicalOr(tf.greater(x, 0), tf.greater(y, 0))), ['LogicalOr'], { flat: true }),
  pair((x, y) => float(tf.logicalXor(tf.greater(x, 0), tf.greater(y, 0))), ['LogicalXor'], { flat: true }),
  rows((x) => float(tf.logicalNot(tf.greater(x, 0))), ['LogicalNot'], { flat: true }),
  pair((x, y) => tf.where(tf.greater(x, 0), x, tf.mul(x, y)), ['Select']),
  {
    kernels: ['Prelu'],
    of: (x, alpha) => tf.prelu(x, alpha),
    shapes: (a, b, c) => [
      [a, b, c],
      [b, c],
    ],
  },
  {
    kernels: ['AddN'],
    of: (x, y, z) => tf.addN([x, y, z]),
    shapes: (a, b) => [
      [a, b],
      [a, b],
      [a, b],
    ],
  },
  rows((x) => tf.sum(x, [0, 2]), ['Sum']),
  rows((x) => tf.sum(x, 1, true), ['Sum']),
  rows((x) => tf.mean(x, -1), ['Mean']),
  rows((x) => tf.mean(x), ['Mean']),
  rows((x) => tf.max(x, 1), ['Max']),
  rows((x) => tf.min(x, [1, 2], true), ['Min']),
  rows((x) => tf.prod(x, 1), ['Prod'], { flat: true }),
  rows((x) => float(tf.all(tf.greater(x, -1), 1)), ['All'], { flat: true }),
  rows((x) => float(tf.any(tf.greater(x, 1), 1)), ['Any'], { flat: true }),
  rows((x) => float(tf.argMax(x, 1)), ['ArgMax'], { flat: true }),
  rows((x) => float(tf.argMin(x, 2)), ['ArgMin'], { flat: true }),
  rows((x) => tf.cumsum(x, 1, true), ['Cumsum']),
  rows((x) => tf.cumsum(x, 2, false, true), ['Cumsum']),
  rows((x) => tf.softmax(x), ['Softmax']),
  rows((x) => tf.logSoftmax(x), ['LogSoftmax']),
  rows((x) => tf.softmax(x, 2), ['Softmax']),
  rows((x) => tf.transpose(x, [2, 0, 1]), ['Transpose']),
  rows((x) => tf.reshape(x, [-1]), ['Reshape', 'Identity']),
  rows((x) => tf.expandDims(x, -1), ['ExpandDims']),
  rows((x) => tf.stack(tf.unstack(x, 1), 2), ['Unpack', 'Pack']),
  rows((x) => tf.stack(tf.unstack(x, 2), 0), ['Unpack', 'Pack']),
  rows((x) => tf.mul(tf.unstack(x, 0)[0], 3), ['Unpack']),
  rows((x) => tf.stack([tf.sin(x), x], 3), ['Pack']),
  rows(
    (x) => tf.concat(tf.split(x, [1, (x.shape[1] ?? 0) ? (x.shape[1] ?? 0) - 1 : 0], 1).toReversed(), 1),
    ['SplitV', 'Concat'],
  ),
  rows((x) => tf.slice(x, [0, 1, 0], [-1, 1, -1]), ['Slice', 'PadV2']),
  rows(
    (x) =>
      tf.pad(
        x,
        [
          [0, 0],
          [2, 1],
          [0, 3],
        ],
        0.5,
      ),
    ['PadV2', 'Slice'],
  ),
  rows((x) => tf.reverse(x, [1, 2]), ['Reverse']),
  rows((x) => tf.tile(x, [1, 2, 3]), ['Tile']),
  rows((x) => tf.broadcastTo(tf.sum(x, 1, true), x.shape), ['BroadcastTo']),
  rows((x) => tf.add(tf.fill([2, 1, 1, 1], 3), x), ['Fill']),
  rows((x) => tf.mul(x, tf.range(0, x.shape[2] ?? 0)), ['Range']),
  rows((x) => tf.add(tf.zerosLike(x), tf.mul(tf.onesLike(x), x)), ['ZerosLike', 'OnesLike']),
  rows(
    (x) => tf.gather(tf.sin(x), tf.tensor1d([1, 0, 1, 1], 'int32'), 1),
    ['GatherV2', 'UnsortedSegmentSum'],
  ),
  {
    kernels: ['GatherV2', 'UnsortedSegmentSum'],
    of: (table, at) => tf.gather(table, indices(at, table.shape[0])),
    shapes: (a, b, c) => [[a, b], [c + 2]],
    range: [0, 1],
  },
  rows((x) => tf.oneHot(indices(x, 4), 5), ['OneHot'], { flat: true, range: [0, 1] }),
  {
    kernels: ['GatherNd', 'ScatterNd'],
    of: (x) =>
      tf.gatherND(
        x,
        tf.tensor2d(
          [
            [1, 0],
            [0, 1],
            [1, 0],
          ],
          [3, 2],
          'int32',
        ),
      ),
    shapes: one,
    flat: true,
  },
  rows(
    (x) =>
      tf.scatterND(tf.tensor2d([[1], [0]], [2, 1], 'int32'), tf.slice(x, 0, 2), [
        4,
        x.shape[1] ?? 0,
        x.shape[2] ?? 0,
      ]),
    ['ScatterNd'],
    { flat: true },
  ),
  {
    kernels: ['UnsortedSegmentSum'],
    of: (x) => tf.unsortedSegmentSum(tf.slice(x, 0, 2), tf.tensor1d([2, 2], 'int32'), 3),
    shapes: one,
  },
  ...[false, true].flatMap((ta) =>
    [false, true].flatMap((tb): Case[] => [
      {
        kernels: ['BatchMatMul'],
        of: (x, y) => tf.matMul(x, y, ta, tb),
        shapes: (a, b, c) => [ta ? [b, a] : [a, b], tb ? [c, b] : [b, c]],
      },
      {
        kernels: ['BatchMatMul'],
        of: (x, y) => tf.matMul(x, y, ta, tb),
        shapes: (a, b, c) => [ta ? [3, 2, b, a] : [3, 2, a, b], tb ? [3, 2, c, b] : [3, 2, b, c]],
      },
      {
        kernels: ['BatchMatMul'],
        of: (x, y) => tf.matMul(x, y, ta, tb),
        shapes: (a, b, c) => [ta ? [3, b, a] : [3, a, b], tb ? [1, c, b] : [1, b, c]],
      },
    ]),
  ),
  {
    kernels: ['BatchMatMul', 'Add'],
    of: (x, w, bias) => tf.add(tf.matMul(x, w), bias),
    shapes: (a, b, c) => [[a, b], [b, c], [c]],
  },
  // What is put into the product: an activation, and an addend as large as its reshaped result.
  ...[tf.relu, tf.sigmoid, tf.tanh].map((activation): Case => ({
    kernels: ['BatchMatMul', 'Add', 'Reshape', 'Relu', 'Sigmoid', 'Tanh'],
    of: (x, w, bias) =>
      activation(tf.reshape(tf.add(tf.matMul(x, w), bias), [1, x.shape[0], w.shape[1] ?? 0])),
    shapes: (a, b, c) => [[a, b], [b, c], [c]],
  })),
  {
    kernels: ['BatchMatMul', 'Add', 'Reshape'],
    of: (x, w, y) => tf.add(tf.reshape(tf.matMul(x, w), y.shape), y),
    shapes: (a, b, c) => [
      [a, b],
      [b, c],
      [1, a, c],
    ],
  },
];

/** Fractions of the golden ratio: spread over the range, no two alike, no ties for max and min. */
export function spread(
  shape: readonly number[],
  k: number,
  seed: number,
  range: readonly [number, number] = [-2, 2],
): Float32Array {
  const [low, high] = range;
  const count = shape.reduce((product, length) => product * length, 1);
  return Float32Array.from({ length: count }, (_, i) => {
    const fraction = ((i + 1) * 0.6180339887 + k * 0.37 + (seed % 1000) * 0.0137) % 1;
    return low + (high - low) * Math.abs(fraction);
  });
}
