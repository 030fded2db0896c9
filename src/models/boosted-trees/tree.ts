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

/** Adds the value of each row's leaf to `margins`. */
export function addTree(tree: Tree, columns: readonly Float64Array[], margins: Float64Array): void {
  const { feature, threshold, missingLeft, left, right, value } = tree;
  for (let row = 0; row < margins.length; row++) {
    let node = 0;
    let split = feature[0];
    while (split >= 0) {
      const cell = Math.fround(columns[split][row]);
      const goesLeft = cell < threshold[node] || (cell !== cell && missingLeft[node] === 1);
      node = goesLeft ? left[node] : right[node];
      split = feature[node];
    }
    margins[row] += value[node];
  }
}
