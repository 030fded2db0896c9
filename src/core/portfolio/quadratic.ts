import { solveQP } from 'quadprog';
import { dot, gram, invert, type Matrix } from '../foundation/linear-algebra.ts';

/** `row` times x is at least `bound`, or equals it. */
export interface Constraint {
  readonly name: string;
  readonly kind: 'at-least' | 'equal';
  readonly row: Float64Array;
  readonly bound: number;
}

/** Minimise ½ x'Hx + q'x; H positive definite. */
export interface QuadraticProgram {
  readonly hessian: Matrix;
  readonly linear: Float64Array;
  readonly constraints: readonly Constraint[];
}

/** How far an answer is from what an optimum must satisfy (Karush, Kuhn, Tucker), each relative to the size of its terms. */
export interface KktResiduals {
  /** Largest part of the gradient of the Lagrangian. */
  readonly stationarity: number;
  /** Largest violation of a constraint. */
  readonly primal: number;
  /** Most negative multiplier of an inequality. */
  readonly dual: number;
  /** Largest product of a multiplier and its slack. */
  readonly complementarity: number;
}

export interface QuadraticSolution {
  readonly x: Float64Array;
  readonly value: number;
  /** One a constraint, in their order. */
  readonly multipliers: Float64Array;
  readonly kkt: KktResiduals;
}

/**
 * By Goldfarb and Idnani's dual method (`quadprog`); `undefined` when no x satisfies the constraints. Throws on a matrix that is
 * not positive definite. Limits that leave a single point are told from a conflict by rounding alone: bounds may be missed by 1e-10.
 */
export const solveQuadratic = (program: QuadraticProgram): QuadraticSolution | undefined =>
  solveWithin(program, 0) ?? solveWithin(program, 1e-10);

function solveWithin(program: QuadraticProgram, slack: number): QuadraticSolution | undefined {
  const n = program.linear.length;
  // Equalities come first, and indices start at 1.
  const all = program.constraints.map((_, k) => k);
  const isEqual = (k: number): boolean => program.constraints[k].kind === 'equal';
  const order = [...all.filter(isEqual), ...all.filter((k) => !isEqual(k))];
  const equalities = all.filter(isEqual).length;
  // Returns a day make entries of 1e-4 and less: the solver's tolerances want them near 1.
  let scale = 0;
  for (let i = 0; i < n; i++) scale += program.hessian[i][i] / n;
  const hessian = [[], ...program.hessian.map((row) => [0, ...row.map((value) => value / scale)])];
  const linear = [0, ...program.linear.map((value) => -value / scale)];
  const rows = Array.from({ length: n + 1 }, () => new Array<number>(order.length + 1).fill(0));
  const bounds = [0];
  for (const [column, k] of order.entries()) {
    const { row, bound } = program.constraints[k];
    for (let i = 0; i < n; i++) rows[i + 1][column + 1] = row[i];
    bounds.push(isEqual(k) ? bound : bound - slack * Math.max(1, Math.abs(bound)));
  }
  const answer = solveQP(hessian, linear, rows, bounds, equalities);
  if (answer.message.includes('inconsistent')) return undefined;
  if (answer.message !== '') throw new Error(`quadprog: ${answer.message}`);
  const x = Float64Array.from({ length: n }, (_, i) => answer.solution[i + 1]);
  if (x.some(Number.isNaN)) return undefined;
  const multipliers = new Float64Array(order.length);
  for (const [column, k] of order.entries()) multipliers[k] = scale * answer.Lagrangian[column + 1];
  const gradient = Float64Array.from(program.hessian, (row, i) => dot(row, x) + program.linear[i]);
  setEqualityMultipliers(program, gradient, multipliers);
  return {
    x,
    value:
      0.5 * program.hessian.reduce((sum, row, i) => sum + x[i] * dot(row, x), 0) + dot(program.linear, x),
    multipliers,
    kkt: residuals(program, x, gradient, multipliers, scale),
  };
}

/** quadprog gives those of equalities without their sign: they are what explains the rest of the gradient best. */
function setEqualityMultipliers(
  { constraints }: QuadraticProgram,
  gradient: Float64Array,
  multipliers: Float64Array,
): void {
  const equal = [...constraints.keys()].filter((k) => constraints[k].kind === 'equal');
  if (equal.length === 0) return;
  const rest = Float64Array.from(gradient);
  for (const [k, { kind, row }] of constraints.entries())
    if (kind !== 'equal' && multipliers[k] !== 0)
      for (let i = 0; i < rest.length; i++) rest[i] -= multipliers[k] * row[i];
  const rows = equal.map((k) => constraints[k].row);
  const inverse = invert(gram(rows));
  // Equalities that repeat each other: the solver's sizes stay.
  if (inverse === undefined) return;
  const moments = Float64Array.from(rows, (row) => dot(row, rest));
  for (const [at, k] of equal.entries()) multipliers[k] = dot(inverse[at], moments);
}

function residuals(
  { constraints, linear }: QuadraticProgram,
  x: Float64Array,
  gradient: Float64Array,
  multipliers: Float64Array,
  scale: number,
): KktResiduals {
  const lagrangian = Float64Array.from(gradient);
  let [size, primal, dual, complementarity] = [scale, 0, 0, 0];
  for (let i = 0; i < x.length; i++) size = Math.max(size, Math.abs(gradient[i]), Math.abs(linear[i]));
  for (const [k, { kind, row, bound }] of constraints.entries()) {
    const slack = dot(row, x) - bound;
    const width = Math.max(1, Math.abs(bound));
    primal = Math.max(primal, (kind === 'equal' ? Math.abs(slack) : -slack) / width);
    if (kind !== 'equal') {
      dual = Math.max(dual, -multipliers[k] / size);
      complementarity = Math.max(complementarity, Math.abs(multipliers[k] * slack) / size);
    }
    if (multipliers[k] !== 0) for (let i = 0; i < x.length; i++) lagrangian[i] -= multipliers[k] * row[i];
  }
  const stationarity = lagrangian.reduce((worst, value) => Math.max(worst, Math.abs(value)), 0) / size;
  return { stationarity, primal, dual, complementarity };
}

/** The largest of them: what an optimum is to be trusted by. */
export const worstResidual = ({ stationarity, primal, dual, complementarity }: KktResiduals): number =>
  Math.max(stationarity, primal, dual, complementarity);
