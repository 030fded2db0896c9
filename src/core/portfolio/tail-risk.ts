import { dot } from '../foundation/linear-algebra.ts';
import type { ReturnColumns } from './covariance.ts';
import { homogeneous, type Limits, limitConstraints } from './limits.ts';
import { type LinearRow, type SolveLinear, sparse } from './linear.ts';
import { type Constraint, solveQuadratic } from './quadratic.ts';
import { positiveDefinite } from './symmetric.ts';

export interface TailTask {
  readonly symbols: readonly string[];
  readonly returns: ReturnColumns;
  readonly limits: Limits;
  readonly current: Float64Array;
  /** Share of the bars that are not the tail, such as .95. */
  readonly level: number;
  readonly solveLinear: SolveLinear;
  /** Least expected return a bar, with what each asset is expected to return; `undefined`: any. */
  readonly floor?: { readonly expected: Float64Array; readonly least: number } | undefined;
}

export interface TailOptimum {
  readonly weights: Float64Array;
  /** The risk that was minimised, a fraction of the capital. */
  readonly risk: number;
}

/** Mean loss in the worst 1 - level of the bars, positive when money is lost. */
function conditionalValueAtRisk(losses: Float64Array, level: number): number {
  const sorted = Float64Array.from(losses).sort();
  const tail = (1 - level) * sorted.length;
  let [left, sum] = [tail, 0];
  for (let t = sorted.length - 1; t >= 0 && left > 1e-12; t--) {
    const part = Math.min(1, left);
    sum += part * sorted[t];
    left -= part;
  }
  return sum / tail;
}

/** Fall from the highest sum of returns so far, bar by bar: not compounded, as the linear program has it. */
function drawdownsOf(returns: Float64Array): Float64Array {
  let depth = 0;
  return returns.map((value) => (depth = Math.max(0, depth - value)));
}

function portfolioReturns(returns: ReturnColumns, weights: Float64Array): Float64Array {
  const total = new Float64Array(returns[0].length);
  for (const [i, column] of returns.entries())
    if (weights[i] !== 0) for (let t = 0; t < total.length; t++) total[t] += weights[i] * column[t];
  return total;
}

/** Least conditional value at risk, as a linear program (Rockafellar and Uryasev 2000). `undefined`: the floor is out of reach. */
export function minimumCvar(task: TailTask): TailOptimum | undefined {
  const weights = tailProgram(task, 'losses', undefined);
  if (weights === undefined) return undefined;
  const losses = portfolioReturns(task.returns, weights).map((value) => -value);
  return { weights, risk: conditionalValueAtRisk(losses, task.level) };
}

/** Least conditional drawdown at risk (Chekhlov, Uryasev and Zabarankin 2005); drawdowns are not compounded. */
export function minimumCdar(task: TailTask): TailOptimum | undefined {
  const weights = tailProgram(task, 'drawdowns', undefined);
  if (weights === undefined) return undefined;
  const risk = conditionalValueAtRisk(drawdownsOf(portfolioReturns(task.returns, weights)), task.level);
  return { weights, risk };
}

/** Highest expected return for each unit of conditional value at risk; `undefined` when nothing expects a gain. */
export function maximumReturnOverCvar(task: TailTask, expected: Float64Array): TailOptimum | undefined {
  const weights = tailProgram(task, 'losses', expected);
  if (weights === undefined) return undefined;
  const losses = portfolioReturns(task.returns, weights).map((value) => -value);
  return { weights, risk: conditionalValueAtRisk(losses, task.level) };
}

/**
 * Variables: n weights, n absolute changes where turnover is limited, the value at risk, an excess for each bar, and for drawdowns the
 * depth of each bar. `ratio`: the program for y = k w with an expected return of 1.
 */
