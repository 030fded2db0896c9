import type { Tree } from './tree.ts';

/** A node that grows: its rows, their derivatives' sums (packed and not), and the leaf values it may take. */
export interface Node {
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
export interface Split {
  readonly gain: number;
  readonly feature: number;
  readonly bin: number;
  readonly missingLeft: boolean;
  readonly leftSum: number;
}

/** A tree while it grows. */
export function createDraft() {
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
