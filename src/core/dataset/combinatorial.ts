/** One split of combinatorial purged cross-validation, as row numbers. */
export interface CombinatorialSplit {
  readonly train: Int32Array;
  /** One run of rows for each fold that is tested. */
  readonly tests: readonly Int32Array[];
  /** Which path each of `tests` belongs to: every path covers all rows once. */
  readonly paths: readonly number[];
}

interface CombinatorialPlan {
  readonly rows: number;
  readonly folds: number;
  /** Folds tested at once. */
  readonly testFolds: number;
  /** Rows left out of training on either side of a test fold: as long as a label reaches. */
  readonly purgeRows: number;
  /** Rows left out after a test fold, on top of the purge. */
  readonly embargoRows: number;
}

/**
 * Combinatorial purged cross-validation (Lopez de Prado 2018, chapter 12): every choice of `testFolds` of the folds is tested
 * by a model that is fitted on the others, which gives several out-of-sample paths instead of one. Folds follow
 * one another in time; the last takes what is left over.
 */
export function combinatorialSplits(plan: CombinatorialPlan): readonly CombinatorialSplit[] {
  const { rows, folds, testFolds, purgeRows, embargoRows } = plan;
  const size = Math.floor(rows / folds);
  const span = (fold: number): readonly [number, number] => [
    fold * size,
    fold === folds - 1 ? rows : (fold + 1) * size,
  ];
  const tested = new Array<number>(folds).fill(0);
  return combinations(folds, testFolds).map((chosen) => {
    const spans = chosen.map(span);
    const train: number[] = [];
    for (let row = 0; row < rows; row++) {
      const free = spans.every(
        ([from, until]) => row < from - purgeRows || row >= until + purgeRows + embargoRows,
      );
      if (free) train.push(row);
    }
    const paths = chosen.map((fold) => tested[fold]++);
    return { train: Int32Array.from(train), tests: spans.map(range), paths };
  });
}

/** Paths that cover all rows once: every fold is tested this often. */
export const combinatorialPaths = (folds: number, testFolds: number): number =>
  Math.round((choose(folds, testFolds) * testFolds) / folds);

/**
 * The numbers of folds and of tested folds that come nearest, in relative terms, to a wanted size of training and
 * number of paths.
 */
export function chooseFolds(
  rows: number,
  wanted: { readonly trainRows: number; readonly paths: number },
): { readonly folds: number; readonly testFolds: number } {
  let best = { folds: 3, testFolds: 2, cost: Infinity };
  for (let folds = 3; folds < 100; folds++)
    for (let testFolds = 2; testFolds < folds; testFolds++) {
      const trainRows = (rows / folds) * (folds - testFolds);
      const cost =
        Math.abs(combinatorialPaths(folds, testFolds) - wanted.paths) / wanted.paths +
        Math.abs(trainRows - wanted.trainRows) / wanted.trainRows;
      if (cost < best.cost) best = { folds, testFolds, cost };
    }
  return { folds: best.folds, testFolds: best.testFolds };
}

/** In lexicographic order. */
function combinations(count: number, size: number, from = 0): readonly (readonly number[])[] {
  if (size === 0) return [[]];
  const all: number[][] = [];
  for (let first = from; first <= count - size; first++)
    for (const rest of combinations(count, size - 1, first + 1)) all.push([first, ...rest]);
  return all;
}

const choose = (n: number, k: number): number => {
  let product = 1;
  for (let i = 1; i <= k; i++) product = (product * (n - k + i)) / i;
  return product;
};

const range = ([from, until]: readonly [number, number]): Int32Array =>
  Int32Array.from({ length: until - from }, (_, i) => from + i);
