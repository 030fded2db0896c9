/** A regression tree as columns, node 0 the root. A row goes left when its float32 value is below the threshold. */
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

/**
 * Adds the values of each row's leaves to `margins`. Blocks of rows are laid out row by row, as float32, so that
 * a block and a tree stay in the processor's cache.
 */
export function addTrees(
  trees: readonly Tree[],
  columns: readonly Float64Array[],
  margins: Float64Array,
): void {
  const width = columns.length;
  const block = new Float32Array(BLOCK_ROWS * width);
  for (let from = 0; from < margins.length; from += BLOCK_ROWS) {
    const rows = Math.min(BLOCK_ROWS, margins.length - from);
    for (let column = 0; column < width; column++) {
      const values = columns[column];
      for (let row = 0; row < rows; row++) block[row * width + column] = values[from + row];
    }
    for (const tree of trees) addBlock(tree, { block, width, rows, from, margins });
  }
}

const BLOCK_ROWS = 128;

function addBlock(
  { feature, threshold, missingLeft, left, right, value }: Tree,
  to: { block: Float32Array; width: number; rows: number; from: number; margins: Float64Array },
): void {
  const { block, width, rows, from, margins } = to;
  for (let row = 0; row < rows; row++) {
    const offset = row * width;
    let node = 0;
    let split = feature[0];
    while (split >= 0) {
      const cell = block[offset + split];
      const goesLeft = cell < threshold[node] || (cell !== cell && missingLeft[node] === 1);
      node = goesLeft ? left[node] : right[node];
      split = feature[node];
    }
    margins[from + row] += value[node];
  }
}
