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
 * Adds the values of each row's leaves to `margins`. Blocks of rows are laid out row by row, so that a block and a
 * tree stay in the processor's cache; four rows walk down a tree side by side and without branches.
 */
export function addTrees(
  trees: readonly Tree[],
  columns: readonly Float64Array[],
  margins: Float64Array,
): void {
  const { walks, inputs } = prepare(trees);
  const width = inputs.length;
  const cells = new Float32Array(BLOCK_ROWS * width);
  const keys = new Int32Array(cells.buffer);
  for (let from = 0; from < margins.length; from += BLOCK_ROWS) {
    const rows = Math.min(BLOCK_ROWS, margins.length - from);
    for (let column = 0; column < width; column++) {
      const { feature, missing } = inputs[column];
      const values = columns[feature];
      for (let row = 0; row < rows; row++) {
        const value = values[from + row];
        cells[row * width + column] = value === value ? value : missing;
      }
    }
    orderedKeys(cells.subarray(0, rows * width), keys);
    const sums = margins.subarray(from, from + rows);
    for (const walk of walks) addBlock(walk, keys, width, sums);
  }
}

const BLOCK_ROWS = 128;

/**
 * A tree as it is walked: four integers a node, of which the first three are the cell that it reads, the key of its
 * threshold and the place of its left child; the right child stands after it. A leaf has itself as left child and a
 * threshold above all keys, so that every row takes `depth` steps.
 */
interface Walk {
  readonly depth: number;
  readonly nodes: Int32Array;
  /** By node. */
  readonly value: Float64Array;
}

/** A feature and what stands for its missing values: -Infinity is sent left by every threshold, Infinity right. */
interface Input {
  readonly feature: number;
  readonly missing: number;
}

function prepare(trees: readonly Tree[]): { walks: readonly Walk[]; inputs: readonly Input[] } {
  const inputs: Input[] = [];
  const known = new Map<number, number>();
  const inputOf = (feature: number, missingLeft: number): number => {
    const key = 2 * feature + missingLeft;
    const index = known.get(key) ?? inputs.push({ feature, missing: missingLeft ? -Infinity : Infinity }) - 1;
    known.set(key, index);
    return index;
  };
  return { walks: trees.map((tree) => walkOf(tree, inputOf)), inputs };
}

/** Nodes level by level, siblings beside each other. */
function walkOf(tree: Tree, inputOf: (feature: number, missingLeft: number) => number): Walk {
  const size = tree.feature.length;
  const source = new Int32Array(size);
  const level = new Int32Array(size);
  const nodes = new Int32Array(4 * size);
  const thresholdKeys = orderedKeys(tree.threshold, new Int32Array(size));
  let placed = 1;
  for (let node = 0; node < placed; node++) {
    const from = source[node];
    if (tree.feature[from] < 0) {
      nodes[4 * node + 1] = ABOVE_ALL;
      nodes[4 * node + 2] = 4 * node;
      continue;
    }
    nodes[4 * node] = inputOf(tree.feature[from], tree.missingLeft[from]);
    nodes[4 * node + 1] = thresholdKeys[from];
    nodes[4 * node + 2] = 4 * placed;
    level[placed] = level[placed + 1] = level[node] + 1;
    source[placed++] = tree.left[from];
    source[placed++] = tree.right[from];
  }
  const value = Float64Array.from(source.subarray(0, placed), (from) => tree.value[from]);
  return { depth: level[placed - 1], nodes, value };
}

/** The key of no number: that of Infinity is smaller. */
const ABOVE_ALL = 0x7fffffff;

/** Integers in the order of float32 numbers, both zeros being one: their bits, turned over below zero. */
function orderedKeys(numbers: Float32Array, keys: Int32Array): Int32Array {
  const bits = new Int32Array(numbers.buffer, numbers.byteOffset, numbers.length);
  for (let i = 0; i < bits.length; i++) {
    const value = bits[i];
    keys[i] = value === NEGATIVE_ZERO ? 0 : value ^ ((value >> 31) & 0x7fffffff);
  }
  return keys;
}

const NEGATIVE_ZERO = -0x80000000;

function addBlock({ depth, nodes, value }: Walk, cells: Int32Array, width: number, sums: Float64Array): void {
  const rows = sums.length;
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    const at0 = row * width;
    const at1 = at0 + width;
    const at2 = at1 + width;
    const at3 = at2 + width;
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let step = 0; step < depth; step++) {
      a = nodes[a + 2] + (Number(cells[at0 + nodes[a]] >= nodes[a + 1]) << 2);
      b = nodes[b + 2] + (Number(cells[at1 + nodes[b]] >= nodes[b + 1]) << 2);
      c = nodes[c + 2] + (Number(cells[at2 + nodes[c]] >= nodes[c + 1]) << 2);
      d = nodes[d + 2] + (Number(cells[at3 + nodes[d]] >= nodes[d + 1]) << 2);
    }
    sums[row] += value[a >> 2];
    sums[row + 1] += value[b >> 2];
    sums[row + 2] += value[c >> 2];
    sums[row + 3] += value[d >> 2];
  }
  for (; row < rows; row++) {
    let node = 0;
    for (let step = 0; step < depth; step++)
      node = nodes[node + 2] + (Number(cells[row * width + nodes[node]] >= nodes[node + 1]) << 2);
    sums[row] += value[node >> 2];
  }
}