function tailProgram(
  task: TailTask,
  of: 'losses' | 'drawdowns',
  ratio: Float64Array | undefined,
): Float64Array | undefined {
  const { returns, limits, level } = task;
  const n = returns.length;
  const bars = returns[0].length;
  const held = limits.maxTurnover === undefined ? n : 2 * n;
  const [atRisk, excess, depth] = [held, held + 1, held + 1 + bars];
  const size = held + 1 + (of === 'drawdowns' ? 2 : 1) * bars;
  const cost = new Float64Array(size);
  cost[atRisk] = 1;
  cost.fill(1 / ((1 - level) * bars), excess, excess + bars);
  const lower = new Float64Array(size).fill(-Infinity, 0, excess);
  const upper = new Float64Array(size).fill(Infinity);
  const all = limitConstraints(limits, task.symbols, held, task.current);
  const own: readonly Constraint[] = ratio === undefined ? all : homogeneous(all, n);
  const rows: LinearRow[] = own.map(sparse);
  const assets = Array.from({ length: n }, (_, i) => i);
  if (ratio !== undefined) rows.push({ columns: assets, values: [...ratio], kind: 'equal', bound: 1 });
  if (task.floor !== undefined)
    rows.push({
      columns: assets,
      values: [...task.floor.expected],
      kind: 'at-least',
      bound: task.floor.least,
    });
  for (let t = 0; t < bars; t++) {
    const gains = returns.map((column) => column[t]);
    if (of === 'losses') {
      rows.push({
        columns: [...assets, atRisk, excess + t],
        values: [...gains, 1, 1],
        kind: 'at-least',
        bound: 0,
      });
      continue;
    }
    rows.push({ columns: [atRisk, excess + t, depth + t], values: [1, 1, -1], kind: 'at-least', bound: 0 });
    rows.push({
      columns: [...assets, depth + t, ...(t > 0 ? [depth + t - 1] : [])],
      values: [...gains, 1, ...(t > 0 ? [-1] : [])],
      kind: 'at-least',
      bound: 0,
    });
  }
  const found = task.solveLinear({ cost, lower, upper, rows });
  if (found === undefined) return undefined;
  const raw = found.x.slice(0, n);
  const total = ratio === undefined ? 1 : raw.reduce((sum, value) => sum + value, 0);
  if (!(total > 1e-12)) return undefined;
  return raw.map((value, i) => {
    const weight = Math.max(limits.min[i], Math.min(limits.max[i], value / total));
    return Math.abs(weight) < 1e-10 ? 0 : weight;
  });
}

/**
 * Least semivariance about `benchmark` (a bar): mean square of what returns fall short. Convex and quadratic between kinks: Newton's
 * method, whose every step is a quadratic program over the bars that fall short now, with a line search.
 */
export function minimumSemivariance(
  task: Omit<TailTask, 'level' | 'solveLinear' | 'floor'>,
  benchmark = 0,
): TailOptimum {
  const { returns, limits, symbols } = task;
  const n = returns.length;
  const bars = returns[0].length;
  const held = limits.maxTurnover === undefined ? n : 2 * n;
  const constraints = limitConstraints(limits, symbols, held, task.current);
  const value = (weights: Float64Array): number =>
    portfolioReturns(returns, weights).reduce((sum, own) => sum + Math.min(own - benchmark, 0) ** 2, 0) /
    bars;
  const start = solveQuadratic({ hessian: identity(held), linear: new Float64Array(held), constraints });
  let x = start?.x ?? new Float64Array(held);
  let least = value(x.subarray(0, n));
  for (let step = 0; step < 100; step++) {
    const total = portfolioReturns(returns, x.subarray(0, n));
    const short = [...total.keys()].filter((t) => total[t] < benchmark);
    const columns = returns.map((column) => Float64Array.from(short, (t) => column[t]));
    const second = columns.map((a) => Float64Array.from(columns, (b) => dot(a, b) / bars));
    const hessian = identity(held, 1e-6 * (second.reduce((sum, row, i) => sum + row[i], 0) / n || 1));
    const safe = positiveDefinite(second).matrix;
    for (let i = 0; i < n; i++) hessian[i].set(safe[i]);
    const linear = new Float64Array(held);
    for (let i = 0; i < n; i++)
      linear[i] = (-benchmark * columns[i].reduce((sum, own) => sum + own, 0)) / bars;
    const found = solveQuadratic({ hessian, linear, constraints });
    if (found === undefined) break;
    let [length, reached, next] = [1, Infinity, x];
    for (let attempt = 0; attempt < 40; attempt++, length /= 2) {
      next = x.map((own, i) => own + length * (found.x[i] - own));
      reached = value(next.subarray(0, n));
      if (reached < least) break;
    }
    if (!(reached < least * (1 - 1e-13))) break;
    [x, least] = [next, reached];
  }
  const weights = x.slice(0, n).map((own, i) => {
    const weight = Math.max(limits.min[i], Math.min(limits.max[i], own));
    return Math.abs(weight) < 1e-10 ? 0 : weight;
  });
  return { weights, risk: Math.sqrt(least) };
}

const identity = (size: number, diagonal = 1): Float64Array[] =>
  Array.from({ length: size }, (_, i) => {
    const row = new Float64Array(size);
    row[i] = diagonal;
    return row;
  });
