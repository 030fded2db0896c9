import type { BinnedColumns } from './binning.ts';
import { createDraft, type Node, type Split } from './draft.ts';
import type { Block } from './kernel.ts';
import { packDerivatives, type Packing, unpack } from './packing.ts';
import type { Tree } from './tree.ts';

/** XGBoost's parameters of one tree, under its names. */
export interface TreeParams {
  readonly eta: number;
  readonly maxDepth: number;
  readonly minChildWeight: number;
  /** L2 and L1 penalties on leaf values. */
  readonly lambda: number;
  readonly alpha: number;
  /** Splits that gain less are pruned. */
  readonly gamma: number;
  /** By feature: 1 the forecast may only rise with it, -1 only fall, 0 either. */
  readonly monotone?: readonly number[];
}

const STRIDE = 256;

/** Sums of packed derivatives, `STRIDE` bins a feature. */
type Histogram = Block<Float64Array>;

/** A node of the level in work; without a histogram where features are drawn. */
interface Growing {
  readonly node: Node;
  readonly histogram: Histogram | undefined;
}

const cellsOf = (histogram: Histogram, feature: number): number => histogram.at + 8 * STRIDE * feature;

/**
 * Grows trees level by level on histograms of the derivatives, the larger child's histogram being its parent's
 * minus its sibling's. Chen and Guestrin 2016: gain GL^2/(HL+l) + GR^2/(HR+l) - G^2/(H+l), leaf -G/(H+l),
 * missing values sent to the side where they gain more, or alone to the right when that a value is missing says most.
 */
