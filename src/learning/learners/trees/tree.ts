import type { FeatureColumn } from '../../../core/dataset/panel.ts';
import { createTreeKernel, type TreeKernel } from './kernel.ts';

/**
 * A regression tree as columns, node 0 the root. A row goes left when its float32 value is below the threshold; a split
 * on missing values alone has the threshold Infinity.
 */
export interface Tree {
  /** -1 for a leaf. */
  readonly feature: Int32Array;
  readonly threshold: Float32Array;
  /** Where a missing value goes. */
  readonly missingLeft: Uint8Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** Learning rate included; of inner nodes too. */
  readonly value: Float64Array;
  /** Reduction of the loss by the split (twice, as XGBoost reports it); 0 for leaves. */
  readonly gain: Float64Array;
  /** Sum of second derivatives of the rows that came through. */
  readonly cover: Float64Array;
}

/** Values of one feature by row: as they are, or a code a row and what each code stands for. `NaN` is missing. */
export type TreeColumn = FeatureColumn | { readonly codes: Uint8Array; readonly values: Float32Array };

/**
 * Adds the values of each row's leaves to `margins`, block of rows by block: a block and a tree stay in the processor's
 * cache.
 */
export function addTrees(
  trees: readonly Tree[],
  columns: readonly TreeColumn[],
  margins: Float64Array,
): void {
  const kernel = (walker ??= createTreeKernel());
  kernel.reset();
  const inputs = new Inputs();
  const walks = kernel.int32(3 * trees.length);
  trees.forEach((tree, i) => walks.values.set(layOut(tree, inputs, kernel), 3 * i));
  const cells = kernel.float32(BLOCK_ROWS * inputs.all.length);
  const sums = kernel.float64(BLOCK_ROWS);
  for (let from = 0; from < margins.length; from += BLOCK_ROWS) {
    const rows = Math.min(BLOCK_ROWS, margins.length - from);
    inputs.copy(columns, cells.values, { from, rows });
    const block = margins.subarray(from, from + rows);
    sums.values.set(block);
    kernel.addLeaves(walks.at, trees.length, cells.at, 8 * Math.ceil(rows / 8), sums.at);
    block.set(sums.values.subarray(0, rows));
  }
}

/** Rows of a block, a multiple of eight. */
const BLOCK_ROWS = 128;

/** Kept from call to call: its memory is used anew. */
let walker: TreeKernel | undefined;

/** The features that trees read, once for each side to which they send missing values. */
class Inputs {
  readonly all: { readonly feature: number; readonly missing: number }[] = [];
  private readonly known = new Map<number, number>();

  /** -Infinity stands for a missing value that is sent left, as every threshold does, Infinity for one sent right. */
  indexOf(feature: number, missingLeft: number): number {
    const key = 2 * feature + missingLeft;
    let index = this.known.get(key);
    if (index === undefined) {
      index = this.all.push({ feature, missing: missingLeft ? -Infinity : Infinity }) - 1;
      this.known.set(key, index);
    }
    return index;
  }

  /** `BLOCK_ROWS` cells an input, as float32. */
  copy(
    columns: readonly TreeColumn[],
    cells: Float32Array,
    { from, rows }: { from: number; rows: number },
  ): void {
    let start = 0;
    for (const { feature, missing } of this.all) {
      const column = columns[feature];
      if ('codes' in column) {
        const { codes, values } = column;
        for (let row = 0; row < rows; row++) {
          const value = values[codes[from + row]];
          cells[start + row] = value === value ? value : missing;
        }
      } else
        for (let row = 0; row < rows; row++) {
          const value = column[from + row];
          cells[start + row] = value === value ? value : missing;
        }
      start += BLOCK_ROWS;
    }
  }
}

/** Writes a tree as `addLeaves` reads it, level by level, siblings beside each other. */
function layOut(
  tree: Tree,
  inputs: Inputs,
  kernel: TreeKernel,
): [nodes: number, values: number, depth: number] {
  const size = tree.feature.length;
  const source = new Int32Array(size);
  const level = new Int32Array(size);
  const nodes = kernel.int32(4 * size);
  const thresholds = new Float32Array(nodes.values.buffer, nodes.at, 4 * size);
  let placed = 1;
  for (let node = 0; node < placed; node++) {
    const from = source[node];
    const isLeaf = tree.feature[from] < 0;
    const input = isLeaf ? 0 : inputs.indexOf(tree.feature[from], tree.missingLeft[from]);
    nodes.values[4 * node] = 4 * BLOCK_ROWS * input;
    thresholds[4 * node + 1] = isLeaf ? NaN : tree.threshold[from];
    nodes.values[4 * node + 2] = nodes.at + 16 * (isLeaf ? node : placed);
    if (isLeaf) continue;
    level[placed] = level[placed + 1] = level[node] + 1;
    source[placed++] = tree.left[from];
    source[placed++] = tree.right[from];
  }
  const values = kernel.float64(placed);
  for (let node = 0; node < placed; node++) values.values[node] = tree.value[source[node]];
  return [nodes.at, values.at, level[placed - 1]];
}
