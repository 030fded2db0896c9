import { createRequire } from 'node:module';
import type { Highs } from 'highs';
import { dot } from '../../core/foundation/linear-algebra.ts';
import { dualOf, type LinearProgram, type SolveLinear } from '../../core/portfolio/linear.ts';

/** Its declarations are written for `require` alone: under `import` the compiler does not find the function. */
const load = createRequire(import.meta.url);

/**
 * Linear programs by HiGHS, compiled to WebAssembly. Loading takes a tenth of a second; a solver may be used any number of times. Where the
 * dual has less than half as many rows, as for the tail of many bars, that is solved: the simplex method's steps cost by the row.
 */
export async function loadLinearSolver(): Promise<SolveLinear> {
  const highs = await (load('highs') as () => Promise<Highs>)();
  return (program) => {
    const dual = dualOf(program);
    const x =
      dual !== undefined && 2 * dual.program.rows.length < program.rows.length
        ? optimumOf(highs, dual.program, ({ rowDual }) => dual.primal(rowDual))
        : optimumOf(highs, program, ({ colValue }) => colValue);
    return x && { x, value: dot(x, program.cost) };
  };
}

function optimumOf(
  highs: Highs,
  { cost, lower, upper, rows }: LinearProgram,
  read: (solution: { readonly colValue: Float64Array; readonly rowDual: Float64Array }) => Float64Array,
): Float64Array | undefined {
  const starts = [0];
  const indices: number[] = [];
  const values: number[] = [];
  for (const row of rows) {
    indices.push(...row.columns);
    values.push(...row.values);
    starts.push(indices.length);
  }
  const answer = highs.raw.lpCall({
    numCols: cost.length,
    numRows: rows.length,
    colCost: cost,
    colLower: lower,
    colUpper: upper,
    rowLower: rows.map(({ bound }) => bound),
    rowUpper: rows.map(({ kind, bound }) => (kind === 'equal' ? bound : Infinity)),
    matrix: {
      format: 'csr',
      numRows: rows.length,
      numCols: cost.length,
      starts: Int32Array.from(starts),
      indices: Int32Array.from(indices),
      values: Float64Array.from(values),
    },
  });
  if (answer.status === highs.constants.status.error) throw new Error('HiGHS refused a linear program.');
  if (answer.value.modelStatus !== highs.constants.modelStatus.optimal) return undefined;
  return read(answer.value.solution);
}
