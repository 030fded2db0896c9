import type { FeatureColumn } from '../../../core/dataset/panel.ts';
import { addScaled, fitScaler, scaleColumn, type Scaler } from '../../../core/dataset/scaler.ts';
import { cholesky, solveLower } from '../../../core/foundation/linear-algebra.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import type { Steps } from '../../../core/foundation/steps.ts';
import { pickRows } from './examples.ts';

/** A linear function of standardised features. */
export interface LinearFit {
  readonly scaler: Scaler;
  readonly intercept: number;
  /** Per deviation of each feature. */
  readonly weights: readonly number[];
}

/** `intercept + weights . features` row by row; `NaN` where a feature is. */
export function linearValues(
  { scaler, intercept, weights }: LinearFit,
  columns: readonly FeatureColumn[],
): Float64Array {
  const values = new Float64Array(columns[0]?.length ?? 0).fill(intercept);
  for (const [i, column] of columns.entries()) addScaled(values, scaler, i, { column, weight: weights[i] });
  return values;
}

/**
 * Minimises the mean loss plus `penalty / 2` times the squared weights (not the intercept) by Newton's method on
 * rows without a missing feature: least squares (one step) or logistic loss (McCullagh and Nelder 1989).
 * In steps of some thousand rows.
 */
export function* fitLinear(
  columns: readonly FeatureColumn[],
  targets: Float64Array,
  options: {
    readonly kind: 'least-squares' | 'logistic';
    readonly penalty: number;
    readonly name: string;
    /** How much each row counts; absent: all the same. */
    readonly weights?: Float64Array | undefined;
  },
): Steps<LinearFit> {
  const rows = completeRows(columns, targets.length);
  if (rows.length < 200) {
    throw new UserError(`"${options.name}" needs 200 training bars with all features, got ${rows.length}.`, {
      hint: 'Fetch more history with `fetch --since`.',
    });
  }
  yield;
  const scaler = fitScaler(columns, rows);
  yield;
  const width = columns.length + 1;
  const design = designBlock(columns, scaler, rows);
  const wanted = pickRows(targets, rows);
  const own = options.weights && pickRows(options.weights, rows);
  const beta = new Float64Array(width);
  const most = options.kind === 'logistic' ? 25 : 1;
  for (let iteration = 0; iteration < most; iteration++) {
    const step = yield* newtonStep(design, wanted, beta, { ...options, weights: own });
    for (let i = 0; i < width; i++) beta[i] += step[i];
    if (Math.max(...step.map(Math.abs)) < 1e-10) break;
  }
  return { scaler, intercept: beta[0], weights: [...beta.subarray(1)] };
}

/** Rows in which every column has a number. */
function completeRows(columns: readonly FeatureColumn[], count: number): Int32Array {
  const rows = new Int32Array(count);
  let found = 0;
  for (let row = 0; row < count; row++)
    if (columns.every((column) => Number.isFinite(column[row]))) rows[found++] = row;
  return rows.subarray(0, found);
}

const ROWS_A_STEP = 8192;

/** Rows [from, until) as [rows, 1 + features], the first column the constant; in an array that it reuses. */
type Design = (from: number, until: number) => Float64Array;

/** All rows at once would be one more copy of every column. */
function designBlock(columns: readonly FeatureColumn[], scaler: Scaler, rows: Int32Array): Design {
  const width = columns.length + 1;
  const block = new Float64Array(ROWS_A_STEP * width).fill(1);
  return (from, until) => {
    for (const [i, column] of columns.entries()) {
      const scaled = scaleColumn(scaler, i, pickRows(column, rows.subarray(from, until)));
      for (let k = 0; k < scaled.length; k++) block[k * width + i + 1] = scaled[k];
    }
    return block;
  };
}

/** What the rows add up to at `beta`: the gradient of the loss, and the lower half of its second derivatives. */
interface Curve {
  readonly gradient: Float64Array;
  readonly hessian: readonly Float64Array[];
}

function* newtonStep(
  design: Design,
  targets: Float64Array,
  beta: Float64Array,
  {
    kind,
    penalty,
    weights,
  }: { kind: 'least-squares' | 'logistic'; penalty: number; weights: Float64Array | undefined },
): Steps<Float64Array> {
  const width = beta.length;
  const count = targets.length;
  const gradient = new Float64Array(width);
  const hessian = Array.from({ length: width }, () => new Float64Array(width));
  for (let from = 0; from < count; from += ROWS_A_STEP) {
    const until = Math.min(count, from + ROWS_A_STEP);
    const block = design(from, until);
    addRows({ gradient, hessian }, { design: block, targets, weights, beta, kind }, from, until);
    yield;
  }
  for (let i = 0; i < width; i++) {
    const ridge = i === 0 ? 0 : penalty * count;
    gradient[i] -= ridge * beta[i];
    // A hair on the diagonal keeps duplicate features solvable.
    hessian[i][i] += ridge + 1e-9 * count;
    for (let j = 0; j < i; j++) hessian[j][i] = hessian[i][j];
  }
  const lower = cholesky(hessian);
  return lower === undefined ? new Float64Array(width) : solveLower(lower, gradient);
}

function addRows(
  { gradient, hessian }: Curve,
  {
    design,
    targets,
    weights,
    beta,
    kind,
  }: {
    /** Of these rows. */
    readonly design: Float64Array;
    readonly targets: Float64Array;
    readonly weights: Float64Array | undefined;
    readonly beta: Float64Array;
    readonly kind: 'least-squares' | 'logistic';
  },
  from: number,
  until: number,
): void {
  const width = beta.length;
  for (let row = from; row < until; row++) {
    const x = design.subarray((row - from) * width, (row - from + 1) * width);
    let value = 0;
    for (let i = 0; i < width; i++) value += beta[i] * x[i];
    const predicted = kind === 'logistic' ? 1 / (1 + Math.exp(-value)) : value;
    const weight = weights?.[row] ?? 1;
    const curvature = weight * (kind === 'logistic' ? predicted * (1 - predicted) : 1);
    const residual = weight * (targets[row] - predicted);
    for (let i = 0; i < width; i++) {
      gradient[i] += residual * x[i];
      const weighted = curvature * x[i];
      const line = hessian[i];
      for (let j = 0; j <= i; j++) line[j] += weighted * x[j];
    }
  }
}
