import type { BinnedColumns } from './binning.ts';
import { type Block, createTreeKernel } from './kernel.ts';
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

/** A node that grows: its rows, their derivatives' sums (packed and not), and the leaf values it may take. */
interface Node {
  readonly id: number;
  readonly depth: number;
  readonly from: number;
  readonly to: number;
  readonly sum: number;
  readonly gradient: number;
  readonly hessian: number;
  readonly lowest: number;
  readonly highest: number;
}

/** `feature` -1: no split gains. */
interface Split {
  readonly gain: number;
  readonly feature: number;
  readonly bin: number;
  readonly missingLeft: boolean;
  readonly leftSum: number;
}

const STRIDE = 256;

/** Sums of packed derivatives, `STRIDE` bins a feature. */
type Histogram = Block<Float64Array>;

const cellsOf = (histogram: Histogram, feature: number): number => histogram.at + 8 * STRIDE * feature;

/**
 * Grows trees level by level on histograms of the derivatives, the larger child's histogram being its parent's
 * minus its sibling's. Chen and Guestrin 2016: gain GL^2/(HL+l) + GR^2/(HR+l) - G^2/(H+l), leaf -G/(H+l),
 * missing values sent to the side where they gain more, or alone to the right when that a value is missing says most.
 */
export function createGrower(data: BinnedColumns, params: TreeParams) {
  const { rows, bins, cuts } = data;
  const { lambda, alpha, minChildWeight, monotone } = params;
  const kernel = createTreeKernel();
  const columns = bins.map((column) => {
    const copy = kernel.bytes(rows);
    copy.values.set(column);
    return copy;
  });
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
      const [c0, c1, c2, c3] = [f0, f1, f2, f3].map((feature) => columns[feature].at);
      kernel.accumulateFour(h0, h1, h2, h3, c0, c1, c2, c3, rowsAt, nodeValues.at, count);
    }
    for (; i < features.length; i++) {
      const cells = cellsOf(histogram, features[i]);
      kernel.accumulate(cells, columns[features[i]].at, rowsAt, nodeValues.at, count);
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
    const column = columns[split.feature].at;
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

  /**
   * The next tree, for rows `sample` (ascending) and `features`; adds its leaf values to `margins` of these rows. With
   * `drawFeatures`, each split looks at the first group that it draws, and at the next ones only while none splits.
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
      margins: Float64Array;
      drawFeatures?: (all: Int32Array) => readonly Int32Array[];
    },
  ): Tree {
    order.values.set(sample);
    const draft = createDraft();
    packing = packDerivatives(derivatives, sample, packedRows.values);
    let sum = 0;
    for (const row of sample) sum += packedRows.values[row];
    const [gradient, hessian] = unpack(sum, packing);
    const root: Node = {
      id: draft.add(),
      depth: 0,
      from: 0,
      to: sample.length,
      sum,
      gradient,
      hessian,
      lowest: -Infinity,
      highest: Infinity,
    };
    const leaves: Node[] = [];
    const release = (histogram: Histogram | undefined): void => {
      if (histogram !== undefined) pool.push(histogram);
    };
    let level: { readonly node: Node; readonly histogram: Histogram | undefined }[] = [
      { node: root, histogram: drawFeatures === undefined ? buildHistogram(root, features) : undefined },
    ];
    draft.describe(root.id, leafValue(gradient, hessian, -Infinity, Infinity) * params.eta, hessian);
    while (level.length > 0) {
      const next: typeof level = [];
      for (const { node, histogram } of level) {
        const splitting = node.depth < params.maxDepth;
        const split = !splitting
          ? undefined
          : histogram !== undefined
            ? bestSplit(node, histogram, features)
            : drawnSplit(node, drawFeatures?.(features) ?? []);
        if (split === undefined || split.feature < 0) {
          release(histogram);
          leaves.push(node);
          continue;
        }
        const middle = partition(node, split);
        const children = childrenOf(node, split, middle);
        draft.split(node.id, split, cuts[split.feature][split.bin] ?? Infinity, children);
        for (const child of children) {
          const { gradient: g, hessian: h, lowest, highest } = child;
          draft.describe(child.id, leafValue(g, h, lowest, highest) * params.eta, h);
        }
        if (node.depth + 1 === params.maxDepth) {
          release(histogram);
          leaves.push(...children);
          continue;
        }
        const [left, right] = children;
        if (histogram === undefined) {
          next.push({ node: left, histogram }, { node: right, histogram });
          continue;
        }
        const [small, large] = left.to - left.from <= right.to - right.from ? [left, right] : [right, left];
        const smaller = buildHistogram(small, features);
        for (const feature of features) {
          // Two cells at a time: the one after the last bin is 0 in both.
          const cells = 2 * Math.ceil((cuts[feature].length + 2) / 2);
          kernel.subtract(cellsOf(histogram, feature), cellsOf(smaller, feature), cells);
        }
        next.push({ node: small, histogram: smaller }, { node: large, histogram });
      }
      level = next;
    }
    const tree = draft.finish(params.gamma);
    const owner = draft.owners();
    for (const leaf of leaves) {
      const value = tree.value[owner[leaf.id]];
      for (let i = leaf.from; i < leaf.to; i++) margins[order.values[i]] += value;
    }
    return tree;

    function childrenOf(node: Node, split: Split, middle: number): [Node, Node] {
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
      const [leftId, rightId] = [draft.add(), draft.add()];
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
  };
}

/** XGBoost's kRtEps: a split has to gain more than rounding. */
const MIN_GAIN = 1e-6;

/** A tree while it grows. */
function createDraft() {
  const feature: number[] = [];
  const threshold: number[] = [];
  const missingLeft: number[] = [];
  const left: number[] = [];
  const right: number[] = [];
  const value: number[] = [];
  const gain: number[] = [];
  const cover: number[] = [];
  const owner: number[] = [];

  return {
    add(): number {
      owner.push(owner.length);
      feature.push(-1);
      threshold.push(0);
      missingLeft.push(0);
      left.push(-1);
      right.push(-1);
      value.push(0);
      gain.push(0);
      return cover.push(0) - 1;
    },
    describe(id: number, leaf: number, hessian: number): void {
      value[id] = leaf;
      cover[id] = hessian;
    },
    split(id: number, by: Split, at: number, [a, b]: readonly [Node, Node]): void {
      feature[id] = by.feature;
      threshold[id] = at;
      missingLeft[id] = by.missingLeft ? 1 : 0;
      left[id] = a.id;
      right[id] = b.id;
      gain[id] = by.gain;
    },
    /** Prunes, from the bottom, splits into two leaves that gain less than `gamma`; the nodes left, renumbered. */
    finish(gamma: number): Tree {
      for (let id = feature.length - 1; id >= 0; id--) {
        if (feature[id] < 0 || feature[left[id]] >= 0 || feature[right[id]] >= 0) continue;
        if (gain[id] >= gamma) continue;
        owner[left[id]] = owner[right[id]] = id;
        feature[id] = -1;
        gain[id] = 0;
      }
      const kept = owner.filter((keeper, id) => keeper === id);
      const renumbered = new Int32Array(feature.length).fill(-1);
      kept.forEach((id, index) => (renumbered[id] = index));
      // Nodes come after their parents, so following owners upwards ends at a kept one.
      for (let id = 0; id < owner.length; id++)
        owner[id] = owner[id] === id ? renumbered[id] : owner[owner[id]];
      const child = (ids: number[]) =>
        Int32Array.from(kept, (id) => (feature[id] < 0 ? -1 : renumbered[ids[id]]));
      return {
        feature: Int32Array.from(kept, (id) => feature[id]),
        threshold: Float32Array.from(kept, (id) => threshold[id]),
        missingLeft: Uint8Array.from(kept, (id) => missingLeft[id]),
        left: child(left),
        right: child(right),
        value: Float64Array.from(kept, (id) => value[id]),
        gain: Float64Array.from(kept, (id) => gain[id]),
        cover: Float64Array.from(kept, (id) => cover[id]),
      };
    },
    /** By node as it grew: the node of the finished tree that its rows ended in. */
    owners: (): readonly number[] => owner,
  };
}
