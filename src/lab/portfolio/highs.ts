import { createRequire } from 'node:module';
import type { Highs } from 'highs';
import type { SolveLinear } from '../../core/portfolio/linear.ts';

/** Its declarations are written for `require` alone: under `import` the compiler does not find the function. */
const loadHighs = createRequire(import.meta.url)('highs') as () => Promise<Highs>;

/** Linear programs by HiGHS, compiled to WebAssembly. Loading takes a tenth of a second; a solver may be used any number of times. */
export async function loadLinearSolver(): Promise<SolveLinear> {
  const highs = await loadHighs();
  const { modelStatus } = highs.constants;
  return ({ cost, lower, upper, rows }) => {
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
    if (answer.value.modelStatus !== modelStatus.optimal) return undefined;
    const x = answer.value.solution.colValue;
    return { x, value: x.reduce((sum, own, i) => sum + own * cost[i], 0) };
  };
}
