import { UserError } from '../foundation/errors.ts';
import { cholesky, dot, type Matrix } from '../foundation/linear-algebra.ts';
import { normal, type Random } from '../foundation/random.ts';
import type { Steps } from '../foundation/steps.ts';
import { arithmeticMean, quadraticForm } from './expected-returns.ts';
import { sampleCovariance } from './covariance.ts';
import { homogeneous, type Limits, limitConstraints } from './limits.ts';
import { type Constraint, type KktResiduals, type QuadraticSolution, solveQuadratic } from './quadratic.ts';
import { positiveDefinite } from './symmetric.ts';

/** What Markowitz's problems are about. Returns and covariance of one period, weights as fractions. */
export interface MeanVarianceTask {
  readonly symbols: readonly string[];
  readonly expected: Float64Array;
  /** Positive definite (`positiveDefinite`). */
  readonly covariance: Matrix;
  readonly limits: Limits;
  /** Weights held now: turnover and costs count from here. */
  readonly current: Float64Array;
  /** Cost of a unit of turnover in the returns' period, inside the objective; 0: none. */
  readonly costRate: number;
}

export interface Optimum {
  readonly weights: Float64Array;
  readonly expectedReturn: number;
  readonly volatility: number;
  readonly kkt: KktResiduals;
}

/** Most of expected return less costs less half `riskAversion` times the variance. */
export const maximiseUtility = (task: MeanVarianceTask, riskAversion: number): Optimum =>
  required(holding(task, 1, (own) => solve(own, { risk: riskAversion, gain: 1, cost: own.costRate })));

export const minimumVariance = (task: MeanVarianceTask): Optimum =>
  required(holding(task, 0, (own) => solve(own, { risk: 1, gain: 0, cost: 0 })));

/** The portfolio within the limits whose difference from `wanted` varies least. */
export function nearest(task: MeanVarianceTask, wanted: Float64Array): Optimum {
  const pull = Float64Array.from(task.covariance, (row) => dot(row, wanted));
  const tracking = (own: MeanVarianceTask): Optimum | undefined =>
    solve({ ...own, expected: pull }, { risk: 1, gain: 1, cost: 0 });
  const found = required(holding({ ...task, expected: pull }, 1, tracking));
  return { ...found, expectedReturn: dot(task.expected, found.weights) };
}

/** Least variance among portfolios that expect at least `target`; `undefined` when none does. */
export function efficientReturn(task: MeanVarianceTask, target: number): Optimum | undefined {
  const floor: Constraint = { name: 'return', kind: 'at-least', row: task.expected, bound: target };
  return holding(task, 0, (own) => solve(own, { risk: 1, gain: 0, cost: 0 }, [floor]));
}

