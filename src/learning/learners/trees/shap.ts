import type { FeatureColumn } from '../../../core/dataset/panel.ts';
import { type Booster, linkOf } from './boosting.ts';
import type { Tree } from './tree.ts';

export interface Contributions {
  /** What the trees say of a row of which nothing is known, base score included; a margin. */
  readonly expected: number;
  /** By feature and row; with `expected` they sum to the row's margin. */
  readonly columns: readonly Float64Array[];
}

/**
 * SHAP values of every row by the trees' own paths: Lundberg, Erion and Lee 2018, arXiv:1802.03888, algorithm 2. What is
 * not known of a row follows the training rows, by their sum of second derivatives (XGBoost's `pred_contribs`).
 */
export function shapValues(booster: Booster, features: readonly FeatureColumn[]): Contributions {
  const rows = features[0]?.length ?? 0;
  const columns = features.map(() => new Float64Array(rows));
  let expected = linkOf(booster.objective, booster.baseScore);
  for (const tree of booster.trees) {
    expected += expectedValue(tree, 0);
    const explain = createExplainer(tree, features);
    for (let row = 0; row < rows; row++) explain(row, columns);
  }
  return { expected, columns };
}

function expectedValue(tree: Tree, node: number): number {
  if (tree.feature[node] < 0) return tree.value[node];
  const left = leftShare(tree, node);
  return left * expectedValue(tree, tree.left[node]) + (1 - left) * expectedValue(tree, tree.right[node]);
}

function leftShare({ cover, left }: Tree, node: number): number {
  return cover[node] > 0 ? cover[left[node]] / cover[node] : 0.5;
}

const depthOf = (tree: Tree, node: number): number =>
  tree.feature[node] < 0 ? 0 : 1 + Math.max(depthOf(tree, tree.left[node]), depthOf(tree, tree.right[node]));

/**
 * A path holds the features that were split on so far, each once: the share of training rows that its splits let
 * through (`zeros`), whether the row itself passed them (`ones`), and the weight of all subsets of each size
 * (`weights`). Each level of the recursion has its own copy, one after the other.
 */
function createExplainer(
  tree: Tree,
  features: readonly FeatureColumn[],
): (row: number, to: readonly Float64Array[]) => void {
  const levels = depthOf(tree, 0) + 2;
  const size = (levels * (levels + 1)) / 2;
  const names = new Int32Array(size);
  const zeros = new Float64Array(size);
  const ones = new Float64Array(size);
  const weights = new Float64Array(size);
  let row = 0;
  let to: readonly Float64Array[] = [];

  function extend(at: number, depth: number, [zero, one, name]: readonly [number, number, number]): void {
    names[at + depth] = name;
    zeros[at + depth] = zero;
    ones[at + depth] = one;
    weights[at + depth] = depth === 0 ? 1 : 0;
    for (let i = depth - 1; i >= 0; i--) {
      weights[at + i + 1] += (one * weights[at + i] * (i + 1)) / (depth + 1);
      weights[at + i] = (zero * weights[at + i] * (depth - i)) / (depth + 1);
    }
  }

  /** Undoes the extension by entry `index`. */
  function unwind(at: number, depth: number, index: number): void {
    const [zero, one] = [zeros[at + index], ones[at + index]];
    let next = weights[at + depth];
    for (let i = depth - 1; i >= 0; i--) {
      const weight = weights[at + i];
      if (one !== 0) {
        weights[at + i] = (next * (depth + 1)) / ((i + 1) * one);
        next = weight - (weights[at + i] * zero * (depth - i)) / (depth + 1);
      } else {
        weights[at + i] = (weight * (depth + 1)) / (zero * (depth - i));
      }
    }
    for (const list of [names, zeros, ones]) list.copyWithin(at + index, at + index + 1, at + depth + 1);
  }

  /** Sum of the weights as `unwind` would leave them. */
  function unwoundSum(at: number, depth: number, index: number): number {
    const [zero, one] = [zeros[at + index], ones[at + index]];
    let next = weights[at + depth];
    let total = 0;
    for (let i = depth - 1; i >= 0; i--) {
      if (one !== 0) {
        const part = (next * (depth + 1)) / ((i + 1) * one);
        total += part;
        next = weights[at + i] - (part * zero * (depth - i)) / (depth + 1);
      } else {
        total += (weights[at + i] * (depth + 1)) / (zero * (depth - i));
      }
    }
    return total;
  }

  /** `from`: where the parent's path stands, `depth` entries long. */
  function visit(node: number, from: number, depth: number, entry: readonly [number, number, number]): void {
    const at = from + depth;
    for (const list of [names, zeros, ones, weights]) list.copyWithin(at, from, at);
    extend(at, depth, entry);
    const feature = tree.feature[node];
    if (feature < 0) {
      for (let i = 1; i <= depth; i++)
        to[names[at + i]][row] +=
          unwoundSum(at, depth, i) * (ones[at + i] - zeros[at + i]) * tree.value[node];
      return;
    }
    const cell = Math.fround(features[feature][row]);
    const goesLeft = cell < tree.threshold[node] || (cell !== cell && tree.missingLeft[node] === 1);
    let [zero, one, last] = [1, 1, depth];
    for (let i = 1; i <= depth; i++) {
      if (names[at + i] !== feature) continue;
      [zero, one] = [zeros[at + i], ones[at + i]];
      unwind(at, depth, i);
      last = depth - 1;
      break;
    }
    const share = leftShare(tree, node);
    visit(tree.left[node], at, last + 1, [zero * share, goesLeft ? one : 0, feature]);
    visit(tree.right[node], at, last + 1, [zero * (1 - share), goesLeft ? 0 : one, feature]);
  }

  return (which, sums) => {
    row = which;
    to = sums;
    visit(0, 0, 0, [1, 1, -1]);
  };
}
