import type { FeatureColumn } from '../../../core/dataset/panel.ts';
import type { Steps } from '../../../core/foundation/steps.ts';
import { type Block, createTreeKernel, type TreeKernel } from './kernel.ts';
import type { TreeColumn } from './tree.ts';

/** Features as one byte a cell, column by column: what histogram boosting works on. */
export interface BinnedColumns {
  readonly rows: number;
  /**
   * `cuts[f]` ascending: bin b holds float32 values in [cuts[b-1], cuts[b]); the bin after the last cut holds
   * what is above, bin `cuts[f].length + 1` the missing values.
   */
  readonly cuts: readonly Float32Array[];
  readonly bins: readonly Block<Uint8Array>[];
  /** In whose memory the bins lie; trees grow there. */
  readonly kernel: TreeKernel;
}

/**
 * At most `maxBin` (255) bins a column for values (and one for `NaN`), edges at observed values: all of them when they
 * are few, else equally many rows a bin (XGBoost's `hist`, with exact quantiles). One column per step.
 */
export function* binningSteps(columns: Iterable<FeatureColumn>, maxBin: number): Steps<BinnedColumns> {
  const kernel = createTreeKernel();
  const cuts: Float32Array[] = [];
  const bins: Block<Uint8Array>[] = [];
  for (const column of columns) {
    const own = chooseCuts(column, maxBin);
    const block = kernel.bytes(column.length);
    cuts.push(own);
    bins.push(block);
    assign(column, own, block.values);
    yield;
  }
  return { rows: bins[0]?.values.length ?? 0, cuts, bins, kernel };
}

/** The columns as trees that were grown on the bins tell them apart: every value is the lowest of its bin. */
export const binnedValues = ({ cuts, bins }: BinnedColumns): readonly TreeColumn[] =>
  bins.map(({ values: codes }, i) => ({ codes, values: lowestOf(cuts[i]) }));

/** Other rows as the same trees tell them apart: every threshold is a cut. One column per step. */
export function* codingSteps(
  columns: Iterable<FeatureColumn>,
  cuts: readonly Float32Array[],
): Steps<readonly TreeColumn[]> {
  const coded: TreeColumn[] = [];
  for (const column of columns) {
    const own = cuts[coded.length];
    const codes = new Uint8Array(column.length);
    assign(column, own, codes);
    coded.push({ codes, values: lowestOf(own) });
    yield;
  }
  return coded;
}

const lowestOf = (cuts: Float32Array): Float32Array => Float32Array.of(-Infinity, ...cuts, NaN);

/** Of so many rows a quantile's rank has a standard error of at most an eighth of a bin of 255: more are not sorted. */
const MOST_SORTED = 1_000_000;

function chooseCuts(column: FeatureColumn, maxBin: number): Float32Array {
  const few = fewValues(column, maxBin);
  if (few !== undefined) return few.slice(1);
  // Sorting puts NaN last.
  const sorted = drawn(column).sort();
  let known = sorted.length;
  while (known > 0 && Number.isNaN(sorted[known - 1])) known--;
  const cuts: number[] = [];
  for (let k = 1; k < maxBin; k++) {
    const edge = sorted[Math.floor((k * known) / maxBin)];
    if (edge > (cuts.at(-1) ?? sorted[0])) cuts.push(edge);
  }
  return Float32Array.from(cuts);
}

/** The values of a column in order, when there are at most `most`. */
function fewValues(column: FeatureColumn, most: number): Float32Array | undefined {
  const values = new Set<number>();
  let last = NaN;
  for (const double of column) {
    const value = Math.fround(double);
    if (value === last || value !== value) continue;
    last = value;
    values.add(value);
    if (values.size > most) return undefined;
  }
  return Float32Array.from(values).sort();
}

function drawn(column: FeatureColumn): Float32Array {
  if (column.length <= MOST_SORTED) return new Float32Array(column);
  const every = column.length / MOST_SORTED;
  const some = new Float32Array(MOST_SORTED);
  for (let i = 0; i < MOST_SORTED; i++) some[i] = column[Math.floor(i * every)];
  return some;
}

function assign(column: FeatureColumn, cuts: Float32Array, bins: Uint8Array): void {
  let first = 1;
  while (2 * first <= cuts.length) first *= 2;
  for (let row = 0; row < column.length; row++) {
    const value = Math.fround(column[row]);
    // The number of cuts that are not above the value, bit by bit.
    let bin = 0;
    for (let step = first; step > 0; step >>= 1) {
      const next = bin + step;
      if (next <= cuts.length && cuts[next - 1] <= value) bin = next;
    }
    bins[row] = value !== value ? cuts.length + 1 : bin;
  }
}
