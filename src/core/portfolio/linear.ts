import type { Constraint } from './quadratic.ts';

/** One row of a linear program: its entries that are not zero. */
export interface LinearRow {
  readonly columns: readonly number[];
  readonly values: readonly number[];
  readonly kind: 'at-least' | 'equal';
  readonly bound: number;
}

/** Minimise cost'x with every x within its bounds, which may be infinite. */
export interface LinearProgram {
  readonly cost: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly rows: readonly LinearRow[];
}

/** A solver of linear programs: the core has none, whoever calls it brings one. `undefined`: no x satisfies the rows. */
export type SolveLinear = (
  program: LinearProgram,
) => { readonly x: Float64Array; readonly value: number } | undefined;

export function sparse({ row, kind, bound }: Constraint): LinearRow {
  const columns: number[] = [];
  const values: number[] = [];
  for (let i = 0; i < row.length; i++) {
    if (row[i] === 0) continue;
    columns.push(i);
    values.push(row[i]);
  }
  return { columns, values, kind, bound };
}

/**
 * The dual of a program whose variables are free or at least 0, and how its answer becomes that of the program. A variable that stands in
 * one row alone, as the excess of a bar does, is only an upper bound there: many bars over few assets become as many rows as there
 * are assets. `undefined`: a variable has other bounds.
 */
export function dualOf({ cost, lower, upper, rows }: LinearProgram):
  | {
      readonly program: LinearProgram;
      /** From the duals of the dual's rows (change of its least value with a row's bound) to the program's x. */
      readonly primal: (rowDuals: Float64Array) => Float64Array;
    }
  | undefined {
  const size = cost.length;
  for (let j = 0; j < size; j++)
    if (upper[j] !== Infinity || (lower[j] !== 0 && lower[j] !== -Infinity)) return undefined;
  const columns = Array.from({ length: size }, () => ({ at: [] as number[], values: [] as number[] }));
  for (const [i, row] of rows.entries())
    for (const [k, j] of row.columns.entries()) {
      columns[j].at.push(i);
      columns[j].values.push(row.values[k]);
    }
  const most = new Float64Array(rows.length).fill(Infinity);
  /** For each row, the variable that only fills it up; -1: none. */
  const filler = new Int32Array(rows.length).fill(-1);
  const kept: number[] = [];
  const dualRows: LinearRow[] = [];
  for (const [j, { at, values }] of columns.entries()) {
    if (lower[j] === 0 && at.length === 1 && values[0] > 0 && filler[at[0]] < 0) {
      filler[at[0]] = j;
      most[at[0]] = cost[j] / values[0];
      continue;
    }
    kept.push(j);
    dualRows.push(
      lower[j] === 0
        ? { columns: at, values: values.map((value) => -value), kind: 'at-least', bound: -cost[j] }
        : { columns: at, values, kind: 'equal', bound: cost[j] },
    );
  }
  return {
    program: {
      cost: Float64Array.from(rows, ({ bound }) => -bound),
      lower: Float64Array.from(rows, ({ kind }) => (kind === 'equal' ? -Infinity : 0)),
      upper: most,
      rows: dualRows,
    },
    primal(rowDuals) {
      const x = new Float64Array(size);
      for (const [k, j] of kept.entries()) x[j] = lower[j] === 0 ? rowDuals[k] : -rowDuals[k];
      for (const [i, row] of rows.entries()) {
        if (filler[i] < 0) continue;
        let [rest, own] = [row.bound, 1];
        for (const [k, j] of row.columns.entries())
          if (j === filler[i]) own = row.values[k];
          else rest -= row.values[k] * x[j];
        x[filler[i]] = Math.max(0, rest / own);
      }
      return x;
    },
  };
}
