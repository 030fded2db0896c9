import type { Random } from '../foundation/random.ts';

/** A synthetic example: from row `base` the share `share` of the way to row `mate`, of the class of both. */
export interface SyntheticRow {
  readonly base: number;
  readonly mate: number;
  /** In [0, 1). */
  readonly share: number;
}

/**
 * SMOTE (Chawla, Bowyer, Hall & Kegelmeyer 2002, JAIR 16): fills every class up to `share` of the largest one with points
 * between a row and one of its `neighbours` nearest rows of the same class. `points` is [rows, width], in comparable
 * units; a coordinate that is `NaN` in either of two rows does not count in their distance. Give it training rows only:
 * what is between a training row and a later one knows of the later one. A class of one row is left as it is. One step
 * per synthetic row, so that long work can give way.
 */
export function* smoteSteps(
  { points, width, classes }: SmotePoints,
  options: { readonly share: number; readonly neighbours?: number; readonly random: Random },
): Generator<undefined, readonly SyntheticRow[]> {
  const { share, neighbours = 5, random } = options;
  const members = new Map<number, number[]>();
  classes.forEach((one, row) => {
    const list = members.get(one);
    if (list) list.push(row);
    else members.set(one, [row]);
  });
  const largest = Math.max(0, ...[...members.values()].map(({ length }) => length));
  const made: SyntheticRow[] = [];
  for (const [, rows] of [...members].sort(([a], [b]) => a - b)) {
    if (rows.length < 2) continue;
    const wanted = Math.floor(share * largest) - rows.length;
    for (let i = 0; i < wanted; i++) {
      const base = rows[Math.floor(random() * rows.length)];
      const near = nearest(points, width, base, { rows, count: Math.min(neighbours, rows.length - 1) });
      made.push({ base, mate: near[Math.floor(random() * near.length)], share: random() });
      yield;
    }
  }
  return made;
}

export interface SmotePoints {
  readonly points: Float64Array | Float32Array;
  readonly width: number;
  /** One number a row. */
  readonly classes: Int32Array;
}

/** The rows closest to `base`, the closest first; it is not among them. */
function nearest(
  points: SmotePoints['points'],
  width: number,
  base: number,
  { rows, count }: { readonly rows: readonly number[]; readonly count: number },
): readonly number[] {
  const best: { readonly row: number; readonly distance: number }[] = [];
  for (const row of rows) {
    if (row === base) continue;
    let distance = 0;
    for (let i = 0; i < width; i++) {
      const difference = points[row * width + i] - points[base * width + i];
      if (difference === difference) distance += difference * difference;
    }
    if (best.length === count && distance >= best[count - 1].distance) continue;
    let at = best.length;
    while (at > 0 && best[at - 1].distance > distance) at--;
    best.splice(at, 0, { row, distance });
    if (best.length > count) best.pop();
  }
  return best.map(({ row }) => row);
}