export function createGrower(data: BinnedColumns, params: TreeParams) {
  const { rows, bins, cuts, kernel } = data;
  const { lambda, alpha, minChildWeight, monotone } = params;
  const order = kernel.int32(rows);
  const spare = kernel.int32(rows);
  const side = kernel.bytes(STRIDE);
  const packedRows = kernel.float64(rows);
  const nodeValues = kernel.float64(rows);
  const pool: Histogram[] = [];
  let packing: Packing = { packed: packedRows.values, base: 1, gradientUnit: 1, hessianUnit: 1 };

  const shrink = (gradient: number): number =>
    gradient > alpha ? gradient - alpha : gradient < -alpha ? gradient + alpha : 0;
  const leafValue = (gradient: number, hessian: number, low: number, high: number): number =>
    Math.min(high, Math.max(low, -shrink(gradient) / (hessian + lambda)));
  /**
   * Twice the reduction of the loss by a leaf of the best (or bounded) value. Under constraints the L1 penalty counts in
   * the leaf's value only, as in XGBoost.
   */
  const score = (gradient: number, hessian: number, low: number, high: number): number => {
    const shrunk = shrink(gradient);
    if (monotone === undefined) return (shrunk * shrunk) / (hessian + lambda);
    const value = leafValue(gradient, hessian, low, high);
    return -(2 * gradient * value + (hessian + lambda) * value * value);
  };

  function buildHistogram(node: Node, features: Int32Array): Histogram {
    const histogram = pool.pop() ?? kernel.float64(bins.length * STRIDE);
    const rowsAt = order.at + 4 * node.from;
    const count = node.to - node.from;
    kernel.gather(nodeValues.at, packedRows.at, rowsAt, count);
    for (const feature of features) histogram.values.fill(0, feature * STRIDE, (feature + 1) * STRIDE);
    let i = 0;
    for (; i + 4 <= features.length; i += 4) {
      const [f0, f1, f2, f3] = features.subarray(i, i + 4);
      const [h0, h1, h2, h3] = [f0, f1, f2, f3].map((feature) => cellsOf(histogram, feature));
      const [c0, c1, c2, c3] = [f0, f1, f2, f3].map((feature) => bins[feature].at);
      kernel.accumulateFour(h0, h1, h2, h3, c0, c1, c2, c3, rowsAt, nodeValues.at, count);
    }
    for (; i < features.length; i++) {
      const cells = cellsOf(histogram, features[i]);
      kernel.accumulate(cells, bins[features[i]].at, rowsAt, nodeValues.at, count);
    }
    return histogram;
  }

  function bestSplit(node: Node, { values }: Histogram, features: Int32Array): Split {
    const { gradient, hessian, lowest, highest } = node;
    const { base, gradientUnit, hessianUnit } = packing;
    const unit = 1 / base;
    const parent = score(gradient, hessian, lowest, highest);
    const plain = monotone === undefined && alpha === 0;
    let [bestGain, bestFeature, bestBin, bestPass, bestSum] = [MIN_GAIN, -1, 0, 0, 0];
    for (const feature of features) {
      const cells = values.subarray(feature * STRIDE, (feature + 1) * STRIDE);
      const last = cuts[feature].length;
      const missing = cells[last + 1];
      const direction = monotone?.[feature] ?? 0;
      for (let pass = 0; pass < (missing === 0 ? 1 : 2); pass++) {
        let leftSum = pass === 1 ? missing : 0;
        // All known values to the left leave the missing ones to the right, where there are any.
        const end = pass === 0 && missing !== 0 ? last + 1 : last;
        for (let bin = 0; bin < end; bin++) {
          const cell = cells[bin];
          if (cell === 0) continue;
          leftSum += cell;
          const leftUnits = Math.floor(leftSum * unit);
          const leftHessian = (leftSum - leftUnits * base) * hessianUnit;
          if (leftHessian < minChildWeight) continue;
          const rightHessian = hessian - leftHessian;
          if (rightHessian < minChildWeight) break;
          const leftGradient = leftUnits * gradientUnit;
          const rightGradient = gradient - leftGradient;
          let gain: number;
          if (plain) {
            const leftWeight = leftHessian + lambda;
            const rightWeight = rightHessian + lambda;
            const leftSquare = leftGradient * leftGradient;
            const rightSquare = rightGradient * rightGradient;
            // Divisions only for a split that wins.
            const least = (bestGain + parent) * leftWeight * rightWeight;
            if (!(leftSquare * rightWeight + rightSquare * leftWeight > least)) continue;
            gain = leftSquare / leftWeight + rightSquare / rightWeight - parent;
          } else {
            gain =
              score(leftGradient, leftHessian, lowest, highest) +
              score(rightGradient, rightHessian, lowest, highest) -
              parent;
          }
          if (!(gain > bestGain)) continue;
          if (
            direction !== 0 &&
            direction *
              (leafValue(rightGradient, rightHessian, lowest, highest) -
                leafValue(leftGradient, leftHessian, lowest, highest)) <
              0
          )
            continue;
          bestGain = gain;
          bestFeature = feature;
          bestBin = bin;
          bestPass = pass;
          bestSum = leftSum;
        }
      }
    }
    return {
      gain: bestGain,
      feature: bestFeature,
      bin: bestBin,
      missingLeft: bestPass === 1,
      leftSum: bestSum,
    };
  }

  /** Rows of the left child first, both in their old order; where those of the right one begin. */
  function partition(node: Node, split: Split): number {
    // By bin, 1 for the left: a table and no branch that could be guessed wrong.
    side.values.fill(0).fill(1, 0, split.bin + 1);
    side.values[cuts[split.feature].length + 1] = split.missingLeft ? 1 : 0;
    const rowsAt = order.at + 4 * node.from;
    const column = bins[split.feature].at;
    return node.from + kernel.partition(rowsAt, node.to - node.from, column, side.at, spare.at);
  }

  /** The best split on the first of the drawn groups of features that has one. */
  function drawnSplit(node: Node, groups: readonly Int32Array[]): Split | undefined {
    for (const features of groups) {
      const histogram = buildHistogram(node, features);
      const split = bestSplit(node, histogram, features);
      pool.push(histogram);
      if (split.feature >= 0) return split;
    }
    return undefined;
  }

  /** The best split of a node, by its histogram or by groups of features that are drawn; `undefined`: none gains. */
  function splitOf(
    { node, histogram }: Growing,
    features: Int32Array,
    drawFeatures: ((all: Int32Array) => readonly Int32Array[]) | undefined,
  ): Split | undefined {
    const split =
      histogram === undefined
        ? drawnSplit(node, drawFeatures?.(features) ?? [])
        : bestSplit(node, histogram, features);
    return split === undefined || split.feature < 0 ? undefined : split;
  }

  /** Children with their histograms: only the smaller one's is built, the other is what is left of the parent's. */
  function growOn(
    [left, right]: readonly [Node, Node],
    histogram: Histogram | undefined,
    features: Int32Array,
  ): readonly Growing[] {
    if (histogram === undefined)
      return [
        { node: left, histogram },
        { node: right, histogram },
      ];
    const [small, large] = left.to - left.from <= right.to - right.from ? [left, right] : [right, left];
    const smaller = buildHistogram(small, features);
    for (const feature of features) {
      // Two cells at a time: the one after the last bin is 0 in both.
      const cells = 2 * Math.ceil((cuts[feature].length + 2) / 2);
      kernel.subtract(cellsOf(histogram, feature), cellsOf(smaller, feature), cells);
    }
    return [
      { node: small, histogram: smaller },
      { node: large, histogram },
    ];
  }

  function rootOf(sample: Int32Array, id: number): Node {
    let sum = 0;
    for (const row of sample) sum += packedRows.values[row];
    const [gradient, hessian] = unpack(sum, packing);
    return {
      id,
      depth: 0,
      from: 0,
      to: sample.length,
      sum,
      gradient,
      hessian,
      lowest: -Infinity,
      highest: Infinity,
    };
  }

  /** `ids`: of the left child and the right one, whose rows begin at `middle`. */
  function childrenOf(
    node: Node,
    split: Split,
    middle: number,
    ids: readonly [number, number],
  ): [Node, Node] {
    const rightSum = node.sum - split.leftSum;
    const [leftGradient, leftHessian] = unpack(split.leftSum, packing);
    const [rightGradient, rightHessian] = unpack(rightSum, packing);
    const { lowest, highest, depth } = node;
    const direction = monotone?.[split.feature] ?? 0;
    // Under a monotone constraint the children stay on their side of the middle for good.
    const border =
      direction === 0
        ? 0
        : (leafValue(leftGradient, leftHessian, lowest, highest) +
            leafValue(rightGradient, rightHessian, lowest, highest)) /
          2;
    const [leftId, rightId] = ids;
    return [
      {
        id: leftId,
        depth: depth + 1,
        from: node.from,
        to: middle,
        sum: split.leftSum,
        gradient: leftGradient,
        hessian: leftHessian,
        lowest: direction < 0 ? border : lowest,
        highest: direction > 0 ? border : highest,
      },
      {
        id: rightId,
        depth: depth + 1,
        from: middle,
        to: node.to,
        sum: rightSum,
        gradient: rightGradient,
        hessian: rightHessian,
        lowest: direction > 0 ? border : lowest,
        highest: direction < 0 ? border : highest,
      },
    ];
  }

  /**
   * The next tree, for rows `sample` (ascending) and `features`; adds its leaf values to `margins` of these rows, where
   * given. With `drawFeatures`, each split looks at the first group that it draws, and at the next ones only while none
   * splits.
   */
  return function grow(
    derivatives: { gradients: Float64Array; hessians: Float64Array },
    {
      sample,
      features,
      margins,
      drawFeatures,
    }: {
      sample: Int32Array;
      features: Int32Array;
      margins?: Float64Array;
      drawFeatures?: (all: Int32Array) => readonly Int32Array[];
    },
  ): Tree {
    order.values.set(sample);
    const draft = createDraft();
    packing = packDerivatives(derivatives, sample, packedRows.values);
    const describe = ({ id, gradient, hessian, lowest, highest }: Node): void =>
      draft.describe(id, leafValue(gradient, hessian, lowest, highest) * params.eta, hessian);
    const root = rootOf(sample, draft.add());
    describe(root);
    const leaves: Node[] = [];
    let level: readonly Growing[] = [
      { node: root, histogram: drawFeatures === undefined ? buildHistogram(root, features) : undefined },
    ];
    while (level.length > 0) {
      const next: Growing[] = [];
      for (const growing of level) {
        const { node, histogram } = growing;
        const split = node.depth < params.maxDepth ? splitOf(growing, features, drawFeatures) : undefined;
        if (split === undefined) {
          if (histogram !== undefined) pool.push(histogram);
          leaves.push(node);
          continue;
        }
        const children = childrenOf(node, split, partition(node, split), [draft.add(), draft.add()]);
        draft.split(node.id, split, cuts[split.feature][split.bin] ?? Infinity, children);
        children.forEach(describe);
        if (node.depth + 1 < params.maxDepth) next.push(...growOn(children, histogram, features));
        else {
          if (histogram !== undefined) pool.push(histogram);
          leaves.push(...children);
        }
      }
      level = next;
    }
    const tree = draft.finish(params.gamma);
    if (margins === undefined) return tree;
    const owner = draft.owners();
    for (const leaf of leaves) {
      const value = tree.value[owner[leaf.id]];
      for (let i = leaf.from; i < leaf.to; i++) margins[order.values[i]] += value;
    }
    return tree;
  };
}

/** XGBoost's kRtEps: a split has to gain more than rounding. */
const MIN_GAIN = 1e-6;
