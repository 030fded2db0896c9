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