/** Highest expected return with at most this volatility. Throws `UserError` below the least volatility there is. */
export function efficientRisk(task: MeanVarianceTask, volatility: number): Optimum {
  const least = minimumVariance(task);
  if (volatility < least.volatility * (1 - 1e-9))
    throw new UserError(
      `No portfolio within the limits has a volatility of ${volatility.toPrecision(4)} or less: the lowest is ${least.volatility.toPrecision(4)}.`,
      { hint: 'Allow more risk or loosen the limits.' },
    );
  const top = highestReturn(task);
  if (top.volatility <= volatility) return top;
  let [low, high] = [least, top];
  // Variance is convex and rises along the frontier: false position on its square root, halved when it stalls.
  for (let step = 0; step < 80 && high.expectedReturn - low.expectedReturn > 1e-13; step++) {
    const share =
      step % 3 === 2
        ? 0.5
        : (volatility - low.volatility) / Math.max(high.volatility - low.volatility, 1e-300);
    const target =
      low.expectedReturn +
      Math.min(0.999, Math.max(0.001, share)) * (high.expectedReturn - low.expectedReturn);
    const middle = efficientReturn(task, target);
    if (middle === undefined) break;
    if (Math.abs(middle.volatility - volatility) <= 1e-11 * volatility) return middle;
    if (middle.volatility <= volatility) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * Highest ratio of expected return above `riskFree` to volatility, by the convex program of Schaible (1974): minimum variance
 * of y = k w with an excess return of 1. `undefined` when no portfolio within the limits expects more than `riskFree`.
 */
export const maximumSharpe = (task: MeanVarianceTask, riskFree: number): Optimum | undefined =>
  holding(task, 1, (own) => tangency(own, riskFree));

function tangency(task: MeanVarianceTask, riskFree: number): Optimum | undefined {
  const n = task.expected.length;
  const size = sizeOf(task, task.costRate);
  const limits = homogeneous(limitConstraints(task.limits, task.symbols, size, task.current), n);
  const excess = new Float64Array(size);
  for (let i = 0; i < n; i++) excess[i] = task.expected[i] - riskFree;
  for (let i = n; i < size; i++) excess[i] = -task.costRate;
  const scale = excess.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (!(scale > 0)) return undefined;
  const constraints: Constraint[] = [
    { name: 'excess return', kind: 'at-least', row: excess.map((value) => value / scale), bound: 1 },
    // The weights' scale, which no limit ties to the capital when shorts are open.
    { name: 'positive', kind: 'at-least', row: new Float64Array(size).fill(1, 0, n), bound: 0 },
    ...limits,
  ];
  const solved = proximal(task.covariance, new Float64Array(size), constraints);
  if (solved === undefined) return undefined;
  const total = solved.x.subarray(0, n).reduce((sum, value) => sum + value, 0);
  if (!(total > 1e-12)) return undefined;
  return optimum(task, { ...solved, x: solved.x.map((value) => value / total) });
}

/** The portfolio of the highest expected return; of those, one with nearly the least variance. */
function highestReturn(task: MeanVarianceTask): Optimum {
  const spread = task.expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  const variance = task.covariance.reduce((most, row, i) => Math.max(most, row[i]), 0);
  const risk = (1e-6 * spread) / variance;
  return required(holding(task, 1, (own) => solve(own, { risk, gain: 1, cost: 0 })));
}

/** From the least risky portfolio to that of the highest expected return, at equal distances of expected return. */
export function* frontier(task: MeanVarianceTask, points: number): Steps<Optimum[]> {
  const low = minimumVariance(task);
  const high = highestReturn(task);
  const curve = [low];
  for (let k = 1; k < points - 1; k++) {
    const share = k / (points - 1);
    const point = efficientReturn(
      task,
      low.expectedReturn + share * (high.expectedReturn - low.expectedReturn),
    );
    if (point !== undefined) curve.push(point);
    yield;
  }
  return [...curve, high];
}

/**
 * Michaud's (1998) resampling: frontiers of returns drawn from the estimated moments, `rows` of them a draw. For each point
 * of the frontier the weights' mean and their 10 % and 90 % quantiles, which say how much of them is chance.
 */
export function* resampledFrontier(
  task: MeanVarianceTask,
  options: {
    readonly rows: number;
    readonly points: number;
    readonly draws: number;
    readonly random: Random;
  },
): Steps<
  readonly {
    readonly mean: Float64Array;
    readonly low: Float64Array;
    readonly high: Float64Array;
    readonly volatility: readonly [number, number];
  }[]
> {
  const { rows, points, draws, random } = options;
  const n = task.expected.length;
  const root = cholesky(task.covariance) ?? [];
  const curves: (readonly Optimum[])[] = [];
  for (let draw = 0; draw < draws; draw++) {
    const columns = task.symbols.map(() => new Float64Array(rows));
    const shock = new Float64Array(n);
    for (let t = 0; t < rows; t++) {
      for (let i = 0; i < n; i++) shock[i] = normal(random);
      for (let i = 0; i < n; i++) columns[i][t] = task.expected[i] + dot(root[i], shock);
    }
    const covariance = positiveDefinite(sampleCovariance(columns)).matrix;
    curves.push(yield* frontier({ ...task, expected: arithmeticMean(columns), covariance }, points));
  }
  return Array.from({ length: points }, (_, k) => {
    const weights = curves.map((curve) => curve[Math.min(k, curve.length - 1)].weights);
    const column = (i: number): Float64Array => Float64Array.from(weights, (own) => own[i]).sort();
    const at = (sorted: Float64Array, share: number): number =>
      sorted[Math.round(share * (sorted.length - 1))];
    const sorted = task.symbols.map((_s, i) => column(i));
    const mean = Float64Array.from(
      sorted,
      (values) => values.reduce((sum, value) => sum + value, 0) / values.length,
    );
    // What the drawn portfolios risk under the moments that were estimated.
    const risks = Float64Array.from(weights, (own) => Math.sqrt(quadraticForm(task.covariance, own))).sort();
    return {
      mean,
      low: Float64Array.from(sorted, (values) => at(values, 0.1)),
      high: Float64Array.from(sorted, (values) => at(values, 0.9)),
      volatility: [at(risks, 0.1), at(risks, 0.9)],
    };
  });
}

/** Share of the variance that each asset brings; they sum to 1. */
export function riskContributions(covariance: Matrix, weights: Float64Array): Float64Array {
  const total = quadraticForm(covariance, weights);
  return weights.map((weight, i) => (weight * dot(covariance[i], weights)) / total);
}

interface Mix {
  readonly risk: number;
  readonly gain: number;
  readonly cost: number;
}

/** Callers have asked `requireFeasible`; what has no answer after that is a matter of rounding. */
function required(found: Optimum | undefined): Optimum {
  if (found !== undefined) return found;
  throw new UserError('No weights satisfy these limits.', { hint: 'Loosen them.' });
}

/**
 * With a least number of assets: those that are held, and one more at a time, are held at the least weight (a heuristic; the
 * exact problem is combinatorial). `gain` 1: candidates are ranked by what they expect for their risk, 0: by risk alone.
 */
function holding(
  task: MeanVarianceTask,
  gain: 0 | 1,
  solveWithin: (task: MeanVarianceTask) => Optimum | undefined,
): Optimum | undefined {
  const { limits } = task;
  let found = solveWithin(task);
  const min = Float64Array.from(limits.min);
  while (found !== undefined && limits.minAssets > 0) {
    const { weights, expectedReturn, volatility }: Optimum = found;
    const isHeld = (i: number): boolean => Math.abs(weights[i]) >= limits.leastWeight - 1e-9;
    const held = [...weights.keys()].filter(isHeld);
    if (held.length >= limits.minAssets) return found;
    const reward = gain === 1 && expectedReturn > 0 ? volatility ** 2 / expectedReturn : 0;
    const pull = task.covariance.map((row, i) => dot(row, weights) - reward * task.expected[i]);
    const free = [...weights.keys()].filter((i) => !isHeld(i) && limits.max[i] >= limits.leastWeight);
    if (free.length === 0) return undefined;
    for (const i of held) if (weights[i] > 0) min[i] = Math.max(min[i], limits.leastWeight);
    min[free.reduce((best, i) => (pull[i] < pull[best] ? i : best))] = limits.leastWeight;
    found = solveWithin({ ...task, limits: { ...limits, min } });
  }
  return found;
}

function solve(
  task: MeanVarianceTask,
  { risk, gain, cost }: Mix,
  extra: readonly Constraint[] = [],
): Optimum | undefined {
  const n = task.expected.length;
  const size = sizeOf(task, cost);
  const linear = new Float64Array(size);
  for (let i = 0; i < n; i++) linear[i] = (-gain * task.expected[i]) / risk;
  for (let i = n; i < size; i++) linear[i] = cost / risk;
  const constraints = [
    ...limitConstraints(task.limits, task.symbols, size, task.current),
    ...extra.map((one) => {
      const row = new Float64Array(size);
      row.set(one.row);
      return { ...one, row };
    }),
  ];
  const found = proximal(task.covariance, linear, constraints);
  return found && optimum(task, found);
}

const sizeOf = ({ expected, limits }: MeanVarianceTask, cost: number): number =>
  (limits.maxTurnover === undefined && cost === 0 ? 1 : 2) * expected.length;

/**
 * Variables beyond the weights, the absolute changes, have no variance, and the solver wants a positive definite matrix: they
 * get a small one around where they were last (the proximal point method, Rockafellar 1976; on a polyhedron it ends after
 * finitely many steps).
 */
function proximal(
  covariance: Matrix,
  linear: Float64Array,
  constraints: readonly Constraint[],
): QuadraticSolution | undefined {
  const n = covariance.length;
  const size = linear.length;
  if (size === n) return solveQuadratic({ hessian: covariance, linear, constraints });
  const small = 1e-3 * (covariance.reduce((sum, row, i) => sum + row[i], 0) / n);
  const hessian = Array.from({ length: size }, (_, i) => {
    const row = new Float64Array(size);
    if (i < n) row.set(covariance[i]);
    else row[i] = small;
    return row;
  });
  let centre = new Float64Array(size - n);
  let found: QuadraticSolution | undefined;
  for (let step = 0; step < 100; step++) {
    const moved = Float64Array.from(linear);
    for (let i = n; i < size; i++) moved[i] -= small * centre[i - n];
    found = solveQuadratic({ hessian, linear: moved, constraints });
    if (found === undefined) return undefined;
    const next = found.x.slice(n);
    const shift = next.reduce((most, value, i) => Math.max(most, Math.abs(value - centre[i])), 0);
    centre = next;
    if (shift <= 1e-10 * centre.reduce((most, value) => Math.max(most, value), 1)) break;
  }
  return found;
}

/** Weights below this are rounding of the solver. */
const NEGLIGIBLE = 1e-10;

function optimum({ expected, covariance, limits }: MeanVarianceTask, { x, kkt }: QuadraticSolution): Optimum {
  const weights = x.slice(0, expected.length);
  for (let i = 0; i < weights.length; i++) {
    const bounded = Math.max(limits.min[i], Math.min(limits.max[i], weights[i]));
    weights[i] = Math.abs(bounded) < NEGLIGIBLE ? 0 : bounded;
  }
  return {
    weights,
    expectedReturn: dot(expected, weights),
    volatility: Math.sqrt(quadraticForm(covariance, weights)),
    kkt,
  };
}
