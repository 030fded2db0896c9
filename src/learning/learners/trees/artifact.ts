import { z } from 'zod';
import { ownBuffer } from '../../../core/foundation/bytes.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import type { Booster } from './boosting.ts';
import type { Tree } from './tree.ts';

/** Columns of all trees one after the other, in this order. */
const COLUMNS = ['feature', 'threshold', 'missingLeft', 'left', 'right', 'value', 'gain', 'cover'] as const;

export const BoosterHead = z.strictObject({
  objective: z.enum(['reg:squarederror', 'binary:logistic']),
  baseScore: z.number(),
  /** Nodes of each tree. */
  sizes: z.array(z.int().min(1)),
});

/** Little-endian bytes of all trees; float64 and int32 columns as they are. */
export function packTrees(booster: Booster): {
  readonly head: z.output<typeof BoosterHead>;
  readonly bytes: Uint8Array;
} {
  const { objective, baseScore, trees } = booster;
  const sizes = trees.map(({ feature }) => feature.length);
  const values = trees.flatMap((tree) => COLUMNS.flatMap((column) => [...tree[column]]));
  return {
    head: { objective, baseScore, sizes },
    bytes: new Uint8Array(Float64Array.from(values).buffer),
  };
}

/** Throws `UserError` when the bytes are not what the head says or a node points outside its tree. */
export function unpackTrees(
  head: z.output<typeof BoosterHead>,
  bytes: Uint8Array | undefined,
  features: number,
): Booster {
  const nodes = head.sizes.reduce((sum, size) => sum + size, 0);
  if (bytes?.length !== 8 * COLUMNS.length * nodes) throw damaged();
  const values = new Float64Array(ownBuffer(bytes));
  let at = 0;
  const take = (size: number): Float64Array => values.subarray(at, (at += size));
  const trees = head.sizes.map((size): Tree => {
    const [feature, threshold, missingLeft, left, right, value, gain, cover] = COLUMNS.map(() => take(size));
    const tree = {
      feature: Int32Array.from(feature),
      threshold: Float32Array.from(threshold),
      missingLeft: Uint8Array.from(missingLeft),
      left: Int32Array.from(left),
      right: Int32Array.from(right),
      value,
      gain,
      cover,
    };
    for (let node = 0; node < size; node++) {
      if (tree.feature[node] >= features) throw damaged();
      // Children come after their parents, so that every walk ends.
      const inside = (child: number): boolean => child > node && child < size;
      if (tree.feature[node] >= 0 && !(inside(tree.left[node]) && inside(tree.right[node]))) throw damaged();
    }
    return tree;
  });
  return { objective: head.objective, baseScore: head.baseScore, trees };
}

const damaged = (): UserError =>
  new UserError('The saved trees do not fit their description.', {
    hint: 'The checkpoint is damaged: train again.',
  });
