import type { Steps } from '../../core/foundation/steps.ts';
import { FEATURES, type SparseRows } from './tfidf.ts';

/** Weights of each class, one behind another, and a constant of each. */
export interface SoftmaxFit {
  readonly classes: number;
  readonly weights: Float32Array;
  readonly constants: Float64Array;
}

/** Probabilities of the classes, row by row: [rows, classes]. */
export function probabilities({ classes, weights, constants }: SoftmaxFit, rows: SparseRows): Float64Array {
  const result = new Float64Array((rows.start.length - 1) * classes);
  for (let row = 0; row + 1 < rows.start.length; row++) {
    const own = result.subarray(row * classes, (row + 1) * classes);
    scores(rows, row, { classes, width: FEATURES, weights, constants }, own);
    softmax(own);
  }
  return result;
}

const MEMORY = 8;

/**
 * Multinomial logistic regression: the mean log loss plus `|w|^2 / (2 c rows)` (scikit-learn's C), least by L-BFGS with a
 * backtracking search (Nocedal and Wright 2006, algorithms 7.4 and 3.1), in steps of an iteration.
 */
export function* fitSoftmax(
  given: SparseRows,
  labels: Uint8Array,
  { classes, c, iterations }: { readonly classes: number; readonly c: number; readonly iterations: number },
): Steps<SoftmaxFit> {
  const { rows, used } = compact(given);
  const width = used.length;
  const size = classes * width;
  const count = labels.length;
  const loss = (x: Float64Array, gradient: Float64Array): number => {
    gradient.fill(0);
    let value = 0;
    const own = new Float64Array(classes);
    const fit = { classes, width, weights: x, constants: x.subarray(size) };
    for (let row = 0; row < count; row++) {
      scores(rows, row, fit, own);
      softmax(own);
      value -= Math.log(Math.max(own[labels[row]], 1e-300));
      own[labels[row]] -= 1;
      for (let k = 0; k < classes; k++) {
        const share = own[k] / count;
        gradient[size + k] += share;
        const base = k * width;
        for (let i = rows.start[row]; i < rows.start[row + 1]; i++)
          gradient[base + rows.index[i]] += share * rows.value[i];
      }
    }
    const penalty = 1 / (c * count);
    let squares = 0;
    for (let i = 0; i < size; i++) {
      squares += x[i] * x[i];
      gradient[i] += penalty * x[i];
    }
    return value / count + 0.5 * penalty * squares;
  };
  let x = new Float64Array(size + classes);
  let gradient = new Float64Array(size + classes);
  let value = loss(x, gradient);
  const pairs: Pair[] = [];
  for (let iteration = 0; iteration < iterations; iteration++) {
    yield;
    const direction = downhill(gradient, pairs);
    const slope = dot(direction, gradient);
    if (!(slope < -1e-12)) break;
    let step = iteration === 0 ? 1 / Math.sqrt(dot(gradient, gradient)) : 1;
    const next = new Float64Array(x.length);
    const nextGradient = new Float64Array(x.length);
    let nextValue = Infinity;
    for (let halvings = 0; halvings < 20; halvings++, step /= 2) {
      for (let i = 0; i < x.length; i++) next[i] = x[i] + step * direction[i];
      nextValue = loss(next, nextGradient);
      if (nextValue <= value + 1e-4 * step * slope) break;
    }
    if (!(nextValue < value)) break;
    const moved = next.map((one, i) => one - x[i]);
    const turned = nextGradient.map((one, i) => one - gradient[i]);
    const curvature = dot(moved, turned);
    if (curvature > 1e-12) pairs.push({ moved, turned, curvature });
    if (pairs.length > MEMORY) pairs.shift();
    const gained = value - nextValue;
    [x, gradient, value] = [next, nextGradient, nextValue];
    if (gained < 1e-7 * value) break;
  }
  const weights = new Float32Array(classes * FEATURES);
  for (let k = 0; k < classes; k++)
    for (let i = 0; i < width; i++) weights[k * FEATURES + used[i]] = x[k * width + i];
  return { classes, weights, constants: x.slice(size) };
}

/** The rows over those features alone that one of them has: the others' weights stay 0. */
function compact({ start, index, value }: SparseRows): {
  readonly rows: SparseRows;
  readonly used: Int32Array;
} {
  const used = Int32Array.from(new Set(index)).sort();
  const places = new Int32Array(FEATURES);
  for (let i = 0; i < used.length; i++) places[used[i]] = i;
  return { rows: { start, index: index.map((feature) => places[feature]), value }, used };
}

interface Pair {
  readonly moved: Float64Array;
  readonly turned: Float64Array;
  readonly curvature: number;
}

function downhill(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const direction = gradient.map((one) => -one);
  const shares = pairs.map(() => 0);
  for (let p = pairs.length - 1; p >= 0; p--) {
    const { moved, turned, curvature } = pairs[p];
    shares[p] = dot(moved, direction) / curvature;
    for (let i = 0; i < direction.length; i++) direction[i] -= shares[p] * turned[i];
  }
  const newest = pairs.at(-1);
  if (newest !== undefined) {
    const scale = newest.curvature / dot(newest.turned, newest.turned);
    for (let i = 0; i < direction.length; i++) direction[i] *= scale;
  }
  for (const [p, { moved, turned, curvature }] of pairs.entries()) {
    const back = shares[p] - dot(turned, direction) / curvature;
    for (let i = 0; i < direction.length; i++) direction[i] += back * moved[i];
  }
  return direction;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function scores(
  { start, index, value }: SparseRows,
  row: number,
  fit: {
    readonly classes: number;
    readonly width: number;
    readonly weights: Float32Array | Float64Array;
    readonly constants: Float64Array;
  },
  out: Float64Array,
): void {
  for (let k = 0; k < fit.classes; k++) {
    const base = k * fit.width;
    let sum = fit.constants[k];
    for (let i = start[row]; i < start[row + 1]; i++) sum += fit.weights[base + index[i]] * value[i];
    out[k] = sum;
  }
}

function softmax(values: Float64Array): void {
  let most = -Infinity;
  for (const one of values) most = Math.max(most, one);
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k] = Math.exp(values[k] - most);
  for (let k = 0; k < values.length; k++) values[k] /= sum;
}
