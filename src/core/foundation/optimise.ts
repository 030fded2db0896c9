import { dot, type Matrix } from './linear-algebra.ts';
import type { Steps } from './steps.ts';

/** Value at `x`; writes the gradient to `gradient`. May return `Infinity` or `NaN` where undefined. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

export interface Minimum {
  readonly x: Float64Array;
  readonly value: number;
  readonly iterations: number;
  /** Whether the largest gradient component fell below the tolerance. */
  readonly converged: boolean;
}

/**
 * Minimum of a smooth function of a few variables: BFGS with a backtracking line search (Nocedal and Wright
 * 2006, algorithm 6.1), in steps of an iteration. Scale `x` and the value so that both are of order 1.
 */
export function* minimise(
  objective: Objective,
  start: Float64Array,
  {
    tolerance = 1e-7,
    maxIterations = 200,
    inverseHessian,
  }: {
    readonly tolerance?: number;
    readonly maxIterations?: number;
    /** A first guess, where there is one: it saves iterations. */
    readonly inverseHessian?: Matrix;
  } = {},
): Steps<Minimum> {
  const n = start.length;
  let x = Float64Array.from(start);
  let gradient = new Float64Array(n);
  let value = objective(x, gradient);
  let inverse: Matrix = inverseHessian ?? identity(n);
  let unscaled = inverseHessian === undefined;
  let iterations = 0;
  while (iterations < maxIterations && largest(gradient) > tolerance) {
    iterations++;
    yield;
    const direction = Float64Array.from(inverse, (row) => -dot(row, gradient));
    let slope = dot(direction, gradient);
    if (!(slope < 0)) {
      inverse = identity(n);
      unscaled = true;
      direction.set(gradient.map((part) => -part));
      slope = -dot(gradient, gradient);
    }
    const next = lineSearch(objective, { x, value, direction, slope, first: unscaled });
    if (next === undefined) break;
    const step = next.x.map((part, i) => part - x[i]);
    const change = next.gradient.map((part, i) => part - gradient[i]);
    const gain = value - next.value;
    ({ x, value, gradient } = next);
    const curvature = dot(step, change);
    if (curvature <= 1e-12) {
      // Nothing gained and nothing learned: rounding has the last word, and the next direction would be this one.
      if (gain === 0) break;
      continue;
    }
    inverse = updated(inverse, { step, change, curvature, first: unscaled });
    unscaled = false;
  }
  return { x, value, iterations, converged: largest(gradient) <= tolerance };
}

interface Point {
  readonly x: Float64Array<ArrayBuffer>;
  readonly value: number;
  readonly gradient: Float64Array<ArrayBuffer>;
}

/** The first sufficient decrease (Armijo) of successively halved steps; `undefined` when there is none left. */
function lineSearch(
  objective: Objective,
  from: {
    readonly x: Float64Array;
    readonly value: number;
    readonly direction: Float64Array;
    readonly slope: number;
    readonly first: boolean;
  },
): Point | undefined {
  const { x, value, direction, slope } = from;
  let length = from.first ? Math.min(1, 1 / largest(direction)) : 1;
  for (let attempt = 0; attempt < 50; attempt++) {
    const candidate = Float64Array.from(x, (part, i) => part + length * direction[i]);
    const gradient = new Float64Array(x.length);
    const reached = objective(candidate, gradient);
    if (reached <= value + 1e-4 * length * slope) return { x: candidate, value: reached, gradient };
    length /= 2;
  }
  return undefined;
}

function updated(
  inverse: readonly Float64Array[],
  {
    step,
    change,
    curvature,
    first,
  }: { step: Float64Array; change: Float64Array; curvature: number; first: boolean },
): Float64Array[] {
  const scale = first ? curvature / dot(change, change) : 1;
  const base = inverse.map((row) => row.map((part) => part * scale));
  const along = base.map((row) => dot(row, change));
  const factor = (1 + dot(change, Float64Array.from(along)) / curvature) / curvature;
  return base.map((row, i) =>
    row.map(
      (part, j) => part + factor * step[i] * step[j] - (along[i] * step[j] + step[i] * along[j]) / curvature,
    ),
  );
}

const identity = (n: number): Float64Array[] =>
  Array.from({ length: n }, (_, i) => Float64Array.from({ length: n }, (__, j) => (i === j ? 1 : 0)));

const largest = (vector: Float64Array): number =>
  vector.reduce((most, part) => Math.max(most, Math.abs(part)), 0);
