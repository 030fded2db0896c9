declare module 'quadprog' {
  /** Arrays start at index 1. `Lagrangian` holds one value a constraint, in the order of `bvec`. */
  interface Answer {
    readonly solution: readonly number[];
    readonly Lagrangian: readonly number[];
    readonly iterations: readonly number[];
    /** Empty on success. */
    readonly message: string;
  }
  /** min ½ x'Dx - d'x subject to A'x >= b, the first `meq` of them with equality. Overwrites D and d. */
  export function solveQP(
    Dmat: number[][],
    dvec: number[],
    Amat: number[][],
    bvec: number[],
    meq: number,
  ): Answer;
}
